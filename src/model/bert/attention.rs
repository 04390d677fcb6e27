//! Attention within each text of a batch.

use super::Spans;
use super::basics::{Dropout, LayerNorm, Linear, Source, dropped};
use crate::error::Result;
use crate::model::config::Config;
use tch::Tensor;

/// Query, key and value of a token.
enum Projections {
    Fused(Linear),
    // What moves is fused anew for every batch: each map is a weight of its own.
    Moving([Linear; 3]),
}

impl Projections {
    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Fused(linear) => linear.forward(x),
            Self::Moving(parts) => Linear::fuse(parts)?.forward(x),
        }
    }
}

pub(super) struct Attention {
    qkv: Projections,
    dense: Linear,
    norm: LayerNorm,
    heads: i64,
    width: i64,
}

impl Attention {
    pub(super) fn load(source: Source<'_>, name: &str, config: &Config) -> Result<Self> {
        let hidden = config.hidden_size;
        let part =
            |part: &str| Linear::load(source, &format!("{name}.self.{part}"), hidden, hidden);
        let qkv = [part("query")?, part("key")?, part("value")?];
        Ok(Self {
            qkv: if source.moving.is_some() {
                Projections::Moving(qkv)
            } else {
                Projections::Fused(Linear::fuse(&qkv)?)
            },
            dense: Linear::load(source, &format!("{name}.output.dense"), hidden, hidden)?,
            norm: LayerNorm::load(source, &format!("{name}.output.LayerNorm"), config)?,
            heads: config.num_attention_heads,
            width: hidden / config.num_attention_heads,
        })
    }

    pub(super) fn forward(&self, x: &Tensor, spans: &Spans, dropout: Dropout) -> Result<Tensor> {
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
                dropout.attention,
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
        let dense = dropped(self.dense.forward(&context)?, dropout.context)?;
        self.norm.forward(&dense.f_add(x)?)
    }
}
