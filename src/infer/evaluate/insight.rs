//! What a report shows beside the figures: curves, confusions, and papers worth a look.

mod papers;

use crate::corpus::papers::Papers;
use crate::corpus::taxonomy;
use crate::error::Result;
use crate::metrics::Scored;
use crate::metrics::confusion::{Cell, best, confusion};
use crate::metrics::curves::{
    Cut, Point, micro_precision_recall, over_thresholds, precision_recall,
};
use crate::metrics::reliability::{Step, diagram};
use crate::observe::Observer;
use serde::Serialize;
use std::collections::BTreeMap;

pub use self::papers::{Given, Paper, Sorted};

/// Points of a curve: more than a drawing shows.
const POINTS: usize = 200;
/// Labels with a curve of their own: those with the most papers.
const CURVES: usize = 12;
/// Bins of a reliability diagram.
const BINS: usize = 20;
/// Categories in the heat map: those with the most papers.
const CATEGORIES: usize = 40;
/// Pairs in the list of confusions, papers in a list of papers.
const LISTED: usize = 20;

/// Everything that is drawn or listed.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Insight {
    /// Precision over recall of all pairs as one ranking.
    pub precision_recall: Vec<Point>,
    /// The same of the labels with the most papers.
    pub precision_recall_labels: BTreeMap<String, Vec<Point>>,
    /// Reliability of all probabilities.
    pub reliability: Vec<Step>,
    /// Reliability of each paper's highest probability.
    pub reliability_best: Vec<Step>,
    /// Precision, recall and F1 over one threshold for all labels.
    pub thresholds: Vec<Cut>,
    /// Primary categories beside best-scored ones.
    pub confusion: Confusion,
    /// The papers with the highest log loss, and papers that look mislabelled.
    #[serde(flatten)]
    pub papers: Sorted,
}

/// Which category is taken for which.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Confusion {
    /// The categories with the most papers, ordered by name.
    pub categories: Matrix,
    /// Archives, ordered by name.
    pub archives: Matrix,
    /// The pairs confused most often.
    pub pairs: Vec<Pair>,
}

/// Papers by primary (row) and best-scored (column).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Matrix {
    /// Of rows and columns.
    pub names: Vec<String>,
    /// How many papers.
    pub papers: Vec<Vec<u64>>,
    /// Papers of each row, those in no column too.
    pub totals: Vec<u64>,
}

/// A category taken for another.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Pair {
    /// The papers' primary category.
    pub primary: String,
    /// The category scored best.
    pub best: String,
    /// How many papers.
    pub papers: u64,
    /// Share of the papers with that primary.
    pub share: f64,
    /// Of them, those that carry the best-scored category too.
    pub theirs: u64,
}

/// Gathers the insight into `scored`, the probabilities of `rows` of the table.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub(super) fn insight(
    table: &Papers,
    rows: &[usize],
    scored: &Scored<'_>,
    primary: &[i32],
    (labels, thresholds): (&[String], &[f32]),
    observer: &dyn Observer,
) -> Result<Insight> {
    observer.report("insight", 0, 0, "papers");
    let positives = scored.positives();
    let mut frequent: Vec<usize> = (0..labels.len()).collect();
    frequent.sort_by_key(|&label| std::cmp::Reverse(positives[label]));
    let column = |label: usize| -> Vec<(f32, bool)> {
        (0..scored.papers())
            .map(|paper| {
                let (scores, truth) = scored.row(paper);
                (scores[label], truth[label] != 0)
            })
            .collect()
    };
    let precision_recall_labels = frequent
        .iter()
        .take(CURVES)
        .filter(|&&label| positives[label] > 0)
        .map(|&label| {
            let curve = precision_recall(&column(label), POINTS);
            (labels[label].clone(), curve)
        })
        .collect();
    observer.check()?;
    let pairs = || scored.scores().iter().zip(scored.truth());
    let highest = |paper: usize| {
        let (scores, truth) = scored.row(paper);
        let best = best(scores);
        (scores[best], truth[best] != 0)
    };
    let insight = Insight {
        precision_recall: micro_precision_recall(scored, POINTS),
        precision_recall_labels,
        reliability: diagram(pairs().map(|(&score, &truth)| (score, truth != 0)), BINS),
        reliability_best: diagram((0..scored.papers()).map(highest), BINS),
        thresholds: over_thresholds(scored),
        confusion: confused(&confusion(scored, primary), labels),
        papers: papers::sort(table, rows, scored, (labels, thresholds), LISTED),
    };
    observer.check()?;
    Ok(insight)
}

fn confused(cells: &BTreeMap<(usize, usize), Cell>, labels: &[String]) -> Confusion {
    let mut totals: BTreeMap<usize, u64> = BTreeMap::new();
    for (&(primary, _), cell) in cells {
        *totals.entry(primary).or_default() += cell.papers;
    }
    let mut frequent: Vec<(usize, u64)> =
        totals.iter().map(|(&at, &papers)| (at, papers)).collect();
    frequent.sort_by_key(|&(_, papers)| std::cmp::Reverse(papers));
    frequent.truncate(CATEGORIES);
    let kept: Vec<&str> = frequent
        .iter()
        .map(|&(at, _)| labels[at].as_str())
        .collect();
    let archive = |name: &str| taxonomy::archive_of(name).map(str::to_owned);
    let mut pairs: Vec<Pair> = cells
        .iter()
        .filter(|((primary, best), _)| primary != best)
        .map(|(&(primary, best), cell)| Pair {
            primary: labels[primary].clone(),
            best: labels[best].clone(),
            papers: cell.papers,
            share: cell.papers as f64 / totals[&primary] as f64,
            theirs: cell.theirs,
        })
        .collect();
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.papers));
    pairs.truncate(LISTED);
    Confusion {
        categories: matrix(cells, labels, |name| {
            kept.contains(&name).then(|| name.to_owned())
        }),
        archives: matrix(cells, labels, archive),
        pairs,
    }
}

/// Adds the cells up by what `group` makes of their labels; its `None` is in no row and no column.
fn matrix(
    cells: &BTreeMap<(usize, usize), Cell>,
    labels: &[String],
    group: impl Fn(&str) -> Option<String>,
) -> Matrix {
    let groups: Vec<Option<String>> = labels.iter().map(|label| group(label)).collect();
    let mut names: Vec<String> = cells
        .keys()
        .filter_map(|&(primary, _)| groups[primary].clone())
        .collect();
    names.sort_unstable();
    names.dedup();
    let place = |label: usize| {
        let name = groups[label].as_ref()?;
        names.binary_search(name).ok()
    };
    let mut papers = vec![vec![0; names.len()]; names.len()];
    let mut totals = vec![0; names.len()];
    for (&(primary, best), cell) in cells {
        let Some(row) = place(primary) else { continue };
        totals[row] += cell.papers;
        if let Some(column) = place(best) {
            papers[row][column] += cell.papers;
        }
    }
    Matrix {
        names,
        papers,
        totals,
    }
}

#[cfg(test)]
mod tests;
