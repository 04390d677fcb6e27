//! Hidden layers over the embedding, alone or beside the vectors of the text's n-grams, fitted
//! by minibatches: AdamW, a short warm-up and a linear way down, dropout of inputs, of words and
//! of the hidden layer.

mod net;
mod options;

use self::net::Net;
use super::random::Random;
use super::vectors::{Bags, Vectors};
use crate::error::{Error, Result};
use crate::model::head::{Head, Hybrid, Table};
use crate::observe::{Observer, Progress};
use crate::tokens::ngrams::{SparseRow, Vocabulary};
use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::Serialize;
use std::sync::Arc;

pub use self::options::Options;

/// Papers to fit a head to.
#[derive(Debug, Clone, Copy)]
pub struct Examples<'a> {
    /// [papers, hidden].
    pub embeddings: ArrayView2<'a, f32>,
    /// Each paper's labels, as indexes below `width`.
    pub labels: &'a [Vec<u32>],
    /// Number of labels.
    pub width: usize,
}

impl Examples<'_> {
    /// Fails where labels and embeddings do not fit each other, or a value cannot be fitted to.
    pub(super) fn check(&self, what: &str) -> Result<()> {
        let (papers, hidden) = self.embeddings.dim();
        if self.labels.len() != papers {
            return Err(Error::shape("labels", [papers], [self.labels.len()]));
        }
        if papers == 0 || hidden == 0 || self.width == 0 {
            let reason = format!("{papers} papers × {hidden} values × {} labels", self.width);
            return Err(Error::fit(what, reason));
        }
        let outside = |labels: &Vec<u32>| labels.iter().any(|&label| label as usize >= self.width);
        if let Some(paper) = self.labels.iter().position(outside) {
            let reason = format!("a label is not below {}", self.width);
            return Err(Error::input(format!("labels[{paper}]"), reason));
        }
        let repeated = |labels: &Vec<u32>| {
            let mut earlier = labels.iter().enumerate();
            earlier.any(|(at, label)| labels[..at].contains(label))
        };
        if let Some(paper) = self.labels.iter().position(repeated) {
            let place = format!("labels[{paper}]");
            return Err(Error::input(place, "a label occurs twice"));
        }
        let finite = |paper: &usize| {
            self.embeddings
                .row(*paper)
                .iter()
                .all(|value| value.is_finite())
        };
        if let Some(paper) = (0..papers)
            .into_par_iter()
            .find_first(|paper| !finite(paper))
        {
            let place = format!("embeddings[{paper}]");
            return Err(Error::input(place, "a value is not finite"));
        }
        Ok(())
    }
}

/// The n-grams of the papers that a hybrid head is fitted to.
#[derive(Debug)]
pub struct Words {
    /// The n-grams it will know.
    pub vocabulary: Arc<Vocabulary>,
    /// Each paper's features.
    pub rows: Vec<SparseRow>,
}

/// What a fit reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Mean loss per paper of each epoch, dropout included.
    pub losses: Vec<f64>,
    /// Steps taken.
    pub steps: usize,
}

/// Fits an MLP head, or with `words` a hybrid one. The same inputs, options and number of
/// threads give the same weights to the bit.
///
/// # Errors
/// [`Error::Option`], [`Error::Shape`], [`Error::Input`] at a label or an embedding that cannot be
/// fitted to, [`Error::Fit`] without papers or labels and where the loss is no longer finite,
/// [`Error::Torch`], [`Error::Interrupted`].
pub fn fit(
    examples: Examples<'_>,
    words: Option<&Words>,
    options: &Options,
    observer: &dyn Observer,
) -> Result<(Head, Report)> {
    options.check()?;
    examples.check("head")?;
    let papers = examples.embeddings.nrows();
    if let Some(words) = words.filter(|words| words.rows.len() != papers) {
        return Err(Error::shape("words", [papers], [words.rows.len()]));
    }
    let mut random = Random::new(options.seed);
    let pieces = words.map_or(0, |_| options.dimensions);
    let mut net = Net::new(examples, pieces, options, &mut random)?;
    let mut vectors = words.map(|words| {
        Vectors::new(
            words.vocabulary.len(),
            pieces * options.members,
            0.05,
            &mut random,
        )
    });
    let prior = prior(examples);
    let mut order: Vec<usize> = (0..papers).collect();
    let total = papers
        .div_ceil(options.batch)
        .saturating_mul(options.epochs);
    let mut report = Report {
        losses: Vec::new(),
        steps: 0,
    };
    for epoch in 0..options.epochs {
        random.shuffle(&mut order);
        let mut sum = 0.0;
        for batch in order.chunks(options.batch) {
            observer.check()?;
            let scale = schedule(report.steps, total, options.warmup);
            net.optimizer.set_lr(options.learning_rate * scale);
            let bags =
                words.map(|words| Bags::new(&words.rows, batch, options.word_dropout, &mut random));
            let sums = match (&vectors, &bags) {
                (Some(vectors), Some(bags)) => Some(vectors.bag(bags)),
                _ => None,
            };
            let targets = targets(examples, batch, &prior, options.smoothing);
            let (loss, slopes) = net.step(examples, batch, sums, &targets, options, &mut random)?;
            if !loss.is_finite() {
                return Err(Error::fit(
                    "head",
                    format!(
                        "the loss is {loss} after {} steps; lower learning_rate",
                        report.steps
                    ),
                ));
            }
            if let (Some(vectors), Some(bags), Some(slopes)) = (&mut vectors, &bags, slopes) {
                vectors.step(
                    bags,
                    &slopes,
                    (options.vectors_learning_rate * scale) as f32,
                );
            }
            sum += loss * batch.len() as f64;
            report.steps += 1;
            if report.steps.is_multiple_of(10) {
                observer.progress(&Progress {
                    stage: "fit",
                    done: report.steps as u64,
                    total: total as u64,
                    unit: "steps",
                    figures: vec![("loss", loss), ("epoch", (epoch + 1) as f64)],
                });
            }
        }
        report.losses.push(sum / papers as f64);
    }
    let mlp = net.finish()?;
    let head = match (words, vectors) {
        (Some(words), Some(vectors)) => Head::Hybrid(Hybrid {
            vocabulary: Arc::clone(&words.vocabulary),
            table: Table::quantize(vectors.values(), pieces * options.members)?,
            mlp,
        }),
        _ => Head::Mlp(mlp),
    };
    Ok((head, report))
}

/// Share of the highest step size: up to 1 over the warm-up, then down to 0.
fn schedule(step: usize, total: usize, warmup: f64) -> f64 {
    let position = step as f64 / total as f64;
    let rise = (step + 1) as f64 / (warmup * total as f64).max(1.0);
    rise.min(1.0) * (1.0 - position)
}

/// How frequent each label is.
fn prior(examples: Examples<'_>) -> Vec<f32> {
    let mut counts = vec![0.0_f32; examples.width];
    for label in examples.labels.iter().flatten() {
        counts[*label as usize] += 1.0;
    }
    let papers = examples.labels.len().max(1) as f32;
    counts.iter().map(|count| count / papers).collect()
}

fn targets(examples: Examples<'_>, batch: &[usize], prior: &[f32], smoothing: f64) -> Vec<f32> {
    let smoothing = smoothing as f32;
    let mut targets = Vec::with_capacity(batch.len() * examples.width);
    for &paper in batch {
        let start = targets.len();
        targets.extend(prior.iter().map(|share| share * smoothing));
        for &label in &examples.labels[paper] {
            targets[start + label as usize] += 1.0 - smoothing;
        }
    }
    targets
}

#[cfg(test)]
mod tests;
