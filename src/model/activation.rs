//! Activation functions by their Hugging Face names.

use crate::error::{Error, Result};
use std::path::Path;
use tch::Tensor;

/// An activation of transformers' `ACT2FN`
/// (<https://github.com/huggingface/transformers/blob/main/src/transformers/activations.py>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `gelu`: x·Φ(x), with the exact error function.
    Gelu,
    /// `gelu_new`, `gelu_pytorch_tanh`, `gelu_fast`: the tanh approximation.
    GeluTanh,
    /// `quick_gelu`: x·σ(1.702 x).
    QuickGelu,
    /// `relu`.
    Relu,
    /// `silu`, `swish`: x·σ(x).
    Silu,
    /// `mish`: x·tanh(softplus(x)).
    Mish,
    /// `tanh`.
    Tanh,
    /// `sigmoid`.
    Sigmoid,
}

impl Activation {
    /// The activation called `name` under `key` in the configuration at `path`.
    ///
    /// # Errors
    /// [`Error::Model`] with key and name where it is not known: a near one would give wrong numbers.
    pub fn parse(name: &str, key: &str, path: &Path) -> Result<Self> {
        Ok(match name {
            "gelu" | "gelu_python" => Self::Gelu,
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Self::GeluTanh,
            "quick_gelu" => Self::QuickGelu,
            "relu" => Self::Relu,
            "silu" | "swish" => Self::Silu,
            "mish" => Self::Mish,
            "tanh" => Self::Tanh,
            "sigmoid" => Self::Sigmoid,
            _ => {
                return Err(Error::model(
                    path,
                    format!("{key}: unknown activation {name:?}"),
                ));
            }
        })
    }

    /// Applies the activation to every element.
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn forward(self, x: &Tensor) -> Result<Tensor> {
        Ok(match self {
            Self::Gelu => x.f_gelu("none")?,
            Self::GeluTanh => x.f_gelu("tanh")?,
            Self::QuickGelu => x.f_mul(&x.f_mul_scalar(1.702)?.f_sigmoid()?)?,
            Self::Relu => x.f_relu()?,
            Self::Silu => x.f_silu()?,
            Self::Mish => x.f_mish()?,
            Self::Tanh => x.f_tanh()?,
            Self::Sigmoid => x.f_sigmoid()?,
        })
    }
}
