//! A sentence encoder: texts → one vector each.

use crate::error::{Error, Result};
use crate::model::bert::{Bert, Spans};
use crate::model::config::{Config, SentenceConfig, read};
use crate::model::device::{self, Dtype};
use crate::model::directory::{ENCODER, TOKENIZER};
use crate::model::manifest::{sha256_bytes, sha256_file};
use crate::model::pooling::Pooling;
use crate::model::weights::Weights;
use crate::observe::{Observer, Progress};
use crate::tokens::batches::{Layout, plan, runs};
use crate::tokens::tokenizer::{Tokenizer, Tokens};
use ndarray::{Array2, ArrayViewMut2};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;
use tch::{Device, Kind, Tensor};

/// Tokens a batch holds at most when the caller does not say.
pub const BATCH_TOKENS: usize = 16_384;
/// More tokens a thread are slower on a CPU: a layer's intermediates leave the cache, and their
/// memory is mapped anew for every batch.
const CPU_THREAD_TOKENS: usize = 1024;

/// Texts tokenized between two looks at whether to go on.
const TOKENIZED: usize = 512;

/// How to load an [`Encoder`].
#[derive(Debug, Clone)]
pub struct Options {
    /// `cpu`, `cuda`, `cuda:N` or `auto`.
    pub device: String,
    /// `f32` or `bf16`.
    pub dtype: String,
    /// Tokens after which a text is cut; the model's own limit where `None`.
    pub max_length: Option<usize>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            device: "auto".to_owned(),
            dtype: "f32".to_owned(),
            max_length: None,
        }
    }
}

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
    /// Loads the model in `directory`: `config.json`, `model.safetensors`, `tokenizer.json` and,
    /// where they are, sentence-transformers' `modules.json` and `sentence_bert_config.json`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Model`] naming the file and the weight or key,
    /// [`Error::Option`], [`Error::Device`].
    pub fn load(directory: &Path, options: &Options) -> Result<Self> {
        let device = device::parse(&options.device)?;
        let dtype = Dtype::parse(&options.dtype)?;
        let config = Config::load(directory)?;
        let sentence = SentenceConfig::load(directory)?;
        let pooling = Pooling::load(directory)?;

        let most = usize::try_from(config.max_position_embeddings).unwrap_or(0);
        let max_length = match (options.max_length, sentence.max_seq_length) {
            (Some(asked), _) if asked > most => {
                return Err(Error::option(
                    "max_length",
                    asked,
                    format!("the model reads at most {most} tokens"),
                ));
            }
            (Some(asked), _) => asked,
            (None, Some(own)) => own.min(most),
            (None, None) => model_max_length(directory)?.unwrap_or(most).min(most),
        };
        let tokenizer_path = directory.join(TOKENIZER);
        let tokenizer = Tokenizer::load(&tokenizer_path, max_length, sentence.do_lower_case)?;
        let (ids, rows) = (tokenizer.vocabulary(), config.vocab_size);
        if ids as i64 > rows {
            return Err(Error::model(
                &tokenizer_path,
                format!(
                    "vocabulary: token ids up to {} but embeddings.word_embeddings.weight has {rows} rows",
                    ids - 1
                ),
            ));
        }

        let weights = Weights::open(&directory.join(ENCODER))?;
        let bert = Bert::load(
            weights,
            &config,
            &directory.join("config.json"),
            dtype.kind(),
            device,
        )?;
        Ok(Self {
            directory: directory.to_path_buf(),
            tokenizer,
            bert: Mutex::new(bert),
            pooling,
            hidden_size: usize::try_from(config.hidden_size).unwrap_or(0),
            do_lower_case: sentence.do_lower_case,
            device,
            dtype,
            sha256: OnceLock::new(),
        })
    }

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

    /// sha256 of `model.safetensors` in hex; computed on the first call.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sha256(&self) -> Result<&str> {
        if let Some(known) = self.sha256.get() {
            return Ok(known);
        }
        let computed = sha256_file(&self.directory.join(ENCODER))?;
        Ok(self.sha256.get_or_init(|| computed))
    }

    /// sha256 of `tokenizer.json` in hex.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn tokenizer_sha256(&self) -> Result<String> {
        sha256_file(&self.directory.join(TOKENIZER))
    }

    /// sha256 over everything that decides a text's embedding: weights, configuration,
    /// tokenizer, pooling, maximum length and precision.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn fingerprint(&self) -> Result<String> {
        let mut parts = vec![self.sha256()?.to_owned()];
        parts.push(sha256_file(&self.directory.join("config.json"))?);
        parts.push(self.tokenizer_sha256()?);
        parts.push(self.pooling.name());
        parts.push(self.max_length().to_string());
        parts.push(self.dtype().to_owned());
        parts.push(format!("do_lower_case={}", self.do_lower_case));
        Ok(sha256_bytes(parts.join(" ").as_bytes()))
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
        let mut tokens = Vec::with_capacity(texts.len());
        for part in texts.chunks(TOKENIZED) {
            observer.check()?;
            tokens.extend(self.tokenizer.encode_all(part)?);
        }
        Ok(tokens)
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

    /// Embeddings f32 `[rows, hidden]` of token rows, in their order.
    ///
    /// # Errors
    /// [`Error::Torch`], [`Error::Interrupted`].
    pub fn encode_tokens(
        &self,
        rows: &[Tokens],
        batch_tokens: usize,
        observer: &dyn Observer,
    ) -> Result<Array2<f32>> {
        let mut out = Array2::zeros((rows.len(), self.hidden_size));
        let lengths: Vec<usize> = rows.iter().map(|row| row.ids.len()).collect();
        let started = Instant::now();
        let (mut done, mut tokens) = (0, 0);
        let batch_tokens = match self.device {
            Device::Cpu => {
                let threads = usize::try_from(tch::get_num_threads()).unwrap_or(1);
                batch_tokens.min(CPU_THREAD_TOKENS * threads)
            }
            _ => batch_tokens,
        };
        for batch in plan(&lengths, batch_tokens, self.layout()) {
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

    /// A GPU wants few large kernels, a CPU no padding.
    fn layout(&self) -> Layout {
        if self.device.is_cuda() {
            Layout::Padded
        } else {
            Layout::Packed
        }
    }

    fn batch(
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

/// `model_max_length` of `tokenizer_config.json`, where it is written.
fn model_max_length(directory: &Path) -> Result<Option<usize>> {
    let path = directory.join("tokenizer_config.json");
    if !path.exists() {
        return Ok(None);
    }
    let config: serde_json::Value = read(&path)?;
    // "No limit" is written as 1e30, which is no u64.
    Ok(config
        .get("model_max_length")
        .and_then(serde_json::Value::as_u64)
        .and_then(|n| usize::try_from(n).ok()))
}
