//! The pair of all labels, and each label's own around it.

use super::super::scored::Scored;
use super::SHRINKAGES;
use super::newton::{Loss, Pair, minimise};
use crate::observe::Observer;

/// A scale below it says that the ranking is turned around, or will be in f32.
const LEAST_SCALE: f64 = 1e-6;

/// The pair that fits all labels of the papers `kept`; with scale 1 where the best one would turn
/// the ranking around. Means nothing once `observer` is cancelled.
pub(super) fn common(
    scored: &Scored<'_>,
    kept: impl Fn(usize) -> bool + Sync,
    observer: &dyn Observer,
) -> Pair {
    let loss = |pair: Pair| {
        if observer.cancelled() {
            return Loss::default();
        }
        // The weakest of priors keeps separable data finite.
        scored
            .accumulate(
                Loss::default,
                |loss, paper, logits, truth| {
                    if kept(paper) {
                        for (&logit, &truth) in logits.iter().zip(truth) {
                            loss.add(pair, logit, truth != 0);
                        }
                    }
                },
                Loss::merge,
            )
            .with_prior(pair, [1.0, 0.0], SHRINKAGES[0])
    };
    let fitted = minimise([1.0, 0.0], loss);
    if fitted[0] >= LEAST_SCALE {
        return fitted;
    }
    minimise([1.0, 0.0], |pair| loss(pair).at_this_scale())
}

/// One label's pair on the papers `kept`; the center where it has too few positives or would
/// turn the ranking around.
pub(super) fn label_pair(
    pairs: &[(f32, bool)],
    kept: impl Fn(usize) -> bool,
    center: Pair,
    precision: f64,
    min_support: u64,
) -> Pair {
    let positives = pairs
        .iter()
        .enumerate()
        .filter(|&(paper, pair)| pair.1 && kept(paper))
        .count();
    if (positives as u64) < min_support {
        return center;
    }
    let fitted = minimise(center, |at| {
        let mut loss = Loss::default();
        for (paper, &(logit, positive)) in pairs.iter().enumerate() {
            if kept(paper) {
                loss.add(at, logit, positive);
            }
        }
        loss.with_prior(at, center, precision)
    });
    if fitted[0] >= LEAST_SCALE {
        fitted
    } else {
        center
    }
}
