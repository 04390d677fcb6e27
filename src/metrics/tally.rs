//! One pass over the papers; then any weighted subset's figures are sums over it.

use super::scored::Scored;
use crate::error::{Error, Result};
use rayon::prelude::*;
use serde::Serialize;

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

/// Counting and ranking figures of a set of papers. `None` where no paper defines them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Figures {
    /// Papers counted (a resample counts a paper as often as it was drawn).
    pub papers: u64,
    /// Over all paper-label pairs at once.
    pub micro_precision: f64,
    /// Over all paper-label pairs at once.
    pub micro_recall: f64,
    /// Over all paper-label pairs at once.
    pub micro_f1: f64,
    /// Labels in the `macro_*` figures: those with at least `min_positives` positives.
    pub macro_labels: u64,
    /// Mean over the `macro_labels` labels.
    pub macro_precision: f64,
    /// Mean over the `macro_labels` labels.
    pub macro_recall: f64,
    /// Mean over the `macro_labels` labels of their F1.
    pub macro_f1: f64,
    /// Labels with at least one positive.
    pub any_labels: u64,
    /// Mean F1 over the labels with at least one positive.
    pub macro_f1_any: f64,
    /// Mean over labels weighted by their positives.
    pub weighted_precision: f64,
    /// Mean over labels weighted by their positives (equals `micro_recall`).
    pub weighted_recall: f64,
    /// Mean over labels weighted by their positives.
    pub weighted_f1: f64,
    /// Mean over papers; a paper without any label counts as 0.
    pub samples_precision: f64,
    /// Mean over papers; a paper without any label counts as 0.
    pub samples_recall: f64,
    /// Mean over papers; a paper without any label counts as 0.
    pub samples_f1: f64,
    /// Share of papers whose best-scored label is theirs.
    pub precision_at_1: f64,
    /// Papers with a primary category among the labels; the primary figures skip the others.
    pub primary_papers: u64,
    /// Share whose primary is the best-scored label.
    pub primary_at_1: Option<f64>,
    /// Share whose primary is among the best three.
    pub primary_at_3: Option<f64>,
    /// Share whose primary is among the best five.
    pub primary_at_5: Option<f64>,
    /// Mean over papers with a label of the share of their labels among the best five.
    pub recall_at_5: Option<f64>,
    /// Label ranking average precision (scikit-learn's `label_ranking_average_precision_score`:
    /// ties count against the paper, a paper with no label or all labels counts as 1).
    pub lrap: f64,
}

impl Figures {
    /// Every figure that is a mean or a ratio, by name, for intervals and tables.
    pub fn named(&self) -> [(&'static str, Option<f64>); 18] {
        [
            ("micro_precision", Some(self.micro_precision)),
            ("micro_recall", Some(self.micro_recall)),
            ("micro_f1", Some(self.micro_f1)),
            ("macro_precision", Some(self.macro_precision)),
            ("macro_recall", Some(self.macro_recall)),
            ("macro_f1", Some(self.macro_f1)),
            ("macro_f1_any", Some(self.macro_f1_any)),
            ("weighted_precision", Some(self.weighted_precision)),
            ("weighted_f1", Some(self.weighted_f1)),
            ("samples_precision", Some(self.samples_precision)),
            ("samples_recall", Some(self.samples_recall)),
            ("samples_f1", Some(self.samples_f1)),
            ("precision_at_1", Some(self.precision_at_1)),
            ("primary_at_1", self.primary_at_1),
            ("primary_at_3", self.primary_at_3),
            ("primary_at_5", self.primary_at_5),
            ("recall_at_5", self.recall_at_5),
            ("lrap", Some(self.lrap)),
        ]
    }
}

/// A label that a paper has, was assigned, or both.
#[derive(Debug, Clone, Copy)]
struct Entry {
    label: u32,
    assigned: bool,
    positive: bool,
}

/// What a paper adds to the figures.
#[derive(Debug)]
struct Paper {
    entries: Vec<Entry>,
    best_is_true: bool,
    /// 1 is best; 0: no primary.
    primary_rank: usize,
    among_five: u64,
    lrap: f64,
}

/// All papers' contributions, sparse: about two labels a paper.
#[derive(Debug)]
pub struct Tally {
    labels: usize,
    papers: Vec<Paper>,
}

/// Place of `label` from 1, equal scores ranked by index.
fn rank(scores: &[f32], label: usize) -> usize {
    let score = scores[label];
    let before = scores[..label]
        .iter()
        .filter(|&&other| other >= score)
        .count();
    1 + before
        + scores[label + 1..]
            .iter()
            .filter(|&&other| other > score)
            .count()
}

fn lrap(scores: &[f32], entries: &[Entry]) -> f64 {
    let relevant = || {
        entries
            .iter()
            .filter(|entry| entry.positive)
            .map(|e| scores[e.label as usize])
    };
    let count = relevant().count();
    if count == 0 || count == scores.len() {
        return 1.0;
    }
    let precision = |score: f32| {
        let above = scores.iter().filter(|&&other| other >= score).count();
        relevant().filter(|&other| other >= score).count() as f64 / above as f64
    };
    relevant().map(precision).sum::<f64>() / count as f64
}

impl Paper {
    fn new(scores: &[f32], truth: &[u8], thresholds: &[f32], primary: Option<usize>) -> Self {
        let mut entries = Vec::new();
        let mut best = 0;
        for (label, (&score, &truth)) in scores.iter().zip(truth).enumerate() {
            let (assigned, positive) = (score >= thresholds[label], truth != 0);
            if assigned || positive {
                entries.push(Entry {
                    label: label as u32,
                    assigned,
                    positive,
                });
            }
            if score > scores[best] {
                best = label;
            }
        }
        let among_five = |entry: &&Entry| entry.positive && rank(scores, entry.label as usize) <= 5;
        Self {
            best_is_true: truth[best] != 0,
            primary_rank: primary.map_or(0, |label| rank(scores, label)),
            among_five: entries.iter().filter(among_five).count() as u64,
            lrap: lrap(scores, &entries),
            entries,
        }
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for entry in &self.entries {
            counts.add(entry.counts(), 1);
        }
        counts
    }
}

impl Entry {
    fn counts(self) -> Counts {
        Counts {
            hits: u64::from(self.assigned && self.positive),
            assigned: u64::from(self.assigned),
            positives: u64::from(self.positive),
        }
    }
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
        let primary = primary.unwrap_or_default();
        if !primary.is_empty() && primary.len() != scored.papers() {
            return Err(Error::shape("primary", [scored.papers()], [primary.len()]));
        }
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
mod tests {
    use super::*;

    fn tally(scores: &[f32], truth: &[u8], labels: usize, primary: Option<&[i32]>) -> Tally {
        let scored = Scored::new(scores, truth, labels).unwrap();
        Tally::new(&scored, &vec![0.5; labels], primary).unwrap()
    }

    #[test]
    fn counts_by_hand() {
        let tally = tally(
            &[0.9, 0.6, 0.1, 0.2, 0.7, 0.8],
            &[1, 0, 0, 1, 1, 0],
            3,
            Some(&[0, -1]),
        );
        let figures = tally.figures(|_| 1, |_, _| true);
        assert_eq!(figures.micro_f1, 2.0 * 2.0 / (4.0 + 3.0));
        assert_eq!(figures.precision_at_1, 0.5);
        assert_eq!(
            (figures.primary_papers, figures.primary_at_1),
            (1, Some(1.0))
        );
        assert_eq!((figures.any_labels, figures.recall_at_5), (2, Some(1.0)));
        // Label 2 has no positive and is left out: (2/3 + 2/3) / 2.
        assert!((figures.macro_f1 - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_weight_counts_a_paper_again() {
        let once = tally(
            &[0.9, 0.1, 0.2, 0.7, 0.2, 0.7],
            &[1, 0, 1, 0, 1, 0],
            2,
            None,
        );
        let twice = tally(&[0.9, 0.1, 0.2, 0.7], &[1, 0, 1, 0], 2, None);
        let weighted = twice.figures(|paper| paper as u32 + 1, |_, _| true);
        assert_eq!(once.figures(|_| 1, |_, _| true), weighted);
    }

    #[test]
    fn equal_scores_rank_by_index() {
        let scores = [0.5, 0.7, 0.5, 0.5];
        assert_eq!([0, 1, 2, 3].map(|label| rank(&scores, label)), [2, 1, 3, 4]);
    }

    #[test]
    fn a_primary_outside_the_labels_is_named() {
        let scored = Scored::new(&[0.1, 0.2], &[0, 1], 2).unwrap();
        let error = Tally::new(&scored, &[0.5; 2], Some(&[2])).unwrap_err();
        assert_eq!(error.to_string(), "primary[0]: 2 is not one of 2 labels");
    }
}
