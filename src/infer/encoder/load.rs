//! From a model directory to an encoder, and what identifies one.

use super::Encoder;
use crate::error::{Error, Result};
use crate::model::bert::Bert;
use crate::model::config::{Config, SentenceConfig, read};
use crate::model::device::{self, Dtype};
use crate::model::directory::{ENCODER, TOKENIZER};
use crate::model::manifest::{sha256_bytes, sha256_file};
use crate::model::pooling::Pooling;
use crate::model::prompt::default_prompt;
use crate::model::weights::Weights;
use crate::tokens::tokenizer::Tokenizer;
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
    /// Loads the model in `directory`: `config.json`, `model.safetensors`, `tokenizer.json` and,
    /// where they are, sentence-transformers' `modules.json` and `sentence_bert_config.json`; without
    /// them it is pooled and cut as sentence-transformers does with a plain checkpoint.
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
        let config = Config::load(directory)?;
        let sentence = SentenceConfig::load(directory)?;
        let pooling = Pooling::load(directory)?;
        let prompt = default_prompt(directory)?;
        if !prompt.is_empty() && !pooling.include_prompt {
            return Err(Error::model(
                directory.join("modules.json"),
                "include_prompt: pooling without the prompt's tokens is not computed here",
            ));
        }

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
        let tokenizer = Tokenizer::load(&tokenizer_path, max_length, sentence.do_lower_case)?
            .with_prompt(prompt);
        same_vocabulary(&tokenizer, &config)
            .map_err(|reason| Error::model(&tokenizer_path, format!("vocabulary: {reason}")))?;

        let weights = Weights::open(&directory.join(ENCODER), config.model_type)?;
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

/// Rows of padding that word embeddings have at most behind the last token.
const PADDING: i64 = 1024;

/// Checks that `tokenizer` can be that of the model that `config` describes.
fn same_vocabulary(tokenizer: &Tokenizer, config: &Config) -> std::result::Result<(), String> {
    let (ids, rows) = (tokenizer.vocabulary() as i64, config.vocab_size);
    let embeddings = format!("embeddings.word_embeddings.weight has {rows} rows");
    if ids > rows {
        return Err(format!("token ids up to {} but {embeddings}", ids - 1));
    }
    if ids + PADDING < rows {
        return Err(format!("only {ids} tokens but {embeddings}"));
    }
    match (config.pad_token_id, tokenizer.token_id("[PAD]")) {
        (Some(expected), Some(found)) if expected != i64::from(found) => Err(format!(
            "[PAD] is token {found} but config.json says pad_token_id = {expected}"
        )),
        _ => Ok(()),
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
