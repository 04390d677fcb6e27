//! Options of the stage `train`.

use crate::error::{Error, Result};
use crate::metrics::{calibration, thresholds};
use crate::train::{logistic, mlp};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The kind of head to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Multi-label logistic regression on the embedding.
    Logistic,
    /// Hidden layers on the embedding.
    Mlp,
    /// Hidden layers on the embedding beside the n-grams' vectors.
    Hybrid,
}

/// Options of the stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The kind of head.
    pub head: Kind,
    /// Tokens after which the embedded texts must have been cut; any where `None`.
    pub max_length: Option<usize>,
    /// Precision in which the texts must have been embedded; any where `None`.
    pub dtype: Option<String>,
    /// A label with fewer papers to fit the head to, in a refit where there is one, is left out.
    pub min_papers: usize,
    /// Share of the split `train` that is held out for calibration and thresholds, chosen by a
    /// hash of id and seed. Near-duplicates, which the split keeps together, may be parted here.
    pub holdout: f64,
    /// Fit the head again to all papers in the end, and keep calibration and thresholds.
    pub refit: bool,
    /// Options of [`logistic::fit`].
    pub logistic: logistic::Options,
    /// Options of [`mlp::fit`]; its seed is this stage's.
    pub mlp: mlp::Options,
    /// Whether logits are calibrated; else probabilities are their plain sigmoids.
    pub calibrate: bool,
    /// Options of [`calibration::fit`].
    pub calibration: calibration::Options,
    /// Options of [`thresholds::fit`].
    pub thresholds: thresholds::Options,
    /// Where whoever loads the model finds the encoder: a name, not a place.
    pub encoder: Encoder,
    /// Seed of the head and of what is held out; the folds of calibration and thresholds have
    /// their own.
    pub seed: u64,
}

/// The encoder as `classifier.json` names it; its hash comes from the embeddings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Encoder {
    /// The name that finds it.
    pub source: String,
    /// What it is called.
    pub name: String,
    /// Where it is, to lie in the model directory itself; else it is found by `source`.
    pub directory: Option<PathBuf>,
}

impl Default for Encoder {
    fn default() -> Self {
        Self {
            source: "minilm".to_owned(),
            name: "sentence-transformers/all-MiniLM-L6-v2".to_owned(),
            directory: None,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            head: Kind::Hybrid,
            max_length: None,
            dtype: None,
            min_papers: 1,
            holdout: 0.0,
            refit: false,
            logistic: logistic::Options::default(),
            mlp: mlp::Options::default(),
            calibrate: true,
            calibration: calibration::Options::default(),
            thresholds: thresholds::Options::default(),
            encoder: Encoder::default(),
            seed: 0,
        }
    }
}

/// # Errors
/// [`Error::Option`] naming the value that cannot be used.
pub fn check(options: &Options) -> Result<()> {
    if !(0.0..1.0).contains(&options.holdout) {
        return Err(Error::option("holdout", options.holdout, "must be in 0..1"));
    }
    let within = |group: &'static str| move |error: Error| error.in_group(group);
    match options.head {
        Kind::Logistic => options.logistic.check().map_err(within("logistic"))?,
        Kind::Mlp | Kind::Hybrid => options.mlp.check().map_err(within("mlp"))?,
    }
    options.calibration.check().map_err(within("calibration"))?;
    options.thresholds.check().map_err(within("thresholds"))
}
