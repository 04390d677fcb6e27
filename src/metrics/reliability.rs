//! Are probabilities what they say? Calibration error, Brier score, log loss.

use super::scored::Scored;
use crate::error::{Error, Result};
use serde::Serialize;

/// Bins of the calibration error unless told otherwise.
pub const BINS: usize = 15;

/// Fails for a number of bins that cannot be used.
///
/// # Errors
/// [`Error::Option`].
pub fn check_bins(bins: usize) -> Result<()> {
    if (1..=10_000).contains(&bins) {
        Ok(())
    } else {
        Err(Error::option("bins", bins, "must be 1 to 10,000"))
    }
}

/// Reliability figures of probabilities.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Reliability {
    /// Expected calibration error with all paper-label pairs in one pool.
    pub ece: f64,
    /// Expected calibration error of each label.
    pub ece_labels: Vec<f64>,
    /// Mean squared difference of probability and truth over all pairs.
    pub brier: f64,
    /// The same for each label (scikit-learn's `brier_score_loss`).
    pub brier_labels: Vec<f64>,
    /// Mean binary cross-entropy over all pairs, in nats; probabilities are clipped to
    /// `[ε, 1 − ε]` with f32's ε = 1.19e-7 as scikit-learn's `log_loss` clips f32.
    pub log_loss: f64,
    /// The same for each label.
    pub log_loss_labels: Vec<f64>,
}

#[derive(Clone, Copy, Default)]
struct Bin {
    papers: u64,
    probability: f64,
    positives: u64,
}

struct Sums {
    bins: Vec<Bin>,
    squares: Vec<f64>,
    losses: Vec<f64>,
}

/// The bin of `p` among equal widths over [0, 1]: bin `k` is `(k/n, (k+1)/n]`, the first holds 0
/// too (as scikit-learn's `calibration_curve`).
fn bin(p: f64, edges: &[f64]) -> usize {
    let last = edges.len() - 2;
    let mut at = ((p * (last + 1) as f64) as usize).min(last);
    // The product's rounding can land one bin off.
    while at > 0 && p <= edges[at] {
        at -= 1;
    }
    while at < last && p > edges[at + 1] {
        at += 1;
    }
    at
}

fn error(bins: &[Bin]) -> f64 {
    let papers: u64 = bins.iter().map(|bin| bin.papers).sum();
    let gaps: f64 = bins
        .iter()
        .map(|bin| (bin.probability - bin.positives as f64).abs())
        .sum();
    gaps / papers as f64
}

/// Reliability of the probabilities in `scored` with `bins` bins of equal width (at least one).
///
/// Expected calibration error is `Σ_k (n_k / n) · |mean probability_k − frequency_k|` (Naeini,
/// Cooper and Hauskrecht 2015; Guo et al. 2017) of the event "the paper has the label".
/// [`Scored::probabilities`] has checked that every probability lies in [0, 1].
pub fn reliability(scored: &Scored<'_>, bins: usize) -> Reliability {
    let bins = bins.max(1);
    let labels = scored.labels();
    let edges: Vec<f64> = (0..=bins).map(|k| k as f64 / bins as f64).collect();
    let clip = f64::from(f32::EPSILON);
    let sums = scored.accumulate(
        || Sums {
            bins: vec![Bin::default(); labels * bins],
            squares: vec![0.0; labels],
            losses: vec![0.0; labels],
        },
        |sums, _, scores, truth| {
            for (label, (&score, &truth)) in scores.iter().zip(truth).enumerate() {
                let (p, positive) = (f64::from(score), truth != 0);
                let bin = &mut sums.bins[label * bins + bin(p, &edges)];
                bin.papers += 1;
                bin.probability += p;
                bin.positives += u64::from(positive);
                let right = if positive { p } else { 1.0 - p };
                sums.squares[label] += (1.0 - right) * (1.0 - right);
                sums.losses[label] -= right.clamp(clip, 1.0 - clip).ln();
            }
        },
        |all, part| {
            for (bin, add) in all.bins.iter_mut().zip(part.bins) {
                bin.papers += add.papers;
                bin.probability += add.probability;
                bin.positives += add.positives;
            }
            for (sum, add) in all.squares.iter_mut().zip(part.squares) {
                *sum += add;
            }
            for (sum, add) in all.losses.iter_mut().zip(part.losses) {
                *sum += add;
            }
        },
    );
    let mut pooled = vec![Bin::default(); bins];
    for label in sums.bins.chunks_exact(bins) {
        for (pool, bin) in pooled.iter_mut().zip(label) {
            pool.papers += bin.papers;
            pool.probability += bin.probability;
            pool.positives += bin.positives;
        }
    }
    let papers = scored.papers() as f64;
    let mean = |sums: &[f64]| sums.iter().sum::<f64>() / (papers * labels as f64);
    Reliability {
        ece: error(&pooled),
        ece_labels: sums.bins.chunks_exact(bins).map(error).collect(),
        brier: mean(&sums.squares),
        log_loss: mean(&sums.losses),
        brier_labels: sums.squares.iter().map(|sum| sum / papers).collect(),
        log_loss_labels: sums.losses.iter().map(|sum| sum / papers).collect(),
    }
}

/// One bin of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Step {
    /// Probabilities above this, 0 included in the first bin.
    pub low: f64,
    /// And up to this.
    pub high: f64,
    /// How many.
    pub count: u64,
    /// Their mean.
    pub probability: f64,
    /// Share of them that came true.
    pub frequency: f64,
}

/// The reliability diagram of probabilities in [0, 1] and what became of them, empty bins left
/// out. Its bins are those of [`reliability`].
pub fn diagram(pairs: impl IntoIterator<Item = (f32, bool)>, bins: usize) -> Vec<Step> {
    let bins = bins.max(1);
    let edges: Vec<f64> = (0..=bins).map(|k| k as f64 / bins as f64).collect();
    let mut sums = vec![Bin::default(); bins];
    for (probability, positive) in pairs {
        let probability = f64::from(probability);
        let sum = &mut sums[bin(probability, &edges)];
        sum.papers += 1;
        sum.probability += probability;
        sum.positives += u64::from(positive);
    }
    sums.iter()
        .enumerate()
        .filter(|(_, sum)| sum.papers > 0)
        .map(|(at, sum)| Step {
            low: edges[at],
            high: edges[at + 1],
            count: sum.papers,
            probability: sum.probability / sum.papers as f64,
            frequency: sum.positives as f64 / sum.papers as f64,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_diagrams_gaps_add_up_to_the_calibration_error() -> Result<()> {
        let scores = [0.05, 0.2, 0.21, 0.8, 0.95, 1.0];
        let truth = [0, 1, 0, 1, 1, 0];
        let error = reliability(&Scored::probabilities(&scores, &truth, 1)?, 4).ece;
        let steps = diagram(scores.iter().copied().zip(truth.map(|one| one == 1)), 4);
        let gap = |step: &Step| step.count as f64 * (step.probability - step.frequency).abs();
        assert!((steps.iter().map(gap).sum::<f64>() / 6.0 - error).abs() < 1e-12);
        assert_eq!(
            steps.iter().map(|step| step.count).collect::<Vec<_>>(),
            [3, 3]
        );
        Ok(())
    }

    #[test]
    fn an_edge_belongs_to_the_bin_below_it() {
        let edges: Vec<f64> = (0..=10).map(|k| f64::from(k) / 10.0).collect();
        for (p, expected) in [
            (0.0, 0),
            (0.1, 0),
            (0.3, 2),
            (0.300_000_1, 3),
            (0.7, 6),
            (1.0, 9),
        ] {
            assert_eq!(bin(p, &edges), expected, "{p}");
        }
    }

    #[test]
    fn certain_and_right_is_perfect_and_certain_and_wrong_is_not() -> Result<()> {
        let right = reliability(&Scored::probabilities(&[1.0, 0.0], &[1, 0], 1)?, BINS);
        assert_eq!((right.ece, right.brier), (0.0, 0.0));
        let wrong = reliability(&Scored::probabilities(&[1.0, 0.0], &[0, 1], 1)?, BINS);
        assert_eq!((wrong.ece, wrong.brier), (1.0, 1.0));
        assert!(wrong.log_loss.is_finite());
        Ok(())
    }

    #[test]
    fn half_sure_and_right_half_the_time_is_calibrated() -> Result<()> {
        let half = reliability(&Scored::probabilities(&[0.5, 0.5], &[1, 0], 1)?, BINS);
        assert_eq!((half.ece, half.brier), (0.0, 0.25));
        Ok(())
    }
}
