//! What the layers are made of: weights, those that move among them, and dropout.

use crate::error::Result;
use crate::model::architecture::Architecture;
use crate::model::config::Config;
use crate::model::weights::Weights;
use std::cell::RefCell;
use tch::{Device, Kind, Tensor};

/// A weight by its name in a BERT checkpoint.
pub type Named = (String, Tensor);

/// A weight source with the precision and device weights are wanted in.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) weights: &'a Weights,
    pub(super) kind: Kind,
    pub(super) device: Device,
    /// Where weights are noted that will move: copies, whose gradients are wanted.
    pub(super) moving: Option<&'a RefCell<Vec<Named>>>,
}

impl Source<'_> {
    pub(super) fn get(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        // SAFETY: `Bert` holds the weights as long as its layers, and no layer writes to them:
        // what moves is a copy.
        let stored = unsafe { self.weights.get(name, shape, self.kind, self.device) }?;
        let Some(moving) = self.moving else {
            return Ok(stored);
        };
        let copy = stored.f_detach_copy()?.f_set_requires_grad(true)?;
        moving
            .borrow_mut()
            .push((name.to_owned(), copy.shallow_clone()));
        Ok(copy)
    }
}

/// Shares of activations that are dropped.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dropout {
    pub(super) hidden: f64,
    /// Of what attention gives; DistilBERT drops nothing there.
    pub(super) context: f64,
    pub(super) attention: f64,
}

impl Dropout {
    pub(super) const NONE: Self = Self {
        hidden: 0.0,
        context: 0.0,
        attention: 0.0,
    };

    pub(super) fn of(config: &Config) -> Self {
        Self {
            hidden: config.hidden_dropout_prob,
            context: match config.model_type {
                Architecture::Bert => config.hidden_dropout_prob,
                Architecture::DistilBert => 0.0,
            },
            attention: config.attention_probs_dropout_prob,
        }
    }
}

pub(super) fn dropped(x: Tensor, share: f64) -> Result<Tensor> {
    if share == 0.0 {
        return Ok(x);
    }
    Ok(x.f_dropout(share, true)?)
}

pub(super) struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    pub(super) fn load(source: Source<'_>, name: &str, input: i64, output: i64) -> Result<Self> {
        Ok(Self {
            weight: source.get(&format!("{name}.weight"), &[output, input])?,
            bias: source.get(&format!("{name}.bias"), &[output])?,
        })
    }

    /// Several linear maps of one input as one, outputs side by side.
    pub(super) fn fuse(parts: &[Self]) -> Result<Self> {
        let weights: Vec<&Tensor> = parts.iter().map(|part| &part.weight).collect();
        let biases: Vec<&Tensor> = parts.iter().map(|part| &part.bias).collect();
        Ok(Self {
            weight: Tensor::f_cat(&weights, 0)?,
            bias: Tensor::f_cat(&biases, 0)?,
        })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.f_linear(&self.weight, Some(&self.bias))?)
    }
}

pub(super) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    size: i64,
    eps: f64,
}

impl LayerNorm {
    pub(super) fn load(source: Source<'_>, name: &str, config: &Config) -> Result<Self> {
        let size = config.hidden_size;
        Ok(Self {
            weight: source.get(&format!("{name}.weight"), &[size])?,
            bias: source.get(&format!("{name}.bias"), &[size])?,
            size,
            eps: config.layer_norm_eps,
        })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.f_layer_norm(
            [self.size],
            Some(&self.weight),
            Some(&self.bias),
            self.eps,
            true,
        )?)
    }
}
