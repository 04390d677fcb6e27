//! `classifier.json`: what a model directory's weights mean.

use crate::corpus::taxonomy::{self, LABEL_SPACE_VERSION, Resolution};
use crate::error::{Error, Result};
use crate::text::TEMPLATE_VERSION;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::Path;

pub use crate::metrics::calibration::Calibration;

/// The version of `classifier.json` this crate writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// What a model directory's weights mean. Every key is required and no other is allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Canonical categories, in the order of the head's outputs.
    pub labels: Vec<String>,
    /// Version of the canonical label space that `labels` are taken from.
    pub label_space_version: u32,
    /// What `head.safetensors` holds.
    pub head: HeadSpec,
    /// How token vectors become one vector, as the encoder calls it: `mean+normalize`.
    pub pooling: String,
    /// Version of the function that built the text the model was fitted on.
    pub template_version: u32,
    /// Word pieces read of a text, special ones included.
    pub max_length: usize,
    /// Logits to probabilities.
    pub calibration: Calibration,
    /// Per label: the probability from which it is assigned.
    pub thresholds: Vec<f32>,
    /// The encoder under the head.
    pub encoder: EncoderSpec,
}

/// The kind of head and the sizes that its weights must have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum HeadSpec {
    /// `weight` [labels, hidden], `bias` [labels].
    Linear {},
    /// Hidden layers over the embedding.
    Mlp {
        /// Width of a hidden layer.
        width: usize,
        /// Hidden layers side by side, whose logits are averaged.
        members: usize,
    },
    /// Hidden layers over the embedding beside the summed vectors of the text's n-grams.
    Hybrid {
        /// Width of a hidden layer.
        width: usize,
        /// Hidden layers side by side, whose logits are averaged.
        members: usize,
        /// Number of n-grams.
        features: usize,
        /// Values of an n-gram's vector, for all members together.
        dimensions: usize,
    },
}

/// The encoder under a head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderSpec {
    /// [`EncoderSpec::LOCAL`]: the encoder lies in the model directory; else the name that
    /// finds it (`minilm`).
    pub source: String,
    /// What the encoder is called (`sentence-transformers/all-MiniLM-L6-v2`).
    pub name: String,
    /// SHA-256 of its `model.safetensors`, in lower-case hex.
    pub sha256: String,
    /// SHA-256 of its `tokenizer.json`, where it is known: other token ids, other embeddings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer_sha256: Option<String>,
}

impl EncoderSpec {
    /// The `source` of an encoder that lies in the model directory itself.
    pub const LOCAL: &'static str = "local";

    /// Whether the encoder lies in the model directory itself.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.source == Self::LOCAL
    }
}

impl Spec {
    /// Parses `classifier.json` and checks that its lists fit each other.
    /// `path` is named in the errors.
    ///
    /// # Errors
    /// [`Error::Model`] naming the key.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        // The version first: another version's keys would be reported as unknown ones.
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        let version: Version =
            serde_json::from_slice(bytes).map_err(|error| Error::model(path, error))?;
        if version.format_version != FORMAT_VERSION {
            return Err(Error::model(
                path,
                format!(
                    "format_version {}; this version reads {FORMAT_VERSION}",
                    version.format_version
                ),
            ));
        }
        let spec: Self =
            serde_json::from_slice(bytes).map_err(|error| Error::model(path, error))?;
        spec.check(path)?;
        Ok(spec)
    }

    /// Checks that the lists fit each other and every number can be used.
    /// `path` is named in the errors.
    ///
    /// # Errors
    /// [`Error::Model`] naming the key.
    pub fn check(&self, path: &Path) -> Result<()> {
        let fail = |reason: String| Err(Error::model(path, reason));
        if self.template_version != TEMPLATE_VERSION {
            return fail(format!(
                "template_version {}; this version's is {TEMPLATE_VERSION}, so the model would read other texts than it was fitted on",
                self.template_version
            ));
        }
        if self.label_space_version != LABEL_SPACE_VERSION {
            return fail(format!(
                "label_space_version {}; this version's is {LABEL_SPACE_VERSION}",
                self.label_space_version
            ));
        }
        let labels = self.labels.len();
        if labels == 0 {
            return fail("labels: the list is empty".into());
        }
        let mut seen = HashSet::with_capacity(labels);
        if let Some(twice) = self
            .labels
            .iter()
            .find(|label| !seen.insert(label.as_str()))
        {
            return fail(format!("labels: {twice:?} is there twice"));
        }
        for label in &self.labels {
            match taxonomy::resolve(label) {
                Resolution::Label(canonical) if canonical.name() == label => {}
                Resolution::Label(canonical) => {
                    return fail(format!(
                        "labels: {label:?} is {:?} in the canonical label space",
                        canonical.name()
                    ));
                }
                Resolution::Legacy | Resolution::Unknown => {
                    return fail(format!("labels: {label:?} is not a category of arXiv"));
                }
            }
        }
        if self.thresholds.len() != labels {
            return fail(format!(
                "thresholds: {} for {labels} labels",
                self.thresholds.len()
            ));
        }
        for (label, threshold) in self.labels.iter().zip(&self.thresholds) {
            if !(0.0..=1.0).contains(threshold) {
                return fail(format!(
                    "thresholds: {threshold} for {label} is not in 0..=1"
                ));
            }
        }
        let Calibration { scale, bias } = &self.calibration;
        for (name, values) in [("scale", scale), ("bias", bias)] {
            if values.len() != labels {
                return fail(format!(
                    "calibration.{name}: {} for {labels} labels",
                    values.len()
                ));
            }
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return fail(format!(
                    "calibration.{name}: {value} is not a finite number"
                ));
            }
        }
        if let Some(value) = scale.iter().find(|value| **value <= 0.0) {
            return fail(format!("calibration.scale: {value} is not above 0"));
        }
        if self.max_length == 0 {
            return fail("max_length: 0".into());
        }
        super::manifest::check_hash(&self.encoder.sha256)
            .map_err(|reason| Error::model(path, format!("encoder.sha256: {reason}")))
    }
}
