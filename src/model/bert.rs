//! BERT (<https://arxiv.org/abs/1810.04805>), to encode with or to tune. Weights have BERT's names;
//! what a checkpoint of another architecture calls them, [`Weights`] knows.
//!
//! Behaviour taken from
//! <https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/modeling_bert.py>.
//! Token vectors of a whole batch lie end to end, `[tokens, hidden]`: only attention knows where
//! a text begins, so no layer computes padding.

mod attention;
mod basics;

use self::attention::Attention;
use self::basics::{Dropout, LayerNorm, Linear, Source, dropped};
use crate::error::Result;
use crate::model::activation::Activation;
use crate::model::config::Config;
use crate::model::weights::Weights;
use std::cell::RefCell;
use std::path::Path;
use tch::{Device, Kind, Tensor};

pub use self::basics::Named;

/// Where the texts of a batch begin and end.
pub struct Spans {
    /// Consecutive texts of equal length, as `(texts, length)`.
    pub runs: Vec<(i64, i64)>,
    /// Where rows are padded (one run): `[texts, length]`, true for a token, false for padding.
    pub mask: Option<Tensor>,
}

#[allow(non_snake_case)]
struct Embeddings {
    word_embeddings: Tensor,
    position_embeddings: Tensor,
    // Its first row, where it is no part of the positions'.
    token_type_embeddings: Option<Tensor>,
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
        let types = match config.type_vocab_size {
            0 => None,
            rows => Some(source.get("embeddings.token_type_embeddings.weight", &[rows, hidden])?),
        };
        let (position_embeddings, token_type_embeddings) = match types {
            // One text has one segment, so its type vector is part of the position's.
            Some(types) if source.moving.is_none() => {
                (positions.f_add(&types.f_select(0, 0)?)?, None)
            }
            types => (positions, types),
        };
        Ok(Self {
            word_embeddings: source.get(
                "embeddings.word_embeddings.weight",
                &[config.vocab_size, hidden],
            )?,
            position_embeddings,
            token_type_embeddings,
            LayerNorm: LayerNorm::load(source, "embeddings.LayerNorm", config)?,
            kind,
        })
    }

    fn forward(&self, ids: &Tensor, positions: &Tensor, dropout: Dropout) -> Result<Tensor> {
        let words = Tensor::f_embedding(&self.word_embeddings, ids, -1, false, false)?;
        let mut positions =
            Tensor::f_embedding(&self.position_embeddings, positions, -1, false, false)?;
        if let Some(types) = &self.token_type_embeddings {
            positions = positions.f_add(&types.f_select(0, 0)?)?;
        }
        let x = self.LayerNorm.forward(&words.f_add(&positions)?)?;
        dropped(x.f_to_kind(self.kind)?, dropout.hidden)
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

    fn forward(&self, x: &Tensor, spans: &Spans, dropout: Dropout) -> Result<Tensor> {
        let x = self.attention.forward(x, spans, dropout)?;
        let wide = self.activation.forward(&self.intermediate.forward(&x)?)?;
        let output = dropped(self.output.forward(&wide)?, dropout.hidden)?;
        self.norm.forward(&output.f_add(&x)?)
    }
}

/// A BERT encoder, without the pooler that sentence embeddings do not use.
pub struct Bert {
    embeddings: Embeddings,
    layers: Vec<Layer>,
    dropout: Dropout,
    moving: Vec<Named>,
    // Last, so that it is dropped last: the tensors above may lie in its mapped file.
    weights: Weights,
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
        Self::read(weights, config, config_path, kind, device, false)
    }

    /// As [`Bert::load`] in f32, with copies of the weights that can be moved:
    /// [`Bert::moving`], [`Bert::forward_dropped`], [`Bert::write`].
    ///
    /// # Errors
    /// As [`Bert::load`].
    pub fn load_to_tune(
        weights: Weights,
        config: &Config,
        config_path: &Path,
        device: Device,
    ) -> Result<Self> {
        Self::read(weights, config, config_path, Kind::Float, device, true)
    }

    fn read(
        weights: Weights,
        config: &Config,
        config_path: &Path,
        kind: Kind,
        device: Device,
        tune: bool,
    ) -> Result<Self> {
        let _guard = tch::no_grad_guard();
        let moving = RefCell::new(Vec::new());
        let source = Source {
            weights: &weights,
            kind,
            device,
            moving: tune.then_some(&moving),
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
            dropout: Dropout::of(config),
            moving: moving.into_inner(),
            weights,
        })
    }

    /// Token `ids` and `positions` `[tokens]` (i64) → the last layer's vectors `[tokens, hidden]`.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn forward(&self, ids: &Tensor, positions: &Tensor, spans: &Spans) -> Result<Tensor> {
        self.run(ids, positions, spans, Dropout::NONE)
    }

    /// As [`Bert::forward`], with the dropout of the model's configuration, drawn from libtorch's
    /// generator.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn forward_dropped(
        &self,
        ids: &Tensor,
        positions: &Tensor,
        spans: &Spans,
    ) -> Result<Tensor> {
        self.run(ids, positions, spans, self.dropout)
    }

    fn run(
        &self,
        ids: &Tensor,
        positions: &Tensor,
        spans: &Spans,
        dropout: Dropout,
    ) -> Result<Tensor> {
        let mut x = self.embeddings.forward(ids, positions, dropout)?;
        for layer in &self.layers {
            x = layer.forward(&x, spans, dropout)?;
        }
        Ok(x)
    }

    /// The weights that can be moved, by their names in a BERT checkpoint; none unless loaded to
    /// be tuned.
    pub fn moving(&self) -> &[Named] {
        &self.moving
    }

    /// Writes the checkpoint that this was loaded from to `path`, in its own names, with the
    /// weights as they are now in f32; what is no weight of the encoder stays as it was.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io), [`Error::Torch`](crate::Error::Torch).
    pub fn write(&self, path: &Path) -> Result<()> {
        self.weights.rewrite(path, &self.moving)
    }
}

#[cfg(test)]
mod tests;
