//! What the stage `train` reports.

use super::Options;
use crate::metrics::{calibration, thresholds};
use crate::train::{logistic, mlp};
use serde::Serialize;
use std::collections::BTreeMap;

/// What the stage reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Options as used, defaults filled in.
    pub options: Options,
    /// Papers of the fit, of calibration and thresholds, and of the refit.
    pub papers: Counts,
    /// Papers that the stored head was fitted to, by label.
    pub labels: BTreeMap<String, usize>,
    /// Categories left out with their papers: too few of them.
    pub left_out: BTreeMap<String, usize>,
    /// How the head was fitted, the first time.
    pub fit: FitReport,
    /// How the stored head was fitted, where that was once more.
    pub refit: Option<FitReport>,
    /// How logits were calibrated.
    pub calibration: Option<calibration::Report>,
    /// How thresholds were fitted.
    pub thresholds: thresholds::Report,
    /// Size of the model directory in bytes.
    pub bytes: u64,
}

/// How the head was fitted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FitReport {
    /// By [`logistic::fit`].
    Logistic(Box<logistic::Report>),
    /// By [`mlp::fit`].
    Mlp(mlp::Report),
}

/// Papers by what they were used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The head.
    pub fit: usize,
    /// Calibration and thresholds.
    pub validation: usize,
    /// The head's second fit, where there is one.
    pub refit: Option<usize>,
}
