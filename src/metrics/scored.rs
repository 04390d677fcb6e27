//! The checked view of scores and truth.

use crate::error::{Error, Result};
use rayon::prelude::*;

/// Rows summed by one task. Fixed, so that floating-point sums do not depend on the thread count.
pub(super) const CHUNK: usize = 4096;

/// Scores beside truth, `papers × labels`, row-major; every score is finite.
#[derive(Debug, Clone, Copy)]
pub struct Scored<'a> {
    scores: &'a [f32],
    truth: &'a [u8],
    labels: usize,
}

impl<'a> Scored<'a> {
    /// Views `scores` (probabilities or logits) and `truth` (non-zero: the paper has the label).
    ///
    /// # Errors
    /// [`Error::Shape`] when the sizes do not fit or there is no paper or no label,
    /// [`Error::Input`] at the first score that is not finite.
    pub fn new(scores: &'a [f32], truth: &'a [u8], labels: usize) -> Result<Self> {
        if labels == 0 || scores.is_empty() || !scores.len().is_multiple_of(labels) {
            return Err(Error::shape(
                "scores",
                format!("[papers > 0, {labels} labels > 0]"),
                scores.len(),
            ));
        }
        if truth.len() != scores.len() {
            return Err(Error::shape("truth", scores.len(), truth.len()));
        }
        if let Some(at) = scores.par_iter().position_first(|score| !score.is_finite()) {
            let place = format!("scores[{}, {}]", at / labels, at % labels);
            return Err(Error::input(place, format!("{} is not finite", scores[at])));
        }
        Ok(Self {
            scores,
            truth,
            labels,
        })
    }

    /// The same for probabilities: every score must also lie in [0, 1].
    ///
    /// # Errors
    /// As [`Scored::new`], and [`Error::Input`] at the first score outside [0, 1].
    pub fn probabilities(scores: &'a [f32], truth: &'a [u8], labels: usize) -> Result<Self> {
        let scored = Self::new(scores, truth, labels)?;
        if let Some(at) = scores
            .par_iter()
            .position_first(|score| !(0.0..=1.0).contains(score))
        {
            let place = format!("probabilities[{}, {}]", at / labels, at % labels);
            return Err(Error::input(
                place,
                format!("{} is not in [0, 1]", scores[at]),
            ));
        }
        Ok(scored)
    }

    /// How many papers.
    pub fn papers(&self) -> usize {
        self.scores.len() / self.labels
    }

    /// How many labels.
    pub fn labels(&self) -> usize {
        self.labels
    }

    /// All scores, row-major.
    pub fn scores(&self) -> &'a [f32] {
        self.scores
    }

    /// All truth, row-major.
    pub fn truth(&self) -> &'a [u8] {
        self.truth
    }

    /// One paper's scores and truth.
    pub fn row(&self, paper: usize) -> (&'a [f32], &'a [u8]) {
        let range = paper * self.labels..(paper + 1) * self.labels;
        (&self.scores[range.clone()], &self.truth[range])
    }

    /// Papers that have each label.
    pub fn positives(&self) -> Vec<u64> {
        let mut positives = vec![0; self.labels];
        for row in self.truth.chunks_exact(self.labels) {
            for (count, &truth) in positives.iter_mut().zip(row) {
                *count += u64::from(truth != 0);
            }
        }
        positives
    }

    /// Fails unless `values` holds one entry a label.
    pub(super) fn check_per_label<T>(&self, name: &str, values: &[T]) -> Result<()> {
        if values.len() == self.labels {
            Ok(())
        } else {
            Err(Error::shape(name, [self.labels], [values.len()]))
        }
    }

    /// Sums `add` over all papers: in parallel, and to the same bits on any number of threads.
    pub(super) fn accumulate<A: Send>(
        &self,
        zero: impl Fn() -> A + Sync,
        add: impl Fn(&mut A, usize, &[f32], &[u8]) + Sync,
        mut merge: impl FnMut(&mut A, A),
    ) -> A {
        let starts: Vec<usize> = (0..self.papers()).step_by(CHUNK).collect();
        let parts: Vec<A> = starts
            .into_par_iter()
            .map(|start| {
                let mut part = zero();
                for paper in start..(start + CHUNK).min(self.papers()) {
                    let (scores, truth) = self.row(paper);
                    add(&mut part, paper, scores, truth);
                }
                part
            })
            .collect();
        let mut sum = zero();
        for part in parts {
            merge(&mut sum, part);
        }
        sum
    }

    /// Runs `work` on every label's column, gathered a cache line of labels at a time.
    pub(super) fn per_column<R: Send>(
        &self,
        work: impl Fn(usize, &[(f32, bool)]) -> R + Sync,
    ) -> Vec<R> {
        /// f32 values in a cache line.
        const BLOCK: usize = 16;
        let starts: Vec<usize> = (0..self.labels).step_by(BLOCK).collect();
        let blocks: Vec<Vec<R>> = starts
            .into_par_iter()
            .map(|first| {
                let width = BLOCK.min(self.labels - first);
                let mut columns = vec![Vec::with_capacity(self.papers()); width];
                for paper in 0..self.papers() {
                    let (scores, truth) = self.row(paper);
                    for (at, column) in columns.iter_mut().enumerate() {
                        column.push((scores[first + at], truth[first + at] != 0));
                    }
                }
                columns
                    .iter()
                    .enumerate()
                    .map(|(at, column)| work(first + at, column))
                    .collect()
            })
            .collect();
        blocks.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_first_score_that_is_not_finite() {
        let error = Scored::new(&[0.1, 0.2, f32::NAN, 0.4], &[0; 4], 2).unwrap_err();
        assert_eq!(error.to_string(), "scores[1, 0]: NaN is not finite");
    }

    #[test]
    fn refuses_sizes_that_do_not_fit() {
        assert!(Scored::new(&[], &[], 3).is_err());
        assert!(Scored::new(&[0.1; 4], &[0; 4], 3).is_err());
        assert!(Scored::new(&[0.1; 4], &[0; 2], 2).is_err());
        assert!(Scored::probabilities(&[1.5], &[0], 1).is_err());
    }
}
