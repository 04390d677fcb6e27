//! Every figure at once: the whole set with intervals, each label, each slice, the raw space.

use super::bootstrap::{Bootstrap, Intervals, intervals};
use super::precision::{average_precisions, micro_average_precision};
use super::reliability::{BINS, check_bins, reliability};
use super::scored::Scored;
use super::tally::{Counts, Figures, Tally};
use crate::error::{Error, Result};
use crate::observe::Observer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What to report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Positives that a label needs to enter the `macro_*` figures.
    pub min_positives: u64,
    /// Bins of the calibration errors, of equal width over [0, 1].
    pub bins: usize,
    /// Resampling for the intervals.
    pub bootstrap: Bootstrap,
    /// Names of the labels, for the per-label table; empty: their indices.
    pub labels: Vec<String>,
    /// Partitions of the papers to report apart.
    pub slices: Vec<Slice>,
    /// For each column of a larger label space the label it copies: both spellings of an alias
    /// pair point to their one label. Empty: no expanded figures.
    pub expanded: Vec<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            min_positives: 10,
            bins: BINS,
            bootstrap: Bootstrap::default(),
            labels: Vec::new(),
            slices: Vec::new(),
            expanded: Vec::new(),
        }
    }
}

/// A partition of the papers: by year, archive, length, rarity, …
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slice {
    /// What it parts by: `year`.
    pub name: String,
    /// Names of the groups: `2016`.
    pub groups: Vec<String>,
    /// Each paper's group by index, −1 for none.
    pub of: Vec<i32>,
}

/// Figures that need all scores, not counts alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Scores {
    /// Mean average precision over the `macro_labels` labels.
    pub map: f64,
    /// Mean average precision over the labels with at least one positive.
    pub map_any: f64,
    /// Average precision of all paper-label pairs as one ranking.
    pub map_micro: f64,
    /// Expected calibration error, all pairs in one pool.
    pub ece: f64,
    /// Mean of the labels' expected calibration errors.
    pub ece_labels: f64,
    /// Brier score, mean over all pairs.
    pub brier: f64,
    /// Log loss in nats, mean over all pairs.
    pub log_loss: f64,
}

/// One row of the per-label table.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Label {
    /// The label.
    pub label: String,
    /// Papers that have it.
    pub positives: u64,
    /// Papers it was assigned to.
    pub assigned: u64,
    /// Its threshold.
    pub threshold: f32,
    /// Precision, recall and F1 at its threshold.
    pub precision: f64,
    /// Recall.
    pub recall: f64,
    /// F1.
    pub f1: f64,
    /// Average precision; `None` without positives.
    pub average_precision: Option<f64>,
    /// Expected calibration error.
    pub ece: f64,
    /// Brier score.
    pub brier: f64,
}

/// The whole report; serialises to one JSON object with the figures at its top.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Counting and ranking figures of all papers.
    #[serde(flatten)]
    pub figures: Figures,
    /// Figures of the scores of all papers.
    #[serde(flatten)]
    pub scores: Scores,
    /// Bootstrap intervals by figure.
    pub intervals: Intervals,
    /// The per-label table, in label order.
    pub per_label: Vec<Label>,
    /// Figures of each group of each slice.
    pub slices: BTreeMap<String, BTreeMap<String, Figures>>,
    /// Figures in the expanded (raw) label space, without primary figures.
    pub expanded: Option<Figures>,
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    if count == 0 {
        0.0
    } else {
        sum / f64::from(count)
    }
}

fn check(scored: &Scored<'_>, options: &Options) -> Result<()> {
    check_bins(options.bins)?;
    options
        .bootstrap
        .check()
        .map_err(|error| error.in_group("bootstrap"))?;
    if !options.labels.is_empty() && options.labels.len() != scored.labels() {
        return Err(Error::shape(
            "labels",
            [scored.labels()],
            [options.labels.len()],
        ));
    }
    if let Some(label) = options
        .expanded
        .iter()
        .find(|&&label| label >= scored.labels())
    {
        let reason = format!("is not one of {} labels", scored.labels());
        return Err(Error::option("expanded", label, reason));
    }
    for slice in &options.slices {
        if slice.of.len() != scored.papers() {
            return Err(Error::shape(
                format!("slice {}", slice.name),
                [scored.papers()],
                [slice.of.len()],
            ));
        }
        if let Some(group) = slice
            .of
            .iter()
            .find(|&&group| group >= slice.groups.len() as i32)
        {
            let reason = format!("is not one of {} groups", slice.groups.len());
            return Err(Error::option(
                format!("slices.{}.of", slice.name),
                group,
                reason,
            ));
        }
    }
    Ok(())
}

/// Figures with every label copied to its alias pair, in truth, scores and thresholds alike.
/// `columns[j]` is the label that column `j` of the larger space copies. Published figures for
/// arXiv's own classifier are in such a space.
///
/// # Errors
/// As [`Tally::new`].
pub fn expanded(
    scored: &Scored<'_>,
    thresholds: &[f32],
    columns: &[usize],
    min_positives: u64,
) -> Result<Figures> {
    let spread = |paper: usize| {
        let (scores, truth) = scored.row(paper);
        columns
            .iter()
            .map(move |&label| (scores[label], truth[label]))
    };
    let (scores, truth): (Vec<f32>, Vec<u8>) = (0..scored.papers()).flat_map(spread).unzip();
    let wide = Scored::new(&scores, &truth, columns.len())?;
    let thresholds: Vec<f32> = columns.iter().map(|&label| thresholds[label]).collect();
    let tally = Tally::new(&wide, &thresholds, None)?;
    Ok(tally.figures(|_| 1, |_, counts| counts.positives >= min_positives))
}

/// Reports everything about probabilities at per-label thresholds.
///
/// `primary` is each paper's primary label, −1 for none; `None` skips primary figures.
///
/// # Errors
/// [`Error::Shape`], [`Error::Input`] or [`Error::Option`] for what does not fit,
/// [`Error::Interrupted`].
pub fn report(
    scored: &Scored<'_>,
    thresholds: &[f32],
    primary: Option<&[i32]>,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Report> {
    check(scored, options)?;
    let tally = Tally::new(scored, thresholds, primary)?;
    let counts = tally.label_counts(|_| 1);
    let enough = |_: usize, counts: Counts| counts.positives >= options.min_positives;
    let macro_labels: Vec<bool> = counts
        .iter()
        .map(|counts| enough(0, *counts) && counts.positives > 0)
        .collect();
    observer.check()?;
    let precisions = average_precisions(scored);
    observer.check()?;
    let reliability = reliability(scored, options.bins);
    let over = |kept: &dyn Fn(usize) -> bool| {
        mean(
            precisions
                .iter()
                .enumerate()
                .filter(|(label, _)| kept(*label))
                .map(|(_, &value)| value),
        )
    };
    let scores = Scores {
        map: over(&|label| macro_labels[label]),
        map_any: over(&|label| counts[label].positives > 0),
        map_micro: micro_average_precision(scored),
        ece: reliability.ece,
        ece_labels: mean(reliability.ece_labels.iter().copied()),
        brier: reliability.brier,
        log_loss: reliability.log_loss,
    };
    let per_label = (0..scored.labels())
        .map(|label| {
            let [precision, recall, f1] = counts[label].scores();
            Label {
                label: options
                    .labels
                    .get(label)
                    .cloned()
                    .unwrap_or_else(|| label.to_string()),
                positives: counts[label].positives,
                assigned: counts[label].assigned,
                threshold: thresholds[label],
                precision,
                recall,
                f1,
                average_precision: (counts[label].positives > 0).then_some(precisions[label]),
                ece: reliability.ece_labels[label],
                brier: reliability.brier_labels[label],
            }
        })
        .collect();
    observer.check()?;
    let mut slices = BTreeMap::new();
    for slice in &options.slices {
        let groups: BTreeMap<String, Figures> = slice
            .groups
            .iter()
            .enumerate()
            .map(|(group, name)| {
                let inside = |paper: usize| u32::from(slice.of[paper] == group as i32);
                (name.clone(), tally.figures(inside, enough))
            })
            .filter(|(_, figures)| figures.papers > 0)
            .collect();
        slices.insert(slice.name.clone(), groups);
    }
    let wide = (!options.expanded.is_empty())
        .then(|| expanded(scored, thresholds, &options.expanded, options.min_positives))
        .transpose()?;
    Ok(Report {
        figures: tally.figures(|_| 1, enough),
        scores,
        intervals: intervals(&tally, &macro_labels, options.bootstrap, observer)?,
        per_label,
        slices,
        expanded: wide,
    })
}

#[cfg(test)]
mod tests;
