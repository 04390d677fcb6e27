//! Multi-label logistic regression: every label's own optimum, all labels at once.
//!
//! Each label minimises scikit-learn's objective, `½‖w‖² + C · Σ log loss`, intercept without
//! penalty. The labels are independent problems over the same papers, so one pass over the
//! embeddings, two matrix products wide, serves all of them (`pass`); each label then takes
//! its own quasi-Newton step of its own length and leaves once it has converged (`descent`).
//!
//! Embeddings are very anisotropic. In their principal components the Hessian starts out
//! diagonal: a preconditioner that costs nothing and makes the first step Newton's.

mod descent;
mod pass;
mod problem;

use self::descent::Descent;
use self::pass::Passes;
use self::problem::Problem;
use super::mlp::Examples;
use crate::error::{Error, Result};
use crate::model::device::multiplies_bf16;
use crate::model::head::Linear;
use crate::observe::{Observer, Progress};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::time::Instant;
use tch::Tensor;

/// How a logistic regression is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// scikit-learn's `C`: weight of the papers against the penalty.
    pub c: f64,
    /// A label has converged when its gradient, in the norm of the preconditioner, promises an
    /// objective lower by less than this share of it.
    pub tolerance: f64,
    /// Passes over all papers after which it stops anyway.
    pub max_passes: usize,
    /// Steps that a label's quasi-Newton direction remembers.
    pub memory: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            c: 1.0,
            tolerance: 5e-8,
            max_passes: 300,
            memory: 12,
        }
    }
}

impl Options {
    /// Checks every value.
    ///
    /// # Errors
    /// [`Error::Option`] naming the first that cannot be used.
    pub fn check(&self) -> Result<()> {
        if !(self.c > 0.0 && self.c.is_finite()) {
            return Err(Error::option("c", self.c, "must be above 0 and finite"));
        }
        if !(self.tolerance > 0.0 && self.tolerance < 1.0) {
            return Err(Error::option(
                "tolerance",
                self.tolerance,
                "must be between 0 and 1",
            ));
        }
        for (name, value) in [("max_passes", self.max_passes), ("memory", self.memory)] {
            if value == 0 {
                return Err(Error::option(name, value, "must be at least 1"));
            }
        }
        Ok(())
    }
}

/// What a fit reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The objective, summed over the labels that were fitted; bf16 leaves it 1e-4 uncertain.
    pub objective: f64,
    /// Each label's objective; 0 for a constant label.
    pub objectives: Vec<f64>,
    /// The objective after each pass.
    pub losses: Vec<f64>,
    /// Passes over the papers, until the last label was done.
    pub passes: usize,
    /// Passes of the average label.
    pub mean_passes: f64,
    /// Labels that no paper or every paper has: weights 0 and the bias `±ln(2n + 1)` of half a
    /// paper to the contrary.
    pub constant: Vec<usize>,
    /// Labels that stopped short of the tolerance.
    pub unconverged: Vec<usize>,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// Fits one logistic regression per label. Where the processor multiplies bf16, most passes do so
/// and keep a logit per paper and label, 4 bytes each, and the embeddings in bf16. Deterministic: the same inputs, options and number of
/// threads give the same weights to the bit.
///
/// # Errors
/// [`Error::Option`], [`Error::Shape`], [`Error::Input`] at an embedding that is not finite,
/// [`Error::Fit`] without papers or labels, [`Error::Torch`], [`Error::Interrupted`].
pub fn fit(
    examples: Examples<'_>,
    options: &Options,
    observer: &dyn Observer,
) -> Result<(Linear, Report)> {
    fit_with(examples, options, multiplies_bf16(), observer)
}

/// [`fit`], with rounded passes or without.
fn fit_with(
    examples: Examples<'_>,
    options: &Options,
    rounded: bool,
    observer: &dyn Observer,
) -> Result<(Linear, Report)> {
    let started = Instant::now();
    options.check()?;
    examples.check("logistic regression")?;
    let papers = examples.labels.len();
    let mut positives = vec![0_usize; examples.width];
    for &label in examples.labels.iter().flatten() {
        positives[label as usize] += 1;
    }
    let (fitted, constant): (Vec<usize>, Vec<usize>) =
        (0..examples.width).partition(|&label| 0 < positives[label] && positives[label] < papers);
    let _guard = tch::no_grad_guard();
    let problem = Problem::new(examples, &fitted, options.c, observer)?;
    let shares: Vec<f64> = fitted
        .iter()
        .map(|&label| positives[label] as f64 / papers as f64)
        .collect();
    let mut labels: Vec<Descent> = shares
        .iter()
        .enumerate()
        .map(|(at, &share)| {
            let (origin, diagonal) = (problem.origin(share), problem.diagonal(share));
            Descent::new(origin, diagonal, problem.target(at), rounded, options)
        })
        .collect();
    let mut pass = Passes::new(&problem, &shares, rounded)?;

    let mut report = Report {
        objective: 0.0,
        objectives: vec![0.0; examples.width],
        losses: Vec::new(),
        passes: 0,
        mean_passes: 0.0,
        constant,
        unconverged: Vec::new(),
        seconds: 0.0,
    };
    let (losses, work) = descend(&mut pass, &mut labels, options, observer)?;
    report.passes = losses.len();
    report.losses = losses;
    report.mean_passes = work as f64 / fitted.len().max(1) as f64;

    let hidden = examples.embeddings.ncols();
    let mut weight = vec![0.0_f32; examples.width * hidden];
    let mut bias = vec![0.0_f32; examples.width];
    for (&label, descent) in fitted.iter().zip(&labels) {
        let (at_label, at_bias) = problem.in_embeddings(descent.point())?;
        weight[label * hidden..][..hidden].copy_from_slice(&at_label);
        bias[label] = at_bias;
        report.objectives[label] = descent.value();
        if !descent.converged() {
            report.unconverged.push(label);
        }
    }
    for &label in &report.constant {
        let odds = (2.0 * papers as f64 + 1.0).ln() as f32;
        bias[label] = if positives[label] == 0 { -odds } else { odds };
    }
    if !report.unconverged.is_empty() {
        log::warn!(
            "logistic regression: {} of {} labels stopped short of tolerance {}",
            report.unconverged.len(),
            fitted.len(),
            options.tolerance
        );
    }
    report.objective = report.objectives.iter().sum();
    report.seconds = started.elapsed().as_secs_f64();
    let linear = Linear {
        weight: Tensor::f_from_slice(&weight)?.f_reshape([examples.width as i64, hidden as i64])?,
        bias: Tensor::f_from_slice(&bias)?,
    };
    Ok((linear, report))
}

/// Descends until every label has converged or cannot go on. Returns the objective after each
/// pass, and passes summed over labels.
fn descend(
    pass: &mut Passes<'_>,
    labels: &mut [Descent],
    options: &Options,
    observer: &dyn Observer,
) -> Result<(Vec<f64>, usize)> {
    let (mut losses, mut work) = (Vec::new(), 0);
    while losses.len() < options.max_passes {
        let (exact, rounded): (Vec<_>, Vec<_>) = labels
            .iter_mut()
            .enumerate()
            .filter(|(_, label)| label.going())
            .partition(|(_, label)| label.wants_exact());
        if exact.is_empty() && rounded.is_empty() {
            break;
        }
        for (mut active, exact) in [(rounded, false), (exact, true)] {
            if active.is_empty() {
                continue;
            }
            work += active.len();
            let rows: Vec<i64> = active.iter().map(|&(at, _)| at as i64).collect();
            let points: Vec<&[f64]> = active.iter().map(|(_, label)| label.trial()).collect();
            let found = if exact {
                pass.exact(&rows, &points, observer)?
            } else {
                pass.changed(&rows, &points, observer)?
            };
            active
                .par_iter_mut()
                .zip(found)
                .for_each(|((_, label), found)| label.step(found, exact));
        }
        let objective = labels.iter().map(Descent::value).sum();
        losses.push(objective);
        observer.progress(&Progress {
            stage: "fit",
            done: labels.iter().filter(|label| !label.going()).count() as u64,
            total: labels.len() as u64,
            unit: "labels",
            figures: vec![("objective", objective), ("pass", losses.len() as f64)],
        });
    }
    Ok((losses, work))
}

#[cfg(test)]
mod tests;
