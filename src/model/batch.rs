//! A batch of token rows on a device, and how its token vectors become one vector a row.

use super::bert::Spans;
use super::pooling::Pooling;
use crate::error::Result;
use crate::tokens::batches::{Layout, runs};
use tch::{Device, Kind, Tensor};

/// Token rows as [`Bert`](super::bert::Bert) reads them.
pub struct Batch {
    /// Token ids, row after row: `[tokens]`, i64.
    pub ids: Tensor,
    /// Place of each token in its row: `[tokens]`, i64.
    pub positions: Tensor,
    /// Where the rows begin and end.
    pub spans: Spans,
}

/// A GPU wants few large kernels, a CPU no padding.
pub fn layout(device: Device) -> Layout {
    if device.is_cuda() {
        Layout::Padded
    } else {
        Layout::Packed
    }
}

impl Batch {
    /// Lays `rows` of token ids, longest first, out on `device`.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn new(rows: &[&[u32]], device: Device) -> Result<Self> {
        let lengths: Vec<usize> = rows.iter().map(|row| row.len()).collect();
        let longest = lengths.first().copied().unwrap_or(0);
        let padded =
            layout(device) == Layout::Padded && lengths.iter().any(|&length| length < longest);

        let mut ids: Vec<i64> = Vec::new();
        let mut positions: Vec<i64> = Vec::new();
        for tokens in rows {
            ids.extend(tokens.iter().map(|&id| i64::from(id)));
            if padded {
                ids.resize(ids.len() + longest - tokens.len(), 0);
            }
            positions.extend(0..if padded { longest } else { tokens.len() } as i64);
        }
        let spans = if padded {
            let lengths: Vec<i64> = lengths.iter().map(|&length| length as i64).collect();
            let lengths = Tensor::f_from_slice(&lengths)?.f_to_device(device)?;
            let mask = Tensor::f_arange(longest as i64, (Kind::Int64, device))?
                .f_unsqueeze(0)?
                .f_lt_tensor(&lengths.f_unsqueeze(1)?)?;
            Spans {
                runs: vec![(rows.len() as i64, longest as i64)],
                mask: Some(mask),
            }
        } else {
            let runs = runs(lengths);
            Spans {
                runs: runs
                    .into_iter()
                    .map(|(rows, length)| (rows as i64, length as i64))
                    .collect(),
                mask: None,
            }
        };
        Ok(Self {
            ids: Tensor::f_from_slice(&ids)?.f_to_device(device)?,
            positions: Tensor::f_from_slice(&positions)?.f_to_device(device)?,
            spans,
        })
    }

    /// Token vectors `hidden` `[tokens, hidden]` → f32 `[rows, hidden]`, on their device.
    ///
    /// # Errors
    /// [`Error::Torch`](crate::Error::Torch).
    pub fn pool(&self, hidden: &Tensor, pooling: Pooling) -> Result<Tensor> {
        let mut parts = Vec::with_capacity(self.spans.runs.len());
        let mut start = 0;
        for &(texts, length) in &self.spans.runs {
            let part = hidden
                .f_narrow(0, start, texts * length)?
                .f_view([texts, length, -1])?;
            parts.push(pooling.forward(&part, self.spans.mask.as_ref())?);
            start += texts * length;
        }
        Ok(Tensor::f_cat(&parts, 0)?)
    }
}
