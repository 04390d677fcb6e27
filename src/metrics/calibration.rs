//! Per-label calibration of logits, shrunk toward one calibration for all labels.
//!
//! Each label's probability is `sigmoid(scale · logit + bias)`: Platt scaling (Platt 1999, fitted
//! by Newton's method as Lin, Lin and Weng 2007), of which temperature scaling (Guo et al. 2017)
//! is the case without bias. Most labels have few validation positives, so a label's pair is the
//! maximum a posteriori one under a normal prior around the pair fitted to all labels at once;
//! the prior's precision (`shrinkage`) is the one with the least cross-fitted log loss.

use super::folds::folds;
use super::reliability::{BINS, Reliability, reliability};
use super::scored::Scored;
use crate::error::{Error, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Prior precisions tried by cross-fitting, strongest last.
const SHRINKAGES: [f64; 6] = [0.3, 1.0, 3.0, 10.0, 30.0, 100.0];
const NEWTON_STEPS: usize = 50;

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

type Pair = [f64; 2];

/// Log loss with first and second derivatives in (scale, bias).
#[derive(Debug, Clone, Copy, Default)]
struct Loss {
    value: f64,
    slope: Pair,
    curve: [f64; 3],
}

impl Loss {
    fn add(&mut self, [scale, bias]: Pair, logit: f32, positive: bool) {
        let z = f64::from(logit);
        let u = scale * z + bias;
        let small = (-u.abs()).exp();
        let p = if u >= 0.0 {
            1.0 / (1.0 + small)
        } else {
            small / (1.0 + small)
        };
        let y = f64::from(u8::from(positive));
        self.value += u.max(0.0) + small.ln_1p() - y * u;
        let (gap, weight) = (p - y, p * (1.0 - p));
        self.slope[0] += gap * z;
        self.slope[1] += gap;
        self.curve[0] += weight * z * z;
        self.curve[1] += weight * z;
        self.curve[2] += weight;
    }

    fn merge(&mut self, other: Self) {
        self.value += other.value;
        for (sum, add) in self.slope.iter_mut().zip(other.slope) {
            *sum += add;
        }
        for (sum, add) in self.curve.iter_mut().zip(other.curve) {
            *sum += add;
        }
    }

    /// Adds `precision / 2 · |pair − center|²`.
    fn with_prior(mut self, pair: Pair, center: Pair, precision: f64) -> Self {
        for at in 0..2 {
            let gap = pair[at] - center[at];
            self.value += 0.5 * precision * gap * gap;
            self.slope[at] += precision * gap;
        }
        self.curve[0] += precision;
        self.curve[2] += precision;
        self
    }
}

/// Newton's method with step halving on a convex loss.
fn minimise(start: Pair, loss: impl Fn(Pair) -> Loss) -> Pair {
    let mut pair = start;
    let mut here = loss(pair);
    for _ in 0..NEWTON_STEPS {
        let [aa, ab, bb] = here.curve;
        // A trace of ridge: with all logits equal the curvature has rank one.
        let ridge = 1e-9 * (aa + bb) + 1e-12;
        let (aa, bb) = (aa + ridge, bb + ridge);
        let det = aa * bb - ab * ab;
        let [ga, gb] = here.slope;
        let step = [(bb * ga - ab * gb) / det, (aa * gb - ab * ga) / det];
        let decrease = step[0] * ga + step[1] * gb;
        if decrease.is_nan() || decrease <= 1e-10 * (1.0 + here.value.abs()) {
            break;
        }
        let mut size = 1.0;
        loop {
            let next = [pair[0] - size * step[0], pair[1] - size * step[1]];
            let there = loss(next);
            if there.value <= here.value - 1e-4 * size * decrease {
                (pair, here) = (next, there);
                break;
            }
            size *= 0.5;
            if size < 1e-6 {
                return pair;
            }
        }
    }
    pair
}

/// The pair that fits all labels of the papers `kept`.
fn common(scored: &Scored<'_>, kept: impl Fn(usize) -> bool + Sync) -> Pair {
    minimise([1.0, 0.0], |pair| {
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
    })
}

/// One label's pair on the papers `kept`; the center where it has too few positives or would
/// turn the ranking around.
fn label_pair(
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
    if fitted[0] > 0.0 { fitted } else { center }
}

fn check(options: &Options, papers: usize) -> Result<()> {
    if !(2..=100).contains(&options.folds) || options.folds > papers {
        let reason = format!("must be 2 to 100 and at most the {papers} papers");
        return Err(Error::option("folds", options.folds, reason));
    }
    if let Some(value) = options
        .shrinkage
        .filter(|value| !(value.is_finite() && *value > 0.0))
    {
        return Err(Error::option(
            "shrinkage",
            value,
            "must be a positive number",
        ));
    }
    Ok(())
}

/// Fits a calibration to validation logits.
///
/// # Errors
/// [`Error::Option`] for options that cannot be used, [`Error::Fit`] when no label has a positive.
pub fn fit(scored: &Scored<'_>, options: &Options) -> Result<(Calibration, Report)> {
    check(options, scored.papers())?;
    if scored.positives().iter().all(|&count| count == 0) {
        return Err(Error::fit(
            "calibration",
            "no validation paper has any of the labels",
        ));
    }
    let fold = folds(scored.papers(), options.folds, options.seed);
    let center = common(scored, |_| true);
    let centers: Vec<Pair> = (0..options.folds)
        .map(|out| common(scored, |paper| usize::from(fold[paper]) != out))
        .collect();
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
                let by_fold = held_out(pairs, precision);
                let mut loss = Loss::default();
                for (paper, &(logit, positive)) in pairs.iter().enumerate() {
                    loss.add(by_fold[usize::from(fold[paper])], logit, positive);
                }
                (by_fold, loss.value)
            })
            .collect()
    });
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
mod tests {
    use super::super::random::Random;
    use super::*;

    /// Truth drawn at `sigmoid(2 z − 1)`, except label 1, drawn at `sigmoid(z / 2 + 1)`.
    fn drawn(papers: usize) -> (Vec<f32>, Vec<u8>) {
        let mut random = Random::new(11, 0);
        let mut unit = || random.below(1 << 24) as f64 / f64::from(1 << 24);
        let mut logits = Vec::new();
        let mut truth = Vec::new();
        for _ in 0..papers {
            for label in 0..3 {
                let z = 6.0 * unit() - 3.0;
                let u = if label == 1 {
                    0.5 * z + 1.0
                } else {
                    2.0 * z - 1.0
                };
                logits.push(z as f32);
                truth.push(u8::from(unit() < 1.0 / (1.0 + (-u).exp())));
            }
        }
        (logits, truth)
    }

    #[test]
    fn finds_each_labels_own_pair_and_lowers_the_error() -> Result<()> {
        let (logits, truth) = drawn(20_000);
        let (fitted, report) = fit(&Scored::new(&logits, &truth, 3)?, &Options::default())?;
        for (label, (scale, bias)) in [(0, (2.0, -1.0)), (1, (0.5, 1.0)), (2, (2.0, -1.0))] {
            assert!((fitted.scale[label] - scale).abs() < 0.1, "{fitted:?}");
            assert!((fitted.bias[label] - bias).abs() < 0.1, "{fitted:?}");
        }
        assert!(
            report.after.ece_labels < 0.02 && report.before.ece_labels > 0.1,
            "{report:?}"
        );
        Ok(())
    }

    #[test]
    fn a_label_without_positives_takes_the_common_pair() -> Result<()> {
        let (logits, mut truth) = drawn(500);
        truth
            .iter_mut()
            .skip(2)
            .step_by(3)
            .for_each(|truth| *truth = 0);
        let (fitted, report) = fit(&Scored::new(&logits, &truth, 3)?, &Options::default())?;
        assert_eq!(
            (fitted.scale[2], fitted.bias[2]),
            (report.common[0] as f32, report.common[1] as f32)
        );
        assert_eq!(report.labels_common, 1);
        Ok(())
    }

    #[test]
    fn separable_and_constant_logits_stay_finite() -> Result<()> {
        for logits in [[-4.0, -4.0, 4.0, 4.0], [1.0; 4]] {
            let (fitted, _) = fit(
                &Scored::new(&logits, &[0, 0, 1, 1], 1)?,
                &Options {
                    min_support: 1,
                    folds: 2,
                    ..Options::default()
                },
            )?;
            assert!(
                fitted.scale[0].is_finite() && fitted.scale[0] > 0.0 && fitted.bias[0].is_finite()
            );
        }
        Ok(())
    }
}
