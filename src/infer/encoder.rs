//! A sentence encoder: texts → one vector each.

mod batch;
mod load;

use crate::error::Result;
use crate::model::batch::layout;
use crate::model::bert::Bert;
use crate::model::device::{self, Dtype};
use crate::model::pooling::Pooling;
use crate::observe::{Observer, Progress};
use crate::tokens::batches::{Layout, plan};
use crate::tokens::tokenizer::{Tokenizer, Tokens};
use ndarray::Array2;
use std::borrow::Borrow;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};
use std::time::Instant;
use tch::Device;

pub use self::load::Options;

/// Tokens a batch holds at most when the caller does not say.
pub const BATCH_TOKENS: usize = 16_384;
/// More tokens a thread are slower on a CPU: a layer's intermediates leave the cache, and their
/// memory is mapped anew for every batch.
const CPU_THREAD_TOKENS: usize = 1024;

/// Tokenizer, BERT, pooling and normalisation of a sentence-transformers model directory.
pub struct Encoder {
    directory: PathBuf,
    tokenizer: Tokenizer,
    // One batch at a time: it has all cores, or the GPU, to itself.
    bert: Mutex<Bert>,
    pooling: Pooling,
    hidden_size: usize,
    /// As sentence-transformers' configuration says.
    do_lower_case: bool,
    device: Device,
    dtype: Dtype,
    sha256: OnceLock<String>,
}

impl Encoder {
    /// Dimensions of an embedding.
    pub fn hidden_size(&self) -> usize {
        self.hidden_size
    }

    /// Tokens after which a text is cut, special tokens included.
    pub fn max_length(&self) -> usize {
        self.tokenizer.max_length()
    }

    /// `cpu` or `cuda:N`.
    pub fn device(&self) -> String {
        device::name(self.device)
    }

    /// `f32` or `bf16`.
    pub fn dtype(&self) -> &'static str {
        self.dtype.name()
    }

    /// How token vectors become a text's vector.
    pub fn pooling(&self) -> Pooling {
        self.pooling
    }

    /// Token ids of `texts`, special tokens included, cut at the maximum length.
    ///
    /// # Errors
    /// [`Error::Input`] where the tokenizer refuses a text; [`Error::Interrupted`].
    pub fn tokenize<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        observer: &dyn Observer,
    ) -> Result<Vec<Tokens>> {
        self.tokenizer.encode_all(texts, observer)
    }

    /// Whether each text is longer than the model reads.
    ///
    /// # Errors
    /// As [`Encoder::tokenize`].
    pub fn truncated<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        observer: &dyn Observer,
    ) -> Result<Vec<bool>> {
        Ok(self
            .tokenize(texts, observer)?
            .into_iter()
            .map(|tokens| tokens.truncated)
            .collect())
    }

    /// Embeddings f32 `[texts, hidden]` of `texts`, in their order.
    ///
    /// # Errors
    /// [`Error::Input`], [`Error::Torch`], [`Error::Interrupted`].
    pub fn encode<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        observer: &dyn Observer,
    ) -> Result<Array2<f32>> {
        self.encode_budgeted(texts, BATCH_TOKENS, observer)
    }

    /// [`Encoder::encode`] with batches of at most `batch_tokens` tokens.
    ///
    /// # Errors
    /// As [`Encoder::encode`].
    pub fn encode_budgeted<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        batch_tokens: usize,
        observer: &dyn Observer,
    ) -> Result<Array2<f32>> {
        let tokens = self.tokenize(texts, observer)?;
        self.encode_tokens(&tokens, batch_tokens, observer)
    }

    /// Tokens that a batch should hold at most on this device, and what its rows cost.
    pub fn live_batch(&self) -> (usize, Layout) {
        let tokens = match self.device {
            Device::Cpu => {
                let threads = usize::try_from(tch::get_num_threads()).unwrap_or(1);
                CPU_THREAD_TOKENS * threads
            }
            _ => BATCH_TOKENS,
        };
        (tokens, layout(self.device))
    }

    /// Embeddings f32 `[rows, hidden]` of token rows, in their order.
    ///
    /// # Errors
    /// [`Error::Torch`], [`Error::Interrupted`].
    pub fn encode_tokens<T: Borrow<Tokens>>(
        &self,
        rows: &[T],
        batch_tokens: usize,
        observer: &dyn Observer,
    ) -> Result<Array2<f32>> {
        let mut out = Array2::zeros((rows.len(), self.hidden_size));
        let lengths: Vec<usize> = rows.iter().map(|row| row.borrow().ids.len()).collect();
        let started = Instant::now();
        let (mut done, mut tokens) = (0, 0);
        let batch_tokens = match self.device {
            Device::Cpu => batch_tokens.min(self.live_batch().0),
            _ => batch_tokens,
        };
        for batch in plan(&lengths, batch_tokens, layout(self.device)) {
            observer.check()?;
            self.batch(rows, &batch, &mut out.view_mut())?;
            done += batch.len() as u64;
            tokens += batch.iter().map(|&row| lengths[row]).sum::<usize>();
            let seconds = started.elapsed().as_secs_f64().max(1e-9);
            observer.progress(&Progress {
                stage: "encode",
                done,
                total: rows.len() as u64,
                unit: "papers",
                figures: vec![("tokens_per_second", tokens as f64 / seconds)],
            });
        }
        Ok(out)
    }
}
