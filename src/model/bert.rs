//! BERT (<https://arxiv.org/abs/1810.04805>), for inference. Weights have BERT's names; what a
//! checkpoint of another architecture calls them, [`Weights`] knows.
//!
//! Behaviour taken from
//! <https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/modeling_bert.py>.
//! Token vectors of a whole batch lie end to end, `[tokens, hidden]`: only attention knows where
//! a text begins, so no layer computes padding.

use crate::error::Result;
use crate::model::activation::Activation;
use crate::model::config::Config;
use crate::model::weights::Weights;
use std::path::Path;
use tch::{Device, Kind, Tensor};

/// Where the texts of a batch begin and end.
pub struct Spans {
    /// Consecutive texts of equal length, as `(texts, length)`.
    pub runs: Vec<(i64, i64)>,
    /// Where rows are padded (one run): `[texts, length]`, true for a token, false for padding.
    pub mask: Option<Tensor>,
}

/// A weight source with the precision and device weights are wanted in.
#[derive(Clone, Copy)]
struct Source<'a> {
    weights: &'a Weights,
    kind: Kind,
    device: Device,
}

impl Source<'_> {
    fn get(&self, name: &str, shape: &[i64]) -> Result<Tensor> {
        // SAFETY: `Bert` holds the weights as long as its layers, and no layer writes to them.
        unsafe { self.weights.get(name, shape, self.kind, self.device) }
    }
}

struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    fn load(source: Source<'_>, name: &str, input: i64, output: i64) -> Result<Self> {
        Ok(Self {
            weight: source.get(&format!("{name}.weight"), &[output, input])?,
            bias: source.get(&format!("{name}.bias"), &[output])?,
        })
    }

    /// Several linear maps of one input as one, outputs side by side.
    fn fuse(parts: &[Self]) -> Result<Self> {
        let weights: Vec<&Tensor> = parts.iter().map(|part| &part.weight).collect();
        let biases: Vec<&Tensor> = parts.iter().map(|part| &part.bias).collect();
        Ok(Self {
            weight: Tensor::f_cat(&weights, 0)?,
            bias: Tensor::f_cat(&biases, 0)?,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.f_linear(&self.weight, Some(&self.bias))?)
    }
}

struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    size: i64,
    eps: f64,
}

impl LayerNorm {
    fn load(source: Source<'_>, name: &str, config: &Config) -> Result<Self> {
        let size = config.hidden_size;
        Ok(Self {
            weight: source.get(&format!("{name}.weight"), &[size])?,
            bias: source.get(&format!("{name}.bias"), &[size])?,
            size,
            eps: config.layer_norm_eps,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.f_layer_norm(
            [self.size],
            Some(&self.weight),
            Some(&self.bias),
            self.eps,
            true,
        )?)
    }
}

#[allow(non_snake_case)]
struct Embeddings {
    word_embeddings: Tensor,
    position_embeddings: Tensor,
    LayerNorm: LayerNorm,
    kind: Kind,
}

impl Embeddings {
    fn load(source: Source<'_>, config: &Config) -> Result<Self> {
        let hidden = config.hidden_size;
        // Rows are gathered from f32 whatever the layers compute in: the vocabulary is half of
        // the file, and converting it would read all of it.
        let kind = source.kind;
        let source = Source {
            kind: Kind::Float,
            ..source
        };
        let positions = source.get(
            "embeddings.position_embeddings.weight",
            &[config.max_position_embeddings, hidden],
        )?;
        let types = [config.type_vocab_size, hidden];
        let position_embeddings = match config.type_vocab_size {
            0 => positions,
            // One text has one segment, so its type vector is part of the position's.
            _ => positions.f_add(
                &source
                    .get("embeddings.token_type_embeddings.weight", &types)?
                    .f_select(0, 0)?,
            )?,
        };
        Ok(Self {
            word_embeddings: source.get(
                "embeddings.word_embeddings.weight",
                &[config.vocab_size, hidden],
            )?,
            position_embeddings,
            LayerNorm: LayerNorm::load(source, "embeddings.LayerNorm", config)?,
            kind,
        })
    }

    fn forward(&self, ids: &Tensor, positions: &Tensor) -> Result<Tensor> {
        let words = Tensor::f_embedding(&self.word_embeddings, ids, -1, false, false)?;
        let positions =
            Tensor::f_embedding(&self.position_embeddings, positions, -1, false, false)?;
        let x = self.LayerNorm.forward(&words.f_add(&positions)?)?;
        Ok(x.f_to_kind(self.kind)?)
    }
}

struct Attention {
    qkv: Linear,
    dense: Linear,
    norm: LayerNorm,
    heads: i64,
    width: i64,
}

impl Attention {
    fn load(source: Source<'_>, name: &str, config: &Config) -> Result<Self> {
        let hidden = config.hidden_size;
        let part =
            |part: &str| Linear::load(source, &format!("{name}.self.{part}"), hidden, hidden);
        Ok(Self {
            qkv: Linear::fuse(&[part("query")?, part("key")?, part("value")?])?,
            dense: Linear::load(source, &format!("{name}.output.dense"), hidden, hidden)?,
            norm: LayerNorm::load(source, &format!("{name}.output.LayerNorm"), config)?,
            heads: config.num_attention_heads,
            width: hidden / config.num_attention_heads,
        })
    }

    fn forward(&self, x: &Tensor, spans: &Spans) -> Result<Tensor> {
        let qkv = self.qkv.forward(x)?;
        // Every query sees the tokens of its own row.
        let mask = match &spans.mask {
            Some(mask) => Some(mask.f_unsqueeze(1)?.f_unsqueeze(1)?),
            None => None,
        };
        let mut contexts = Vec::with_capacity(spans.runs.len());
        let mut start = 0;
        for &(texts, length) in &spans.runs {
            let tokens = texts * length;
            let part = qkv.f_narrow(0, start, tokens)?;
            let part = part
                .f_view([texts, length, 3, self.heads, self.width])?
                .f_permute([2, 0, 3, 1, 4])?;
            let context = Tensor::f_scaled_dot_product_attention(
                &part.f_select(0, 0)?,
                &part.f_select(0, 1)?,
                &part.f_select(0, 2)?,
                mask.as_ref(),
                0.0,
                false,
                None,
                false,
            )?;
            contexts.push(
                context
                    .f_transpose(1, 2)?
                    .f_reshape([tokens, self.heads * self.width])?,
            );
            start += tokens;
        }
        let context = match &contexts[..] {
            [one] => one.shallow_clone(),
            many => Tensor::f_cat(many, 0)?,
        };
        self.norm.forward(&self.dense.forward(&context)?.f_add(x)?)
    }
}

struct Layer {
    attention: Attention,
    intermediate: Linear,
    output: Linear,
    norm: LayerNorm,
    activation: Activation,
}

impl Layer {
    fn load(
        source: Source<'_>,
        name: &str,
        config: &Config,
        activation: Activation,
    ) -> Result<Self> {
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        Ok(Self {
            attention: Attention::load(source, &format!("{name}.attention"), config)?,
            intermediate: Linear::load(
                source,
                &format!("{name}.intermediate.dense"),
                hidden,
                wide,
            )?,
            output: Linear::load(source, &format!("{name}.output.dense"), wide, hidden)?,
            norm: LayerNorm::load(source, &format!("{name}.output.LayerNorm"), config)?,
            activation,
        })
    }

    fn forward(&self, x: &Tensor, spans: &Spans) -> Result<Tensor> {
        let x = self.attention.forward(x, spans)?;
        let wide = self.activation.forward(&self.intermediate.forward(&x)?)?;
        self.norm.forward(&self.output.forward(&wide)?.f_add(&x)?)
    }
}

/// A BERT encoder, without the pooler that sentence embeddings do not use.
pub struct Bert {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    // Last, so that it is dropped last: the tensors above may lie in its mapped file.
    _weights: Weights,
}

impl Bert {
    /// Reads every weight from `weights`, as `kind` on `device`. `config_path` names the
    /// configuration in errors.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) naming the missing or misshaped weight, or the unknown activation.
    pub fn load(
        weights: Weights,
        config: &Config,
        config_path: &Path,
        kind: Kind,
        device: Device,
    ) -> Result<Self> {
        let _guard = tch::no_grad_guard();
        let source = Source {
            weights: &weights,
            kind,
            device,
        };
        let activation = Activation::parse(
            &config.hidden_act,
            config.model_type.key("hidden_act"),
            config_path,
        )?;
        let layers = (0..config.num_hidden_layers)
            .map(|layer| {
                Layer::load(
                    source,
                    &format!("encoder.layer.{layer}"),
                    config,
                    activation,
                )
            })
            .collect::<Result<_>>()?;
        let embeddings = Embeddings::load(source, config)?;
        Ok(Self {
            embeddings,
            layers,
            _weights: weights,
        })
    }

    /// Token `ids` and `positions` `[tokens]` (i64) → the last layer's vectors `[tokens, hidden]`.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn forward(&self, ids: &Tensor, positions: &Tensor, spans: &Spans) -> Result<Tensor> {
        let mut x = self.embeddings.forward(ids, positions)?;
        for layer in &self.layers {
            x = layer.forward(&x, spans)?;
        }
        Ok(x)
    }
}

#[cfg(test)]
mod tests;
