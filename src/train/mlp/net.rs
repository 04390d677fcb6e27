//! The layers while they are learned, and one step of that.

use super::super::random::Random;
use super::{Examples, Options, prior};
use crate::error::{Error, Result};
use crate::model::head::{Layers, Mlp};
use tch::nn::{self, OptimizerConfig};
use tch::{Device, Reduction, Tensor};

/// The layers while they are learned. Embeddings of unit length have values of size
/// `1 / √hidden`; they are brought to size 1 on the way in, and the weights take the factor over
/// in the end.
pub(super) struct Net {
    pub(super) optimizer: nn::Optimizer,
    members: Vec<Layers>,
    hidden: usize,
    pieces: usize,
    // Owns the parameters that `members` share.
    _store: nn::VarStore,
}

impl Net {
    pub(super) fn new(
        examples: Examples<'_>,
        pieces: usize,
        options: &Options,
        random: &mut Random,
    ) -> Result<Self> {
        let store = nn::VarStore::new(Device::Cpu);
        let hidden = examples.embeddings.ncols();
        let inputs = hidden + pieces;
        let start = prior(examples)
            .iter()
            .map(|share| (share.max(1e-5) / (1.0 - share.min(0.99))).ln())
            .collect::<Vec<f32>>();
        let mut members = Vec::with_capacity(options.members);
        for member in 0..options.members {
            let root = store.root();
            let add = |name: &str, values: &[f32], size: &[i64]| -> Result<Tensor> {
                let values = Tensor::f_from_slice(values)?.f_view(size)?;
                Ok(root.f_var_copy(&format!("{name}_{member}"), &values)?)
            };
            let width = options.width;
            let spread = |random: &mut Random, count: usize, from: usize| {
                random.normal(count, (1.0 / (3.0 * from as f32)).sqrt())
            };
            members.push(Layers {
                hidden_weight: add(
                    "hidden_weight",
                    &spread(random, width * inputs, inputs),
                    &[width as i64, inputs as i64],
                )?,
                hidden_bias: add("hidden_bias", &vec![0.0; width], &[width as i64])?,
                output_weight: add(
                    "output_weight",
                    &spread(random, examples.width * width, width),
                    &[examples.width as i64, width as i64],
                )?,
                output_bias: add("output_bias", &start, &[examples.width as i64])?,
            });
        }
        let optimizer = nn::AdamW {
            beta2: 0.99,
            wd: options.weight_decay,
            ..nn::AdamW::default()
        }
        .build(&store, options.learning_rate)?;
        Ok(Self {
            optimizer,
            members,
            hidden,
            pieces,
            _store: store,
        })
    }

    fn scale(&self) -> f64 {
        (self.hidden as f64).sqrt()
    }

    /// One step; returns the loss per paper and member, and its gradient at `sums`.
    pub(super) fn step(
        &mut self,
        examples: Examples<'_>,
        batch: &[usize],
        sums: Option<Vec<f32>>,
        targets: &[f32],
        options: &Options,
        random: &mut Random,
    ) -> Result<(f64, Option<Vec<f32>>)> {
        let count = batch.len() as i64;
        let scale = self.scale() as f32;
        let mut values = Vec::with_capacity(batch.len() * self.hidden);
        for &paper in batch {
            values.extend(
                examples
                    .embeddings
                    .row(paper)
                    .iter()
                    .map(|value| value * scale),
            );
        }
        let embeddings = Tensor::f_from_slice(&values)?.f_view([count, self.hidden as i64])?;
        let targets = Tensor::f_from_slice(targets)?.f_view([count, -1])?;
        let sums = match sums {
            Some(sums) => {
                let sums = Tensor::f_from_slice(&sums)?
                    .f_view([count, (self.pieces * self.members.len()) as i64])?;
                Some(sums.f_set_requires_grad(true)?)
            }
            None => None,
        };
        let mut mask = |size: i64, rate: f64| -> Result<Tensor> {
            let mask = random.mask((count * size) as usize, rate);
            Ok(Tensor::f_from_slice(&mask)?.f_view([count, size])?)
        };
        let mut total: Option<Tensor> = None;
        for (member, layers) in self.members.iter().enumerate() {
            let mut inputs =
                embeddings.f_mul(&mask(self.hidden as i64, options.embedding_dropout)?)?;
            if let Some(sums) = &sums {
                let piece = sums.f_narrow(1, (member * self.pieces) as i64, self.pieces as i64)?;
                inputs = Tensor::f_cat(&[inputs, piece], 1)?;
            }
            let hidden = inputs
                .f_linear(&layers.hidden_weight, Some(&layers.hidden_bias))?
                .f_gelu("none")?
                .f_mul(&mask(options.width as i64, options.dropout)?)?;
            let loss = hidden
                .f_linear(&layers.output_weight, Some(&layers.output_bias))?
                .f_binary_cross_entropy_with_logits::<Tensor>(&targets, None, None, Reduction::Sum)?
                .f_div_scalar(count as f64)?;
            total = Some(match total {
                Some(total) => total.f_add(&loss)?,
                None => loss,
            });
        }
        let Some(total) = total else {
            return Err(Error::option("members", 0, "must be at least 1"));
        };
        self.optimizer.zero_grad();
        total.f_backward()?;
        self.optimizer.step();
        let slopes = match &sums {
            Some(sums) => Some(Vec::<f32>::try_from(
                sums.grad().f_contiguous()?.f_view([-1])?,
            )?),
            None => None,
        };
        Ok((
            total.f_double_value(&[])? / self.members.len() as f64,
            slopes,
        ))
    }

    /// The layers as a head holds them.
    pub(super) fn finish(self) -> Result<Mlp> {
        let _guard = tch::no_grad_guard();
        let scale = self.scale();
        let mut members = Vec::with_capacity(self.members.len());
        for layers in self.members {
            let mut embedding = layers.hidden_weight.f_narrow(1, 0, self.hidden as i64)?;
            let _ = embedding.f_mul_scalar_(scale)?;
            members.push(Layers {
                hidden_weight: layers.hidden_weight.f_detach()?,
                hidden_bias: layers.hidden_bias.f_detach()?,
                output_weight: layers.output_weight.f_detach()?,
                output_bias: layers.output_bias.f_detach()?,
            });
        }
        Ok(Mlp { members })
    }
}
