//! From a model directory to an encoder, and what identifies one.

use super::Encoder;
use crate::error::Result;
use crate::model::bert::Bert;
use crate::model::checkpoint::Checkpoint;
use crate::model::device::{self, Dtype};
use crate::model::directory::{ENCODER, TOKENIZER};
use crate::model::manifest::{sha256_bytes, sha256_file};
use std::path::Path;
use std::sync::{Mutex, OnceLock};
use tch::Device;

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

impl Encoder {
    /// Loads the model in `directory`, a [`Checkpoint`].
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Model`] naming the file and the weight or key,
    /// [`Error::Option`], [`Error::Device`].
    pub fn load(directory: &Path, options: &Options) -> Result<Self> {
        let device = device::parse(&options.device)?;
        let dtype = Dtype::parse(&options.dtype)?;
        if device == Device::Cpu && dtype == Dtype::Bf16 && !device::multiplies_bf16() {
            log::warn!("this processor does not multiply bf16: it is slower than f32 here");
        }
        let checkpoint = Checkpoint::open(directory, options.max_length)?;
        let bert = Bert::load(
            checkpoint.weights()?,
            &checkpoint.config,
            &checkpoint.config_path(),
            dtype.kind(),
            device,
        )?;
        Ok(Self {
            directory: checkpoint.directory,
            tokenizer: checkpoint.tokenizer,
            bert: Mutex::new(bert),
            pooling: checkpoint.pooling,
            hidden_size: usize::try_from(checkpoint.config.hidden_size).unwrap_or(0),
            do_lower_case: checkpoint.do_lower_case,
            device,
            dtype,
            sha256: OnceLock::new(),
        })
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
    /// tokenizer, prompt, pooling, maximum length and precision.
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
        if !self.tokenizer.prompt().is_empty() {
            parts.push(format!("prompt={:?}", self.tokenizer.prompt()));
        }
        Ok(sha256_bytes(parts.join(" ").as_bytes()))
    }
}
