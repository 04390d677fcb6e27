//! The papers table as a fit reads it.

use super::{FitReport, Kind, Options};
use crate::corpus::papers::Papers;
use crate::error::{Error, Result};
use crate::model::head::Head;
use crate::observe::Observer;
use crate::tokens::ngrams::Vocabulary;
use crate::train::logistic;
use crate::train::mlp::{self, Examples, Words};
use crate::train::rows::labels;
use crate::train::space::Space;
use ndarray::{Array2, Axis};
use std::sync::Arc;

/// Papers whose n-grams are looked up before a caller who wants to stop is heard.
const BLOCK: usize = 8192;

/// The whole table with what belongs to its rows.
pub(super) struct Corpus<'a> {
    pub(super) table: &'a Papers,
    pub(super) vectors: &'a Array2<f32>,
    pub(super) space: &'a Space,
}

impl Corpus<'_> {
    fn labels(&self, rows: &[usize]) -> Vec<Vec<u32>> {
        labels(self.table, rows, self.space)
    }

    pub(super) fn truth(&self, rows: &[usize]) -> Vec<u8> {
        let width = self.space.names.len();
        let mut truth = vec![0; rows.len() * width];
        for (paper, labels) in self.labels(rows).iter().enumerate() {
            for &label in labels {
                truth[paper * width + label as usize] = 1;
            }
        }
        truth
    }

    fn texts(&self, rows: &[usize]) -> (Vec<&str>, Vec<&str>) {
        rows.iter()
            .map(|&row| {
                (
                    self.table.titles[row].as_str(),
                    self.table.abstracts[row].as_str(),
                )
            })
            .unzip()
    }

    pub(super) fn fit(
        &self,
        rows: &[usize],
        options: &Options,
        observer: &dyn Observer,
    ) -> Result<(Head, FitReport)> {
        let vectors = self.vectors.select(Axis(0), rows);
        let labels = self.labels(rows);
        let width = self.space.names.len();
        let examples = Examples {
            embeddings: vectors.view(),
            labels: &labels,
            width,
        };
        let mlp = mlp::Options {
            seed: options.seed,
            ..options.mlp.clone()
        };
        let words = match options.head {
            Kind::Logistic => {
                let (head, report) = logistic::fit(examples, &options.logistic, observer)?;
                return Ok((Head::Linear(head), FitReport::Logistic(Box::new(report))));
            }
            Kind::Mlp => None,
            Kind::Hybrid => {
                let (titles, abstracts) = self.texts(rows);
                let vocabulary =
                    Vocabulary::select(&titles, &abstracts, &labels, width, &mlp.words, observer)?;
                if vocabulary.is_empty() {
                    return Err(Error::fit(
                        "head",
                        format!(
                            "no n-gram is in words.min_papers = {} papers",
                            mlp.words.min_papers
                        ),
                    ));
                }
                let mut rows = Vec::with_capacity(titles.len());
                for (titles, abstracts) in titles.chunks(BLOCK).zip(abstracts.chunks(BLOCK)) {
                    observer.check()?;
                    rows.extend(vocabulary.rows(titles, abstracts)?);
                }
                Some(Words {
                    vocabulary: Arc::new(vocabulary),
                    rows,
                })
            }
        };
        let (head, report) = mlp::fit(examples, words.as_ref(), &mlp, observer)?;
        Ok((head, FitReport::Mlp(report)))
    }

    /// Logits of `rows`, row-major.
    pub(super) fn logits(
        &self,
        head: &Head,
        rows: &[usize],
        observer: &dyn Observer,
    ) -> Result<Vec<f32>> {
        let (titles, abstracts) = self.texts(rows);
        let vectors = self.vectors.select(Axis(0), rows);
        head.logits(vectors.view(), &titles, &abstracts, observer)
    }

    /// How many of `rows` have each label.
    pub(super) fn counts(&self, rows: &[usize]) -> Vec<usize> {
        let mut counts = vec![0; self.space.names.len()];
        for label in self.labels(rows).into_iter().flatten() {
            counts[label as usize] += 1;
        }
        counts
    }
}
