//! One batch: token rows → vectors.

use super::Encoder;
use crate::error::{Error, Result};
use crate::model::bert::Spans;
use crate::tokens::batches::{Layout, runs};
use crate::tokens::tokenizer::Tokens;
use ndarray::ArrayViewMut2;
use tch::{Device, Kind, Tensor};

impl Encoder {
    /// A GPU wants few large kernels, a CPU no padding.
    pub(super) fn layout(&self) -> Layout {
        if self.device.is_cuda() {
            Layout::Padded
        } else {
            Layout::Packed
        }
    }

    pub(super) fn batch(
        &self,
        rows: &[Tokens],
        batch: &[usize],
        out: &mut ArrayViewMut2<'_, f32>,
    ) -> Result<()> {
        let _guard = tch::no_grad_guard();
        let lengths: Vec<usize> = batch.iter().map(|&row| rows[row].ids.len()).collect();
        let longest = lengths.first().copied().unwrap_or(0);
        let padded =
            self.layout() == Layout::Padded && lengths.iter().any(|&length| length < longest);

        let mut ids: Vec<i64> = Vec::new();
        let mut positions: Vec<i64> = Vec::new();
        for &row in batch {
            let tokens = &rows[row].ids;
            ids.extend(tokens.iter().map(|&id| i64::from(id)));
            if padded {
                ids.resize(ids.len() + longest - tokens.len(), 0);
            }
            positions.extend(0..if padded { longest } else { tokens.len() } as i64);
        }
        let ids = Tensor::f_from_slice(&ids)?.f_to_device(self.device)?;
        let positions = Tensor::f_from_slice(&positions)?.f_to_device(self.device)?;

        let spans = if padded {
            let lengths: Vec<i64> = lengths.iter().map(|&length| length as i64).collect();
            let lengths = Tensor::f_from_slice(&lengths)?.f_to_device(self.device)?;
            let mask = Tensor::f_arange(longest as i64, (Kind::Int64, self.device))?
                .f_unsqueeze(0)?
                .f_lt_tensor(&lengths.f_unsqueeze(1)?)?;
            Spans {
                runs: vec![(batch.len() as i64, longest as i64)],
                mask: Some(mask),
            }
        } else {
            let runs = runs(lengths.iter().copied());
            Spans {
                runs: runs
                    .into_iter()
                    .map(|(rows, length)| (rows as i64, length as i64))
                    .collect(),
                mask: None,
            }
        };

        let bert = self
            .bert
            .lock()
            .map_err(|_| Error::Torch("an earlier batch ended in a panic".into()))?;
        let hidden = bert.forward(&ids, &positions, &spans)?;
        drop(bert);

        let mut parts = Vec::with_capacity(spans.runs.len());
        let mut start = 0;
        for &(texts, length) in &spans.runs {
            let part = hidden
                .f_narrow(0, start, texts * length)?
                .f_view([texts, length, -1])?;
            parts.push(self.pooling.forward(&part, spans.mask.as_ref())?);
            start += texts * length;
        }
        let pooled = Tensor::f_cat(&parts, 0)?
            .f_to_device(Device::Cpu)?
            .f_contiguous()?;
        let mut values = vec![0f32; batch.len() * self.hidden_size];
        let count = values.len();
        pooled.f_copy_data(&mut values, count)?;
        for (&row, vector) in batch.iter().zip(values.chunks_exact(self.hidden_size)) {
            for (to, from) in out.row_mut(row).iter_mut().zip(vector) {
                *to = *from;
            }
        }
        Ok(())
    }
}
