//! Options of a fine-tuning.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which weights are kept in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// Those after the epoch with the lowest loss on the papers held back.
    Best,
    /// Those after the last epoch.
    Last,
}

/// How an encoder is tuned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Times every paper is seen.
    pub epochs: usize,
    /// Tokens of a step at most, padding included.
    pub batch_tokens: usize,
    /// Highest step of the encoder's weights.
    pub learning_rate: f64,
    /// Highest step of the layer above it.
    pub head_learning_rate: f64,
    /// Decoupled decay of all weights but biases and LayerNorm's.
    pub weight_decay: f64,
    /// Share of the steps in which the step size rises.
    pub warmup: f64,
    /// Euclidean length of all gradients together beyond which they are shortened.
    pub clip: f64,
    /// Which weights are kept.
    pub keep: Keep,
    /// Tokens after which a text is cut; the model's own limit where `None`.
    pub max_length: Option<usize>,
    /// `cpu`, `cuda`, `cuda:N` or `auto`.
    pub device: String,
    /// A label with fewer papers to fit to is left out.
    pub min_papers: usize,
    /// Share of the split `train` that is held back, as the stage `train` does.
    pub holdout: f64,
    /// Folder of the checkpoint that a stopped run goes on from; none where `None`.
    pub checkpoint_dir: Option<PathBuf>,
    /// Seconds between two checkpoints: what a kill can lose is time, whatever a step takes.
    pub checkpoint_seconds: u64,
    /// Seed of the order, of dropout and of what is held back.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            epochs: 3,
            batch_tokens: 8192,
            learning_rate: 2e-5,
            head_learning_rate: 1e-3,
            weight_decay: 0.01,
            warmup: 0.1,
            clip: 1.0,
            keep: Keep::Best,
            max_length: None,
            device: "auto".to_owned(),
            min_papers: 1,
            holdout: 0.0,
            checkpoint_dir: None,
            checkpoint_seconds: 300,
            seed: 0,
        }
    }
}

impl Options {
    /// # Errors
    /// [`Error::Option`] naming the value that cannot be used.
    pub fn check(&self) -> Result<()> {
        for (name, value) in [("epochs", self.epochs), ("batch_tokens", self.batch_tokens)] {
            if value == 0 {
                return Err(Error::option(name, value, "must be at least 1"));
            }
        }
        for (name, value) in [
            ("learning_rate", self.learning_rate),
            ("head_learning_rate", self.head_learning_rate),
            ("clip", self.clip),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(Error::option(name, value, "must be above 0"));
            }
        }
        for (name, value) in [
            ("weight_decay", self.weight_decay),
            ("warmup", self.warmup),
            ("holdout", self.holdout),
        ] {
            if !(0.0..1.0).contains(&value) {
                return Err(Error::option(name, value, "must be in 0..1"));
            }
        }
        Ok(())
    }
}
