//! Per-label calibration of logits, shrunk toward one calibration for all labels.
//!
//! Each label's probability is `sigmoid(scale · logit + bias)`: Platt scaling (Platt 1999, fitted
//! by Newton's method as Lin, Lin and Weng 2007), of which temperature scaling (Guo et al. 2017)
//! is the case without bias. Most labels have few validation positives, so a label's pair is the
//! maximum a posteriori one under a normal prior around the pair fitted to all labels at once;
//! the prior's precision (`shrinkage`) is the one with the least cross-fitted log loss.

mod newton;
mod pairs;

use self::newton::{Loss, Pair};
use self::pairs::{common, label_pair};
use super::folds::{check_folds, folds, folds_of};
use super::reliability::{BINS, Reliability, reliability};
use super::scored::Scored;
use crate::error::{Error, Result};
use crate::observe::Observer;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Prior precisions tried by cross-fitting, strongest last.
const SHRINKAGES: [f64; 6] = [0.3, 1.0, 3.0, 10.0, 30.0, 100.0];

/// `sigmoid(scale · logit + bias)` per label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Multiplies the logit; positive, so that a label's ranking of papers stays.
    pub scale: Vec<f32>,
    /// Added after scaling.
    pub bias: Vec<f32>,
}

impl Calibration {
    /// The calibration that changes nothing.
    pub fn identity(labels: usize) -> Self {
        Self {
            scale: vec![1.0; labels],
            bias: vec![0.0; labels],
        }
    }

    /// Turns logits (row-major, one column a label) into probabilities in place.
    ///
    /// # Errors
    /// [`Error::Shape`] when the row length does not fit.
    pub fn apply(&self, logits: &mut [f32]) -> Result<()> {
        let labels = self.scale.len();
        if self.bias.len() != labels || labels == 0 || !logits.len().is_multiple_of(labels) {
            return Err(Error::shape(
                "calibration",
                logits.len(),
                [labels, self.bias.len()],
            ));
        }
        logits.par_chunks_mut(labels).for_each(|row| {
            for ((logit, scale), bias) in row.iter_mut().zip(&self.scale).zip(&self.bias) {
                *logit = 1.0 / (1.0 + (-(scale * *logit + bias)).exp());
            }
        });
        Ok(())
    }
}

/// How to fit a [`Calibration`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Labels with fewer validation positives take the calibration of all labels.
    pub min_support: u64,
    /// Prior precision of scale and bias around the common pair; `null`: chosen by cross-fitting.
    pub shrinkage: Option<f64>,
    /// Folds of cross-fitting, 2 to 100.
    pub folds: usize,
    /// Seed of the folds.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            min_support: 5,
            shrinkage: None,
            folds: 5,
            seed: 0,
        }
    }
}

/// Reliability in four figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Expected calibration error, all pairs in one pool.
    pub ece: f64,
    /// Mean of the labels' expected calibration errors.
    pub ece_labels: f64,
    /// Brier score.
    pub brier: f64,
    /// Log loss in nats.
    pub log_loss: f64,
}

impl From<&Reliability> for Summary {
    fn from(figures: &Reliability) -> Self {
        Self {
            ece: figures.ece,
            ece_labels: figures.ece_labels.iter().sum::<f64>() / figures.ece_labels.len() as f64,
            brier: figures.brier,
            log_loss: figures.log_loss,
        }
    }
}

/// What was fitted, and what it is worth on papers it was not fitted to.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The pair of all labels: scale, bias.
    pub common: [f64; 2],
    /// The prior precision used.
    pub shrinkage: f64,
    /// Labels that took the common pair.
    pub labels_common: usize,
    /// Plain sigmoids of the logits.
    pub before: Summary,
    /// Calibrated, each paper by a fit on the other folds.
    pub after: Summary,
}

impl Options {
    /// Checks everything that can be known without the papers.
    ///
    /// # Errors
    /// [`Error::Option`] naming the value that cannot be used.
    pub fn check(&self) -> Result<()> {
        check_folds(self.folds)?;
        match self.shrinkage {
            Some(value) if !(value.is_finite() && value > 0.0) => {
                let reason = "must be a positive number";
                Err(Error::option("shrinkage", value, reason))
            }
            _ => Ok(()),
        }
    }
}

/// Fits a calibration to validation logits. Where higher logits go with fewer positives over all
/// labels taken together, the common pair keeps the scale 1: no ranking is turned around.
///
/// # Errors
/// [`Error::Option`] for options that cannot be used, [`Error::Fit`] when no label has a positive,
/// [`Error::Interrupted`].
pub fn fit(
    scored: &Scored<'_>,
    options: &Options,
    observer: &dyn Observer,
) -> Result<(Calibration, Report)> {
    options.check()?;
    folds_of(scored.papers(), options.folds)?;
    if scored.positives().iter().all(|&count| count == 0) {
        return Err(Error::fit(
            "calibration",
            "no validation paper has any of the labels",
        ));
    }
    let fold = folds(scored.papers(), options.folds, options.seed);
    let center = common(scored, |_| true, observer);
    let centers: Vec<Pair> = (0..options.folds)
        .map(|out| common(scored, |paper| usize::from(fold[paper]) != out, observer))
        .collect();
    observer.check()?;
    // The held-out share of a label's positives decides like the whole would.
    let support = |positives: u64| positives * (options.folds as u64 - 1) / options.folds as u64;
    let held_out = |pairs: &[(f32, bool)], precision: f64| -> Vec<Pair> {
        let positives = pairs.iter().filter(|pair| pair.1).count() as u64;
        let enough = positives >= options.min_support;
        let min_support = if enough {
            support(options.min_support)
        } else {
            u64::MAX
        };
        (0..options.folds)
            .map(|out| {
                let kept = |paper: usize| usize::from(fold[paper]) != out;
                label_pair(pairs, kept, centers[out], precision, min_support)
            })
            .collect()
    };
    let tried = options
        .shrinkage
        .map_or(SHRINKAGES.to_vec(), |value| vec![value]);
    let fits: Vec<Vec<(Vec<Pair>, f64)>> = scored.per_column(|_, pairs| {
        tried
            .iter()
            .map(|&precision| {
                if observer.cancelled() {
                    return (Vec::new(), 0.0);
                }
                let by_fold = held_out(pairs, precision);
                let mut loss = Loss::default();
                for (paper, &(logit, positive)) in pairs.iter().enumerate() {
                    loss.add(by_fold[usize::from(fold[paper])], logit, positive);
                }
                (by_fold, loss.value)
            })
            .collect()
    });
    observer.check()?;
    let total = |at: usize| fits.iter().map(|label| label[at].1).sum::<f64>();
    let best = (0..tried.len())
        .min_by(|&a, &b| total(a).total_cmp(&total(b)))
        .unwrap_or(0);
    let pairs = scored.per_column(|_, pairs| {
        label_pair(pairs, |_| true, center, tried[best], options.min_support)
    });

    let mut plain = scored.scores().to_vec();
    Calibration::identity(scored.labels()).apply(&mut plain)?;
    let mut crossed = scored.scores().to_vec();
    crossed
        .par_chunks_mut(scored.labels())
        .enumerate()
        .for_each(|(paper, row)| {
            for (logit, label) in row.iter_mut().zip(&fits) {
                let [scale, bias] = label[best].0[usize::from(fold[paper])];
                *logit = (1.0 / (1.0 + (-(scale * f64::from(*logit) + bias)).exp())) as f32;
            }
        });
    let summary = |probabilities: &[f32]| -> Result<Summary> {
        let scored = Scored::probabilities(probabilities, scored.truth(), scored.labels())?;
        Ok(Summary::from(&reliability(&scored, BINS)))
    };
    let report = Report {
        common: center,
        shrinkage: tried[best],
        labels_common: pairs.iter().filter(|&&pair| pair == center).count(),
        before: summary(&plain)?,
        after: summary(&crossed)?,
    };
    let calibration = Calibration {
        scale: pairs.iter().map(|pair| pair[0] as f32).collect(),
        bias: pairs.iter().map(|pair| pair[1] as f32).collect(),
    };
    Ok((calibration, report))
}

#[cfg(test)]
mod tests;
