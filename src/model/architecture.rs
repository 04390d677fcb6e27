//! Which names a checkpoint gives to BERT's keys and weights.
//!
//! One network ([`bert`](super::bert)) computes every architecture here, under BERT's own names.
//! Heads of task models are named outside the encoder and have one name everywhere.

use crate::error::{Error, Result};
use serde::Deserialize;
use std::path::Path;

/// A network that is BERT's, whatever its names; `model_type` of `config.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Architecture {
    /// BERT (<https://arxiv.org/abs/1810.04805>).
    Bert,
    /// DistilBERT (<https://arxiv.org/abs/1910.01108>), BERT without token types. Names are those of
    /// <https://github.com/huggingface/transformers/blob/main/src/transformers/models/distilbert/modeling_distilbert.py>.
    DistilBert,
}

/// Where a layer's number follows: BERT's, DistilBERT's.
const LAYERS: [&str; 2] = ["encoder.layer.", "transformer.layer."];

/// Parts of a layer: BERT's, DistilBERT's.
const PARTS: [[&str; 2]; 8] = [
    ["attention.self.query", "attention.q_lin"],
    ["attention.self.key", "attention.k_lin"],
    ["attention.self.value", "attention.v_lin"],
    ["attention.output.dense", "attention.out_lin"],
    ["attention.output.LayerNorm", "sa_layer_norm"],
    ["intermediate.dense", "ffn.lin1"],
    ["output.dense", "ffn.lin2"],
    ["output.LayerNorm", "output_layer_norm"],
];

/// Keys of `config.json`: BERT's, DistilBERT's.
const KEYS: [[&str; 2]; 5] = [
    ["hidden_size", "dim"],
    ["num_hidden_layers", "n_layers"],
    ["num_attention_heads", "n_heads"],
    ["intermediate_size", "hidden_dim"],
    ["hidden_act", "activation"],
];

impl Architecture {
    /// Every architecture that is computed.
    pub const ALL: [Self; 2] = [Self::Bert, Self::DistilBert];

    /// The architecture called `model_type` in the configuration at `path`.
    ///
    /// # Errors
    /// [`Error::Model`] with the name and those known.
    pub fn parse(model_type: &str, path: &Path) -> Result<Self> {
        let found = Self::ALL.iter().find(|one| one.model_type() == model_type);
        found.copied().ok_or_else(|| {
            let known = Self::ALL.map(Self::model_type).join(", ");
            Error::model(
                path,
                format!("model_type: {model_type:?} is not one of {known}"),
            )
        })
    }

    /// Its name in `config.json`.
    #[must_use]
    pub fn model_type(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::DistilBert => "distilbert",
        }
    }

    /// What stands before the encoder's names in a task model's checkpoint.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Bert => "bert.",
            Self::DistilBert => "distilbert.",
        }
    }

    /// What `config.json` calls BERT's `key`.
    #[must_use]
    pub fn key(self, key: &'static str) -> &'static str {
        match self {
            Self::Bert => key,
            Self::DistilBert => other(&KEYS, key, 0).unwrap_or(key),
        }
    }

    /// What a checkpoint calls the weight that BERT calls `name`.
    #[must_use]
    pub fn checkpoint_name(self, name: &str) -> String {
        self.translated(name, 0)
    }

    /// What BERT calls the weight that a checkpoint calls `name`.
    #[must_use]
    pub fn canonical_name(self, name: &str) -> String {
        self.translated(name, 1)
    }

    /// `name` in the other column than `from`; only the names of layers differ.
    fn translated(self, name: &str, from: usize) -> String {
        let layered = || {
            let (layer, rest) = name.strip_prefix(LAYERS[from])?.split_once('.')?;
            let (part, parameter) = rest.rsplit_once('.')?;
            let part = other(&PARTS, part, from)?;
            Some(format!("{}{layer}.{part}.{parameter}", LAYERS[1 - from]))
        };
        match self {
            Self::Bert => None,
            Self::DistilBert => layered(),
        }
        .unwrap_or_else(|| name.to_owned())
    }
}

/// The name beside `name`, which stands in column `from`.
fn other(table: &[[&'static str; 2]], name: &str, from: usize) -> Option<&'static str> {
    let row = table.iter().find(|row| row[from] == name)?;
    Some(row[1 - from])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_translate_there_and_back() {
        let mut names: Vec<String> = ["word_embeddings", "position_embeddings", "LayerNorm"]
            .map(|name| format!("embeddings.{name}.weight"))
            .to_vec();
        for [part, _] in PARTS {
            names.push(format!("encoder.layer.11.{part}.weight"));
            names.push(format!("encoder.layer.11.{part}.bias"));
        }
        for architecture in Architecture::ALL {
            let theirs: Vec<_> = names
                .iter()
                .map(|name| architecture.checkpoint_name(name))
                .collect();
            let back: Vec<_> = theirs
                .iter()
                .map(|name| architecture.canonical_name(name))
                .collect();
            assert_eq!(back, names);
            assert_eq!(theirs == names, architecture == Architecture::Bert);
        }
        assert_eq!(
            Architecture::DistilBert.checkpoint_name("encoder.layer.3.output.LayerNorm.bias"),
            "transformer.layer.3.output_layer_norm.bias"
        );
    }

    #[test]
    fn names_of_heads_stay() {
        for name in [
            "vocab_transform.weight",
            "cls.predictions.bias",
            "classifier.weight",
        ] {
            assert_eq!(Architecture::DistilBert.checkpoint_name(name), name);
            assert_eq!(Architecture::DistilBert.canonical_name(name), name);
        }
    }

    #[test]
    fn an_unknown_architecture_is_named_with_the_file_and_those_known() {
        let error = Architecture::parse("roberta", Path::new("m/config.json")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "model m/config.json: model_type: \"roberta\" is not one of bert, distilbert"
        );
    }
}
