//! The JSON files of a model directory, in the names of transformers and sentence-transformers.

use crate::error::{Error, Result};
use crate::model::architecture::Architecture;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// `config.json` of a BERT checkpoint, or of another [`Architecture`] in BERT's keys
/// (<https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/configuration_bert.py>).
#[derive(Debug, Clone, Deserialize)]
#[allow(missing_docs)]
pub struct Config {
    pub model_type: Architecture,
    pub vocab_size: i64,
    pub hidden_size: i64,
    pub num_hidden_layers: usize,
    pub num_attention_heads: i64,
    pub intermediate_size: i64,
    #[serde(default = "gelu")]
    pub hidden_act: String,
    pub max_position_embeddings: i64,
    /// 0 where there are no token types.
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

/// `config.json` of a DistilBERT checkpoint
/// (<https://github.com/huggingface/transformers/blob/main/src/transformers/models/distilbert/configuration_distilbert.py>).
/// `sinusoidal_pos_embds` is not asked for: such positions are in the checkpoint like learned ones.
#[derive(Deserialize)]
struct DistilBertConfig {
    vocab_size: i64,
    dim: i64,
    n_layers: usize,
    n_heads: i64,
    hidden_dim: i64,
    #[serde(default = "gelu")]
    activation: String,
    max_position_embeddings: i64,
    #[serde(default)]
    pad_token_id: Option<i64>,
    #[serde(default = "tenth")]
    dropout: f64,
    #[serde(default = "tenth")]
    attention_dropout: f64,
}

impl From<DistilBertConfig> for Config {
    fn from(config: DistilBertConfig) -> Self {
        Self {
            model_type: Architecture::DistilBert,
            vocab_size: config.vocab_size,
            hidden_size: config.dim,
            num_hidden_layers: config.n_layers,
            num_attention_heads: config.n_heads,
            intermediate_size: config.hidden_dim,
            hidden_act: config.activation,
            max_position_embeddings: config.max_position_embeddings,
            type_vocab_size: 0,
            layer_norm_eps: tiny(),
            position_embedding_type: absolute(),
            is_decoder: false,
            pad_token_id: config.pad_token_id,
            hidden_dropout_prob: config.dropout,
            attention_probs_dropout_prob: config.attention_dropout,
        }
    }
}

#[derive(Deserialize)]
struct ModelType {
    model_type: String,
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
    /// Reads `config.json` in `directory` and checks that it describes a network this crate
    /// computes.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Model`] naming the key.
    pub fn load(directory: &Path) -> Result<Self> {
        let path = directory.join("config.json");
        let ModelType { model_type } = read(&path)?;
        let architecture = Architecture::parse(&model_type, &path)?;
        let config: Self = match architecture {
            Architecture::Bert => read(&path)?,
            Architecture::DistilBert => read::<DistilBertConfig>(&path)?.into(),
        };
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
                    "{}: {} does not divide {} {}",
                    architecture.key("num_attention_heads"),
                    config.num_attention_heads,
                    architecture.key("hidden_size"),
                    config.hidden_size
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
