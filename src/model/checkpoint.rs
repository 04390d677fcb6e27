//! An encoder's directory: what reads texts and says how they are encoded, beside the weights.

use super::config::{Config, SentenceConfig, read};
use super::directory::{ENCODER, TOKENIZER};
use super::pooling::Pooling;
use super::prompt::default_prompt;
use super::weights::Weights;
use crate::error::{Error, Result};
use crate::tokens::tokenizer::Tokenizer;
use std::path::{Path, PathBuf};

/// A directory of transformers or sentence-transformers without its weights, which
/// [`Checkpoint::weights`] opens.
pub struct Checkpoint {
    /// Where it is.
    pub directory: PathBuf,
    /// Its `config.json`.
    pub config: Config,
    /// Its tokenizer, with the length asked for and the model's prompt.
    pub tokenizer: Tokenizer,
    /// How token vectors become a text's vector.
    pub pooling: Pooling,
    /// As sentence-transformers' configuration says.
    pub do_lower_case: bool,
}

impl Checkpoint {
    /// Reads `config.json`, `tokenizer.json` and, where they are, sentence-transformers'
    /// `modules.json` and `sentence_bert_config.json` in `directory`; without them it is pooled and
    /// cut as sentence-transformers does with a plain checkpoint. Texts are cut to `max_length` tokens, the model's own limit where `None`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Model`] naming the file and key, [`Error::Option`].
    pub fn open(directory: &Path, max_length: Option<usize>) -> Result<Self> {
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
        let max_length = match (max_length, sentence.max_seq_length) {
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
        Ok(Self {
            directory: directory.to_path_buf(),
            config,
            tokenizer,
            pooling,
            do_lower_case: sentence.do_lower_case,
        })
    }

    /// Its weights.
    ///
    /// # Errors
    /// As [`Weights::open`].
    pub fn weights(&self) -> Result<Weights> {
        Weights::open(&self.directory.join(ENCODER), self.config.model_type)
    }

    /// Its `config.json`, as errors name it.
    pub fn config_path(&self) -> PathBuf {
        self.directory.join("config.json")
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
