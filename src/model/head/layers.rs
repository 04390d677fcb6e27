//! Dense layers: the linear head and the hidden layer of the others.

use super::store::{Reader, Writer};
use crate::error::{Error, Result};
use tch::{Kind, Tensor};

/// One weight per label and dimension.
#[derive(Debug)]
pub struct Linear {
    /// [labels, hidden].
    pub weight: Tensor,
    /// [labels].
    pub bias: Tensor,
}

impl Linear {
    pub(super) fn load(file: &Reader, labels: usize) -> Result<Self> {
        let hidden = columns(file, "weight")?;
        Ok(Self {
            weight: file.floats("weight", &[labels, hidden])?,
            bias: file.floats("bias", &[labels])?,
        })
    }

    pub(super) fn save(&self, file: &mut Writer) -> Result<()> {
        file.floats("weight", &self.weight, Kind::Float)?;
        file.floats("bias", &self.bias, Kind::Float)
    }

    pub(super) fn hidden(&self) -> usize {
        self.weight.size().get(1).map_or(0, |&size| size as usize)
    }

    pub(super) fn forward(&self, embeddings: &Tensor) -> Result<Tensor> {
        Ok(embeddings.f_linear(&self.weight, Some(&self.bias))?)
    }
}

/// A hidden layer with GELU (erf) and the layer from it to the labels.
#[derive(Debug)]
pub struct Layers {
    /// [width, inputs].
    pub hidden_weight: Tensor,
    /// [width].
    pub hidden_bias: Tensor,
    /// [labels, width].
    pub output_weight: Tensor,
    /// [labels].
    pub output_bias: Tensor,
}

impl Layers {
    /// Logits [n, labels] of `inputs` [n, inputs].
    ///
    /// # Errors
    /// [`Error::Torch`].
    pub fn forward(&self, inputs: &Tensor) -> Result<Tensor> {
        let hidden = inputs
            .f_linear(&self.hidden_weight, Some(&self.hidden_bias))?
            .f_gelu("none")?;
        Ok(hidden.f_linear(&self.output_weight, Some(&self.output_bias))?)
    }
}

/// One or more hidden layers side by side; their logits are averaged.
#[derive(Debug)]
pub struct Mlp {
    /// All of the same shape; at least one.
    pub members: Vec<Layers>,
}

impl Mlp {
    pub(super) fn load(file: &Reader, width: usize, members: usize, labels: usize) -> Result<Self> {
        if members == 0 || width == 0 {
            return Err(file.error("head: width and members must be at least 1"));
        }
        let inputs = columns(file, "members.0.hidden.weight")?;
        let load = |member: usize| -> Result<Layers> {
            let name = |part: &str| format!("members.{member}.{part}");
            Ok(Layers {
                hidden_weight: file.floats(&name("hidden.weight"), &[width, inputs])?,
                hidden_bias: file.floats(&name("hidden.bias"), &[width])?,
                output_weight: file.floats(&name("output.weight"), &[labels, width])?,
                output_bias: file.floats(&name("output.bias"), &[labels])?,
            })
        };
        Ok(Self {
            members: (0..members).map(load).collect::<Result<_>>()?,
        })
    }

    pub(super) fn save(&self, file: &mut Writer) -> Result<()> {
        for (member, layers) in self.members.iter().enumerate() {
            let mut add = |part: &str, tensor: &Tensor, kind: Kind| {
                file.floats(format!("members.{member}.{part}"), tensor, kind)
            };
            add("hidden.weight", &layers.hidden_weight, Kind::Half)?;
            add("hidden.bias", &layers.hidden_bias, Kind::Float)?;
            add("output.weight", &layers.output_weight, Kind::Half)?;
            add("output.bias", &layers.output_bias, Kind::Float)?;
        }
        Ok(())
    }

    fn size(&self, axis: usize) -> usize {
        let size = self
            .members
            .first()
            .map(|layers| layers.hidden_weight.size());
        size.and_then(|size| size.get(axis).copied())
            .map_or(0, |size| size as usize)
    }

    pub(super) fn width(&self) -> usize {
        self.size(0)
    }

    pub(super) fn inputs(&self) -> usize {
        self.size(1)
    }

    pub(super) fn forward(&self, inputs: &Tensor) -> Result<Tensor> {
        mean(self.members.iter().map(|layers| layers.forward(inputs)))
    }
}

/// The mean of the members' logits.
pub(super) fn mean(logits: impl ExactSizeIterator<Item = Result<Tensor>>) -> Result<Tensor> {
    let count = logits.len() as f64;
    let mut sum: Option<Tensor> = None;
    for logits in logits {
        let logits = logits?;
        sum = Some(match sum {
            Some(sum) => sum.f_add(&logits)?,
            None => logits,
        });
    }
    match sum {
        Some(sum) => Ok(sum.f_div_scalar(count)?),
        None => Err(Error::shape("members", "at least 1", 0)),
    }
}

fn columns(file: &Reader, name: &str) -> Result<usize> {
    match file.shape(name)?.as_slice() {
        [_, columns] if *columns > 0 => Ok(*columns),
        other => Err(file.error(format_args!(
            "weight {name}: expected two dimensions, got {other:?}"
        ))),
    }
}
