//! One batch: token rows → vectors.

use super::Encoder;
use crate::error::Result;
use crate::model::batch::Batch;
use crate::tokens::tokenizer::Tokens;
use ndarray::ArrayViewMut2;
use std::borrow::Borrow;
use std::sync::PoisonError;
use tch::Device;

impl Encoder {
    pub(super) fn batch<T: Borrow<Tokens>>(
        &self,
        rows: &[T],
        batch: &[usize],
        out: &mut ArrayViewMut2<'_, f32>,
    ) -> Result<()> {
        let _guard = tch::no_grad_guard();
        let tokens: Vec<&[u32]> = batch
            .iter()
            .map(|&row| rows[row].borrow().ids.as_slice())
            .collect();
        let input = Batch::new(&tokens, self.device)?;

        // A batch changes nothing of the weights: one that ended in a panic leaves them whole.
        let bert = self.bert.lock().unwrap_or_else(PoisonError::into_inner);
        let hidden = bert.forward(&input.ids, &input.positions, &input.spans)?;
        drop(bert);

        let pooled = input
            .pool(&hidden, self.pooling)?
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
