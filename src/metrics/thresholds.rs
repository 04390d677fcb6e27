//! Per-label thresholds that maximise F1 on validation papers, shrunk toward one global threshold.
//!
//! A label's best threshold on a few positives is mostly noise: fitted plainly, per-label
//! thresholds do worse on later papers than a single one. And micro- and macro-F1 want different
//! things: for calibrated probabilities the best threshold is half of the F1 it leads to (Lipton,
//! Elkan and Naryanaswamy 2014), the label's own for macro-F1 and the common one for micro-F1.
//! So the objective is `α · micro-F1 + (1 − α) · macro-F1`, `α` being `micro_weight`, and:
//!
//! - the global threshold is the one with the best objective;
//! - a label with fewer than `min_support` positives takes it;
//! - each other label maximises its share of the objective, linear in micro-F1 around the global
//!   threshold: `α · (2 hits − F · assigned) / (all assigned + all positives) + (1 − α) · F1 /
//!   labels`. Frequent labels thereby stay with the common threshold, rare ones follow their own;
//! - its counts are mixed with the *expected* ones (`Σ_{p ≥ t} p` hits), which trust the
//!   probabilities and carry no noise of the draw, in the proportion of its positives to `prior`;
//! - what comes out is moved toward the global threshold in logits, with weight
//!   `shrinkage / (positives + shrinkage)`. `shrinkage` is chosen by cross-fitting: thresholds
//!   fitted on the other folds, counts of all held-out folds pooled, the best objective wins.

mod histogram;
mod objective;

use self::histogram::{Bucket, CANDIDATES, Histogram, candidate, counts, curve, reached, total};
use self::objective::{Common, best_global, value};
use super::folds::{check_folds, folds, folds_of};
use super::scored::Scored;
use super::tally::Counts;
use crate::error::{Error, Result};
use crate::observe::Observer;
use serde::{Deserialize, Serialize};

/// Strengths tried by cross-fitting, weakest first; the last is the global threshold alone.
const SHRINKAGES: [f64; 8] = [0.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, f64::INFINITY];

/// How to fit thresholds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Labels with fewer validation positives take the global threshold.
    pub min_support: u64,
    /// Positives at which a label's own counts weigh as much as the expected ones.
    pub prior: f64,
    /// Pull toward the global threshold, in positives; `null`: chosen by cross-fitting.
    pub shrinkage: Option<f64>,
    /// Weight of micro-F1 in the objective, 0 to 1; the rest is macro-F1 over labels with a
    /// positive.
    pub micro_weight: f64,
    /// Folds of cross-fitting, 2 to 100.
    pub folds: usize,
    /// Seed of the folds.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            min_support: 3,
            prior: 100.0,
            shrinkage: None,
            micro_weight: 0.8,
            folds: 5,
            seed: 0,
        }
    }
}

/// What was fitted, and what it is worth on papers it was not fitted to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The global threshold.
    pub global: f32,
    /// The shrinkage used; `null`: infinite, every label takes the global threshold.
    pub shrinkage: Option<f64>,
    /// Labels with a threshold of their own.
    pub labels_own: usize,
    /// Each shrinkage tried: its cross-fitted micro-F1 and macro-F1 (labels with a positive).
    pub tried: Vec<Tried>,
}

/// One shrinkage, cross-fitted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Tried {
    /// The shrinkage; `null`: infinite.
    pub shrinkage: Option<f64>,
    /// Micro-F1 on held-out folds.
    pub micro_f1: f64,
    /// Macro-F1 on held-out folds, over labels with at least one positive.
    pub macro_f1: f64,
}

/// Each label's place (a fraction between candidates) for one shrinkage.
fn shrink(own: &[Option<usize>], positives: &[u64], global: usize, shrinkage: f64) -> Vec<f64> {
    own.iter()
        .zip(positives)
        .map(|(own, &positives)| match own {
            Some(own) if shrinkage.is_finite() => {
                let weight = positives as f64 / (positives as f64 + shrinkage);
                weight * *own as f64 + (1.0 - weight) * global as f64
            }
            _ => global as f64,
        })
        .collect()
}

impl Options {
    /// Checks everything that can be known without the papers.
    ///
    /// # Errors
    /// [`Error::Option`] naming the value that cannot be used.
    pub fn check(&self) -> Result<()> {
        check_folds(self.folds)?;
        for (name, number) in [("prior", Some(self.prior)), ("shrinkage", self.shrinkage)] {
            if let Some(number) = number.filter(|number| number.is_nan() || *number < 0.0) {
                return Err(Error::option(name, number, "must be at least 0"));
            }
        }
        if !(0.0..=1.0).contains(&self.micro_weight) {
            let reason = "must be 0 to 1";
            return Err(Error::option("micro_weight", self.micro_weight, reason));
        }
        Ok(())
    }
}

/// Fits one threshold per label to validation probabilities (calibrated ones: the prior trusts
/// them).
///
/// # Errors
/// [`Error::Option`] for options that cannot be used, [`Error::Fit`] when no label has a positive,
/// [`Error::Interrupted`].
pub fn fit(
    scored: &Scored<'_>,
    options: &Options,
    observer: &dyn Observer,
) -> Result<(Vec<f32>, Report)> {
    options.check()?;
    folds_of(scored.papers(), options.folds)?;
    let positives = scored.positives();
    if positives.iter().all(|&count| count == 0) {
        return Err(Error::fit(
            "thresholds",
            "no validation paper has any of the labels",
        ));
    }
    let candidates: Vec<f32> = (0..CANDIDATES)
        .map(|at| candidate(at as f64) as f32)
        .collect();
    let fold = folds(scored.papers(), options.folds, options.seed);
    let by_fold: Vec<Vec<Histogram>> = scored.per_column(|_, pairs| {
        let mut histograms = vec![vec![Bucket::default(); CANDIDATES + 1]; options.folds];
        for (paper, &(probability, positive)) in pairs.iter().enumerate() {
            let at = reached(probability, &candidates);
            let bucket = &mut histograms[usize::from(fold[paper])][at];
            bucket.papers += 1;
            bucket.positives += u64::from(positive);
            bucket.expected += f64::from(probability);
        }
        histograms
    });
    let without = |out: usize| -> Vec<Histogram> {
        by_fold
            .iter()
            .map(|label| {
                let mut sum = vec![Bucket::default(); CANDIDATES + 1];
                for (_, histogram) in label.iter().enumerate().filter(|(fold, _)| *fold != out) {
                    sum.iter_mut()
                        .zip(histogram)
                        .for_each(|(sum, bucket)| sum.add(bucket));
                }
                sum
            })
            .collect()
    };
    let own = |histograms: &[Histogram], global: usize, min_support: u64| {
        let common = Common::new(histograms, global, options, min_support);
        histograms
            .iter()
            .map(|label| common.best_own(label))
            .collect::<Vec<_>>()
    };

    let tried = options
        .shrinkage
        .map_or(SHRINKAGES.to_vec(), |value| vec![value]);
    let mut held_out = vec![vec![Counts::default(); scored.labels()]; tried.len()];
    for out in 0..options.folds {
        observer.check()?;
        let histograms = without(out);
        let kept: Vec<u64> = histograms
            .iter()
            .map(|label| total(label).positives)
            .collect();
        let global = best_global(&histograms, options.micro_weight);
        // A label that takes the global threshold in the end takes it here too.
        let folds = options.folds as u64;
        let support = options.min_support / folds * (folds - 1)
            + options.min_support % folds * (folds - 1) / folds;
        let mut own = own(&histograms, global, support);
        for (own, &positives) in own.iter_mut().zip(&positives) {
            *own = own.filter(|_| positives >= options.min_support);
        }
        for (sums, &shrinkage) in held_out.iter_mut().zip(&tried) {
            let places = shrink(&own, &kept, global, shrinkage);
            for ((sum, place), label) in sums.iter_mut().zip(places).zip(&by_fold) {
                let histogram = &label[out];
                // Held-out counts are kept by candidate: the nearest one stands for the place.
                let at = (place.round() as usize).min(CANDIDATES - 1);
                let counts = counts(histogram, &curve(histogram), at);
                sum.hits += counts.hits;
                sum.assigned += counts.assigned;
                sum.positives += counts.positives;
            }
        }
    }
    let values: Vec<(f64, f64, f64)> = held_out
        .iter()
        .map(|labels| value(options.micro_weight, labels))
        .collect();
    // Last of the best: as good with more shrinkage is better.
    let best = (0..tried.len())
        .max_by(|&a, &b| values[a].0.total_cmp(&values[b].0))
        .unwrap_or(0);
    let whole = without(options.folds);
    let global = best_global(&whole, options.micro_weight);
    let places = shrink(
        &own(&whole, global, options.min_support),
        &positives,
        global,
        tried[best],
    );
    let finite = |shrinkage: f64| shrinkage.is_finite().then_some(shrinkage);
    let report = Report {
        global: candidates[global],
        shrinkage: finite(tried[best]),
        labels_own: if tried[best].is_finite() {
            positives
                .iter()
                .filter(|&&count| count >= options.min_support.max(1))
                .count()
        } else {
            0
        },
        tried: tried
            .iter()
            .zip(&values)
            .map(|(&shrinkage, &(_, micro_f1, macro_f1))| Tried {
                shrinkage: finite(shrinkage),
                micro_f1,
                macro_f1,
            })
            .collect(),
    };
    Ok((
        places
            .into_iter()
            .map(|place| candidate(place) as f32)
            .collect(),
        report,
    ))
}

#[cfg(test)]
mod tests;
