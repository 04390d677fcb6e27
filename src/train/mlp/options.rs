//! Options of a fit of hidden layers.

use crate::error::{Error, Result};
use crate::tokens::ngrams::Selection;
use serde::{Deserialize, Serialize};

/// How a head with hidden layers is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Width of a hidden layer.
    pub width: usize,
    /// Hidden layers side by side, whose logits are averaged.
    pub members: usize,
    /// Values of an n-gram's vector per member; used by a hybrid head only.
    pub dimensions: usize,
    /// Times every paper is seen.
    pub epochs: usize,
    /// Papers of a step.
    pub batch: usize,
    /// Highest step of the layers.
    pub learning_rate: f64,
    /// Highest step of the n-grams' vectors.
    pub vectors_learning_rate: f64,
    /// Decoupled decay of the layers' weights and biases.
    pub weight_decay: f64,
    /// Share of the hidden layer dropped.
    pub dropout: f64,
    /// Share of the embedding's values dropped.
    pub embedding_dropout: f64,
    /// Share of a paper's n-grams dropped.
    pub word_dropout: f64,
    /// Share of every label moved to the label's frequency.
    pub smoothing: f64,
    /// Share of the steps in which the step size rises.
    pub warmup: f64,
    /// Which n-grams a hybrid head knows.
    pub words: Selection,
    /// Seed of the start, the order and the dropout; the stage `train` puts its own here.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 1024,
            members: 1,
            dimensions: 128,
            epochs: 5,
            batch: 256,
            learning_rate: 2e-3,
            vectors_learning_rate: 2e-3,
            weight_decay: 0.01,
            dropout: 0.3,
            embedding_dropout: 0.1,
            word_dropout: 0.3,
            smoothing: 0.0,
            warmup: 0.05,
            words: Selection::default(),
            seed: 0,
        }
    }
}

impl Options {
    /// # Errors
    /// [`Error::Option`] naming the value that cannot be used.
    pub fn check(&self) -> Result<()> {
        for (name, value) in [
            ("width", self.width),
            ("members", self.members),
            ("dimensions", self.dimensions),
            ("epochs", self.epochs),
            ("batch", self.batch),
        ] {
            if value == 0 {
                return Err(Error::option(name, value, "must be at least 1"));
            }
        }
        for (name, value) in [
            ("learning_rate", self.learning_rate),
            ("vectors_learning_rate", self.vectors_learning_rate),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(Error::option(name, value, "must be above 0"));
            }
        }
        for (name, value) in [
            ("dropout", self.dropout),
            ("embedding_dropout", self.embedding_dropout),
            ("word_dropout", self.word_dropout),
            ("smoothing", self.smoothing),
            ("warmup", self.warmup),
            ("weight_decay", self.weight_decay),
        ] {
            if !(0.0..1.0).contains(&value) {
                return Err(Error::option(name, value, "must be in 0..1"));
            }
        }
        self.words.check().map_err(|error| error.in_group("words"))
    }
}
