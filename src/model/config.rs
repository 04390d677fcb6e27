//! The JSON files of a sentence-transformers model directory, in their own names.

use crate::error::{Error, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// `config.json` of a BERT checkpoint
/// (<https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/configuration_bert.py>).
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs)]
pub struct Config {
    pub model_type: String,
    pub vocab_size: i64,
    pub hidden_size: i64,
    pub num_hidden_layers: usize,
    pub num_attention_heads: i64,
    pub intermediate_size: i64,
    #[serde(default = "gelu")]
    pub hidden_act: String,
    pub max_position_embeddings: i64,
    #[serde(default = "two")]
    pub type_vocab_size: i64,
    #[serde(default = "tiny")]
    pub layer_norm_eps: f64,
    #[serde(default = "absolute")]
    pub position_embedding_type: String,
    #[serde(default)]
    pub is_decoder: bool,
    #[serde(default)]
    pub pad_token_id: Option<i64>,
    #[serde(default = "tenth")]
    pub hidden_dropout_prob: f64,
    #[serde(default = "tenth")]
    pub attention_probs_dropout_prob: f64,
}

fn gelu() -> String {
    "gelu".to_owned()
}
fn two() -> i64 {
    2
}
fn tiny() -> f64 {
    1e-12
}
fn tenth() -> f64 {
    0.1
}
fn absolute() -> String {
    "absolute".to_owned()
}

impl Config {
    /// Reads `config.json` in `directory` and checks that it describes a BERT this crate computes.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Model`] naming the key.
    pub fn load(directory: &Path) -> Result<Self> {
        let path = directory.join("config.json");
        let config: Self = read(&path)?;
        if config.model_type != "bert" {
            return Err(Error::model(
                &path,
                format!("model_type: {:?} is not \"bert\"", config.model_type),
            ));
        }
        if config.position_embedding_type != "absolute" {
            return Err(Error::model(
                &path,
                format!(
                    "position_embedding_type: {:?} is not \"absolute\"",
                    config.position_embedding_type
                ),
            ));
        }
        if config.is_decoder {
            let reason =
                "is_decoder: true, whose attention sees earlier tokens only, is no encoder";
            return Err(Error::model(&path, reason));
        }
        if config.num_attention_heads < 1 || config.hidden_size % config.num_attention_heads != 0 {
            return Err(Error::model(
                &path,
                format!(
                    "num_attention_heads: {} does not divide hidden_size {}",
                    config.num_attention_heads, config.hidden_size
                ),
            ));
        }
        Ok(config)
    }
}

/// How sentence-transformers reads texts: `sentence_bert_config.json`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[allow(missing_docs)]
pub struct SentenceConfig {
    pub max_seq_length: Option<usize>,
    pub do_lower_case: bool,
}

impl SentenceConfig {
    /// Reads `sentence_bert_config.json` in `directory`; its absence means no limit of its own.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Model`].
    pub fn load(directory: &Path) -> Result<Self> {
        let path = directory.join("sentence_bert_config.json");
        if path.exists() {
            read(&path)
        } else {
            Ok(Self::default())
        }
    }
}

/// Reads the JSON file at `path`.
///
/// # Errors
/// [`Error::Io`] where it cannot be read, [`Error::Model`] where a key is missing or wrong.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::io(path, source))?;
    serde_json::from_str(&text).map_err(|error| Error::model(path, error))
}
