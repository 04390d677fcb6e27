//! One pass over the papers; then any weighted subset's figures are sums over it.

mod figures;
mod paper;

use self::paper::Paper;
use super::scored::Scored;
use crate::error::{Error, Result};
use rayon::prelude::*;

pub use self::figures::Figures;

/// True positives, assignments and positives of one label, one paper or all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Assigned and true.
    pub hits: u64,
    /// Assigned.
    pub assigned: u64,
    /// True.
    pub positives: u64,
}

impl Counts {
    /// Precision, recall and F1; 0 where nothing is below the line.
    pub fn scores(self) -> [f64; 3] {
        let over = |below: u64| {
            if below == 0 {
                0.0
            } else {
                self.hits as f64 / below as f64
            }
        };
        let both = self.assigned + self.positives;
        let f1 = if both == 0 {
            0.0
        } else {
            2.0 * self.hits as f64 / both as f64
        };
        [over(self.assigned), over(self.positives), f1]
    }

    fn add(&mut self, other: Self, times: u64) {
        self.hits += times * other.hits;
        self.assigned += times * other.assigned;
        self.positives += times * other.positives;
    }
}

/// All papers' contributions, sparse: about two labels a paper.
#[derive(Debug)]
pub struct Tally {
    labels: usize,
    papers: Vec<Paper>,
}

/// A weighted mean whose parts are added in a fixed order.
#[derive(Clone, Copy, Default)]
struct Mean(f64, u64);

impl Mean {
    fn add(&mut self, value: f64, times: u64) {
        self.0 += value * times as f64;
        self.1 += times;
    }

    fn value(self) -> Option<f64> {
        (self.1 > 0).then(|| self.0 / self.1 as f64)
    }
}

impl Tally {
    /// Tallies `scored` at per-label `thresholds`. `primary` holds each paper's primary label,
    /// −1 where it has none; `None` skips the primary figures.
    ///
    /// # Errors
    /// [`Error::Shape`] when sizes do not fit, [`Error::Input`] for a threshold that is not a
    /// number or a primary that is no label.
    pub fn new(scored: &Scored<'_>, thresholds: &[f32], primary: Option<&[i32]>) -> Result<Self> {
        scored.check_per_label("thresholds", thresholds)?;
        if let Some(label) = thresholds.iter().position(|threshold| threshold.is_nan()) {
            return Err(Error::input(format!("thresholds[{label}]"), "not a number"));
        }
        if let Some(primary) = primary.filter(|primary| primary.len() != scored.papers()) {
            return Err(Error::shape("primary", [scored.papers()], [primary.len()]));
        }
        let primary = primary.unwrap_or_default();
        if let Some(at) = primary
            .iter()
            .position(|&label| label >= scored.labels() as i32)
        {
            let reason = format!("{} is not one of {} labels", primary[at], scored.labels());
            return Err(Error::input(format!("primary[{at}]"), reason));
        }
        let papers = (0..scored.papers())
            .into_par_iter()
            .map(|paper| {
                let (scores, truth) = scored.row(paper);
                let first = primary
                    .get(paper)
                    .and_then(|&label| usize::try_from(label).ok());
                Paper::new(scores, truth, thresholds, first)
            })
            .collect();
        Ok(Self {
            labels: scored.labels(),
            papers,
        })
    }

    /// How many papers.
    pub fn papers(&self) -> usize {
        self.papers.len()
    }

    /// Each label's counts, a paper counted `weight(paper)` times.
    pub fn label_counts(&self, weight: impl Fn(usize) -> u32) -> Vec<Counts> {
        let mut counts = vec![Counts::default(); self.labels];
        for (at, paper) in self.papers.iter().enumerate() {
            let times = u64::from(weight(at));
            if times > 0 {
                for entry in &paper.entries {
                    counts[entry.label as usize].add(entry.counts(), times);
                }
            }
        }
        counts
    }

    /// All figures, a paper counted `weight(paper)` times. `in_macro` says which labels the
    /// `macro_*` figures may hold (those of them without a positive here are left out).
    pub fn figures(
        &self,
        weight: impl Fn(usize) -> u32,
        in_macro: impl Fn(usize, Counts) -> bool,
    ) -> Figures {
        let labels = self.label_counts(&weight);
        let mut micro = Counts::default();
        let (mut macros, mut weighted) = ([Mean::default(); 3], [Mean::default(); 3]);
        let mut any = Mean::default();
        for (label, &counts) in labels.iter().enumerate() {
            micro.add(counts, 1);
            let scores = counts.scores();
            for (mean, score) in weighted.iter_mut().zip(scores) {
                mean.add(score, counts.positives);
            }
            if counts.positives > 0 {
                any.add(scores[2], 1);
                if in_macro(label, counts) {
                    for (mean, score) in macros.iter_mut().zip(scores) {
                        mean.add(score, 1);
                    }
                }
            }
        }
        let mut samples = [Mean::default(); 3];
        let mut primary = [Mean::default(); 3];
        let [mut first, mut recall, mut lrap] = [Mean::default(); 3];
        for (at, paper) in self.papers.iter().enumerate() {
            let times = u64::from(weight(at));
            if times == 0 {
                continue;
            }
            let counts = paper.counts();
            for (mean, score) in samples.iter_mut().zip(counts.scores()) {
                mean.add(score, times);
            }
            if paper.primary_rank > 0 {
                for (mean, depth) in primary.iter_mut().zip([1, 3, 5]) {
                    mean.add(f64::from(u8::from(paper.primary_rank <= depth)), times);
                }
            }
            if counts.positives > 0 {
                recall.add(paper.among_five as f64 / counts.positives as f64, times);
            }
            first.add(f64::from(u8::from(paper.best_is_true)), times);
            lrap.add(paper.lrap, times);
        }
        let or_zero = |mean: Mean| mean.value().unwrap_or(0.0);
        let [micro_precision, micro_recall, micro_f1] = micro.scores();
        let [macro_precision, macro_recall, macro_f1] = macros.map(or_zero);
        let [weighted_precision, weighted_recall, weighted_f1] = weighted.map(or_zero);
        let [samples_precision, samples_recall, samples_f1] = samples.map(or_zero);
        let [primary_at_1, primary_at_3, primary_at_5] = primary.map(Mean::value);
        Figures {
            papers: first.1,
            micro_precision,
            micro_recall,
            micro_f1,
            macro_labels: macros[2].1,
            macro_precision,
            macro_recall,
            macro_f1,
            any_labels: any.1,
            macro_f1_any: or_zero(any),
            weighted_precision,
            weighted_recall,
            weighted_f1,
            samples_precision,
            samples_recall,
            samples_f1,
            precision_at_1: or_zero(first),
            primary_papers: primary[0].1,
            primary_at_1,
            primary_at_3,
            primary_at_5,
            recall_at_5: recall.value(),
            lrap: or_zero(lrap),
        }
    }
}

#[cfg(test)]
mod tests;
