//! The encoder and one linear layer over its pooled vector, while they are tuned.

use crate::error::Result;
use crate::model::batch::Batch;
use crate::model::bert::Bert;
use crate::model::checkpoint::Checkpoint;
use crate::model::pooling::Pooling;
use crate::tokens::tokenizer::Tokens;
use tch::{Device, Kind, Reduction, Tensor};

/// Papers as a step reads them.
pub(super) struct Papers {
    pub(super) tokens: Vec<Tokens>,
    /// Each paper's labels, as indexes below the number of labels.
    pub(super) labels: Vec<Vec<u32>>,
}

impl Papers {
    pub(super) fn lengths(&self) -> Vec<usize> {
        self.tokens.iter().map(|row| row.ids.len()).collect()
    }
}

/// A tensor that is moved.
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) tensor: Tensor,
    /// Whether it belongs to the layer above the encoder.
    pub(super) head: bool,
    /// Whether it decays: biases and LayerNorm's weights do not
    /// (<https://github.com/google-research/bert/blob/master/optimization.py>).
    pub(super) decays: bool,
}

pub(super) struct Net {
    bert: Bert,
    pooling: Pooling,
    device: Device,
    labels: usize,
    weight: Tensor,
    bias: Tensor,
}

impl Net {
    /// The layer starts with weights of 0 and, as bias, each label's log-odds among `papers`: so
    /// it has found a direction before the encoder begins to follow it
    /// (<https://arxiv.org/abs/2202.10054> on what a random one destroys).
    pub(super) fn new(
        checkpoint: &Checkpoint,
        papers: &Papers,
        labels: usize,
        device: Device,
    ) -> Result<Self> {
        let bert = Bert::load_to_tune(
            checkpoint.weights()?,
            &checkpoint.config,
            &checkpoint.config_path(),
            device,
        )?;
        let mut counts = vec![0.0_f32; labels];
        for &label in papers.labels.iter().flatten() {
            counts[label as usize] += 1.0;
        }
        let start: Vec<f32> = counts
            .iter()
            .map(|count| {
                let share = count / papers.labels.len().max(1) as f32;
                (share.max(1e-5) / (1.0 - share.min(0.99))).ln()
            })
            .collect();
        let shape = [labels as i64, checkpoint.config.hidden_size];
        Ok(Self {
            bert,
            pooling: checkpoint.pooling,
            device,
            labels,
            weight: Tensor::f_zeros(shape, (Kind::Float, device))?.f_set_requires_grad(true)?,
            bias: Tensor::f_from_slice(&start)?
                .f_to_device(device)?
                .f_set_requires_grad(true)?,
        })
    }

    pub(super) fn parameters(&self) -> Vec<Parameter> {
        let own = [
            ("classifier.weight".to_owned(), &self.weight),
            ("classifier.bias".to_owned(), &self.bias),
        ];
        let named = self.bert.moving().iter();
        named
            .map(|(name, tensor)| (name.clone(), tensor, false))
            .chain(own.into_iter().map(|(name, tensor)| (name, tensor, true)))
            .map(|(name, tensor, head)| Parameter {
                decays: name.ends_with(".weight") && !name.contains("LayerNorm"),
                tensor: tensor.shallow_clone(),
                name,
                head,
            })
            .collect()
    }

    pub(super) fn bert(&self) -> &Bert {
        &self.bert
    }

    /// The sum over `rows` (longest first) of each paper's loss: binary cross-entropy of the
    /// labels' logits, their mean. With `dropped`, dropout is drawn from libtorch's generator.
    pub(super) fn loss(&self, papers: &Papers, rows: &[usize], dropped: bool) -> Result<Tensor> {
        let tokens: Vec<&[u32]> = rows
            .iter()
            .map(|&row| papers.tokens[row].ids.as_slice())
            .collect();
        let batch = Batch::new(&tokens, self.device)?;
        let hidden = if dropped {
            let Batch { ids, positions, .. } = &batch;
            self.bert.forward_dropped(ids, positions, &batch.spans)?
        } else {
            self.bert
                .forward(&batch.ids, &batch.positions, &batch.spans)?
        };
        let mut pooled = batch.pool(&hidden, self.pooling)?;
        if self.pooling.normalize {
            // Values of a vector of length one are of size 1/√hidden, the layer's inputs of 1.
            let hidden = pooled.size().last().map_or(1.0, |&hidden| hidden as f64);
            pooled = pooled.f_mul_scalar(hidden.sqrt())?;
        }
        let logits = pooled.f_linear(&self.weight, Some(&self.bias))?;
        let mut targets = vec![0.0_f32; rows.len() * self.labels];
        for (paper, &row) in rows.iter().enumerate() {
            for &label in &papers.labels[row] {
                targets[paper * self.labels + label as usize] = 1.0;
            }
        }
        let targets = Tensor::f_from_slice(&targets)?
            .f_view([rows.len() as i64, self.labels as i64])?
            .f_to_device(self.device)?;
        Ok(logits
            .f_binary_cross_entropy_with_logits::<Tensor>(&targets, None, None, Reduction::Sum)?
            .f_div_scalar(self.labels as f64)?)
    }
}
