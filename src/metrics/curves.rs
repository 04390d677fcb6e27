//! Curves that are drawn: precision over recall, and both over one threshold for all labels.

use super::precision::{key, score};
use super::scored::Scored;
use super::tally::Counts;
use rayon::prelude::*;
use serde::Serialize;

/// A point of a precision-recall curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Point {
    /// Scores from this on are assigned.
    pub threshold: f32,
    /// Precision there.
    pub precision: f32,
    /// Recall there.
    pub recall: f32,
}

/// A point of the threshold curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Cut {
    /// The threshold of every label.
    pub threshold: f32,
    /// Precision over all pairs.
    pub precision: f32,
    /// Recall over all pairs.
    pub recall: f32,
    /// F1 over all pairs.
    pub f1: f32,
    /// Labels assigned to the average paper.
    pub labels: f32,
}

/// The precision-recall curve of one label, high thresholds first: every distinct score where
/// there are at most `most` of them, else about `most` points at even steps of recall. Empty
/// without positives.
pub fn precision_recall(pairs: &[(f32, bool)], most: usize) -> Vec<Point> {
    let mut keys: Vec<u64> = pairs
        .iter()
        .map(|&(score, positive)| key(score, positive))
        .collect();
    keys.sort_unstable();
    over_sorted(&keys, most)
}

/// The same of all paper-label pairs as one ranking.
pub fn micro_precision_recall(scored: &Scored<'_>, most: usize) -> Vec<Point> {
    let pairs = scored.scores().par_iter().zip(scored.truth());
    let mut keys: Vec<u64> = pairs
        .map(|(&score, &truth)| key(score, truth != 0))
        .collect();
    keys.par_sort_unstable();
    over_sorted(&keys, most)
}

fn over_sorted(keys: &[u64], most: usize) -> Vec<Point> {
    let positives = keys.iter().filter(|&&key| key & 1 == 1).count();
    if positives == 0 {
        return Vec::new();
    }
    let step = 1.0 / most.max(2) as f64;
    let mut points = Vec::new();
    let (mut hits, mut seen, mut next) = (0usize, 0usize, 0.0);
    for ties in keys.chunk_by(|a, b| a >> 1 == b >> 1) {
        hits += ties.iter().filter(|&&key| key & 1 == 1).count();
        seen += ties.len();
        let recall = hits as f64 / positives as f64;
        let last = hits == positives;
        if recall >= next || last {
            points.push(Point {
                threshold: score(ties[0]),
                precision: (hits as f64 / seen as f64) as f32,
                recall: recall as f32,
            });
            next = ((recall / step).floor() + 1.0) * step;
        }
        if last {
            break;
        }
    }
    points
}

/// Precision, recall and F1 of all pairs at the thresholds 0.01, 0.02 … 0.99, one for all labels.
/// The scores are probabilities.
pub fn over_thresholds(scored: &Scored<'_>) -> Vec<Cut> {
    let thresholds: Vec<f32> = (1..100u8).map(|k| f32::from(k) / 100.0).collect();
    // [papers, positives] by how many thresholds a probability reaches.
    let reached = scored.accumulate(
        || vec![[0u64; 2]; thresholds.len() + 1],
        |counts, _, scores, truth| {
            for (&score, &truth) in scores.iter().zip(truth) {
                let at = thresholds.partition_point(|&threshold| threshold <= score);
                counts[at][0] += 1;
                counts[at][1] += u64::from(truth != 0);
            }
        },
        |all, part| {
            for (sum, add) in all.iter_mut().zip(part) {
                sum[0] += add[0];
                sum[1] += add[1];
            }
        },
    );
    let positives = reached.iter().map(|count| count[1]).sum();
    let mut counts = Counts {
        positives,
        ..Counts::default()
    };
    let mut cuts: Vec<Cut> = thresholds
        .iter()
        .zip(&reached[1..])
        .rev()
        .map(|(&threshold, &[assigned, hits])| {
            counts.assigned += assigned;
            counts.hits += hits;
            let [precision, recall, f1] = counts.scores().map(|value| value as f32);
            let labels = (counts.assigned as f64 / scored.papers() as f64) as f32;
            Cut {
                threshold,
                precision,
                recall,
                f1,
                labels,
            }
        })
        .collect();
    cuts.reverse();
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Result;

    #[test]
    fn follows_the_documented_example_of_scikit_learn() {
        // precision_recall_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), from the top on
        let pairs = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)];
        let points: Vec<_> = precision_recall(&pairs, 200)
            .iter()
            .map(|point| (point.threshold, point.precision, point.recall))
            .collect();
        let expected = [(0.8, 1.0, 0.5), (0.35, 2.0 / 3.0, 1.0)];
        assert_eq!(points, expected);
    }

    #[test]
    fn a_long_curve_is_thinned_and_keeps_its_ends() {
        let pairs: Vec<_> = (0..10_000u16)
            .map(|at| (f32::from(at), at.is_multiple_of(2)))
            .collect();
        let points = precision_recall(&pairs, 200);
        assert!(points.len() <= 202, "{}", points.len());
        assert_eq!(points[points.len() - 1].recall, 1.0);
        assert!(points.windows(2).all(|two| two[0].recall < two[1].recall));
        assert!(precision_recall(&[(0.5, false)], 200).is_empty());
    }

    #[test]
    fn all_pairs_are_one_ranking() -> Result<()> {
        let scored = Scored::probabilities(&[0.1, 0.4, 0.35, 0.8], &[0, 0, 1, 1], 2)?;
        let pairs = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)];
        assert_eq!(
            micro_precision_recall(&scored, 200),
            precision_recall(&pairs, 200)
        );
        Ok(())
    }

    #[test]
    fn a_threshold_takes_what_reaches_it() -> Result<()> {
        let scored = Scored::probabilities(&[0.5, 0.2, 0.9, 0.0], &[1, 0, 1, 1], 2)?;
        let cuts = over_thresholds(&scored);
        assert_eq!(cuts.len(), 99);
        let at = |threshold: f32| *cuts.iter().find(|cut| cut.threshold == threshold).unwrap();
        assert_eq!((at(0.5).precision, at(0.5).recall), (1.0, 2.0 / 3.0));
        assert_eq!(at(0.51).recall, 1.0 / 3.0);
        assert_eq!((at(0.2).precision, at(0.2).labels), (2.0 / 3.0, 1.5));
        assert_eq!(at(0.99).f1, 0.0);
        Ok(())
    }
}
