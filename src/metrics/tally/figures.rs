//! The figures of a set of papers.

use serde::Serialize;

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
