//! A classifier as the engine's model: papers get probabilities, texts their embeddings, and both
//! share the encoder's batches.

use super::Model;
use crate::error::{Error, Result};
use crate::infer::classifier::Classifier;
use crate::observe::Silent;
use crate::text::template;
use crate::tokens::batches::Layout;
use crate::tokens::tokenizer::Tokens;
use ndarray::Array2;
use std::sync::Arc;

/// What a request brings.
#[derive(Debug, Clone)]
pub enum Work {
    /// A paper to classify.
    Paper {
        /// Its title, LaTeX allowed.
        title: String,
        /// Its abstract, LaTeX allowed.
        text: String,
    },
    /// A text to embed as it is.
    Text(String),
}

/// What a request gets.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// A paper's calibrated probabilities [labels], or a text's embedding [hidden].
    pub values: Vec<f32>,
    /// Whether the text was longer than the model reads.
    pub truncated: bool,
    /// Tokens that the model read.
    pub tokens: usize,
}

/// A request, tokenized.
pub struct Ready {
    tokens: Tokens,
    /// Title and abstract, where it is a paper.
    paper: Option<(String, String)>,
}

impl Model for Arc<Classifier> {
    type Work = Work;
    type Ready = Ready;
    type Answer = Answer;

    fn prepare(&self, work: Work) -> Result<Ready> {
        let (text, paper) = match work {
            Work::Paper { title, text } => (template(&title, &text), Some((title, text))),
            Work::Text(text) => (text, None),
        };
        let mut tokens = self.encoder().tokenize(&[text], &Silent)?;
        match tokens.pop() {
            Some(tokens) => Ok(Ready { tokens, paper }),
            None => Err(Error::Engine("a text without tokens".to_owned())),
        }
    }

    fn length(&self, ready: &Ready) -> usize {
        ready.tokens.ids.len()
    }

    fn run(&self, batch: &[Ready]) -> Result<Vec<Answer>> {
        let tokens: Vec<&Tokens> = batch.iter().map(|ready| &ready.tokens).collect();
        let (budget, _) = self.batch();
        let embeddings = self.encoder().encode_tokens(&tokens, budget, &Silent)?;
        let (mut rows, mut titles, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for (row, ready) in batch.iter().enumerate() {
            if let Some((title, text)) = &ready.paper {
                rows.push(row);
                titles.push(title.as_str());
                texts.push(text.as_str());
            }
        }
        let labels = self.spec().labels.len();
        let mut probabilities = vec![0.0; rows.len() * labels];
        if !rows.is_empty() {
            let papers: Array2<f32> = embeddings.select(ndarray::Axis(0), &rows);
            self.judge(papers.view(), &titles, &texts, &mut probabilities, &Silent)?;
        }
        let mut papers = probabilities.chunks_exact(labels);
        let answers = batch.iter().zip(embeddings.rows()).map(|(ready, vector)| {
            let values = match ready.paper {
                Some(_) => papers.next().unwrap_or_default().to_vec(),
                None => vector.to_vec(),
            };
            Answer {
                values,
                truncated: ready.tokens.truncated,
                tokens: ready.tokens.ids.len(),
            }
        });
        Ok(answers.collect())
    }

    fn batch(&self) -> (usize, Layout) {
        self.encoder().live_batch()
    }
}
