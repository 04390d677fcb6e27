//! Heads: what turns an embedding, and for one kind the words beside it, into a logit per label.
//!
//! A head is small beside its encoder and always computes in f32 on the CPU, so that a paper's
//! scores do not depend on where its embedding came from.

mod hybrid;
mod layers;
mod store;
mod table;

pub use hybrid::Hybrid;
pub use layers::{Layers, Linear, Mlp};
pub use table::Table;

use super::directory::HEAD;
use super::spec::{HeadSpec, Spec};
use crate::error::{Error, Result};
use crate::observe::Observer;
use crate::tokens::ngrams::{SparseRow, Vocabulary};
use ndarray::{ArrayView2, s};
use std::path::Path;
use std::sync::Arc;
use store::{Reader, Writer};
use tch::{Device, Kind, Tensor};

/// The file of a hybrid head's n-grams and their vectors.
pub const FEATURES: &str = "features.safetensors";

/// Papers whose hidden layers are held at a time.
const CHUNK: usize = 8192;

/// A head of any kind.
#[derive(Debug)]
pub enum Head {
    /// One weight per label and dimension of the embedding.
    Linear(Linear),
    /// One hidden layer over the embedding.
    Mlp(Mlp),
    /// One hidden layer over the embedding beside the sum of the n-grams' vectors.
    Hybrid(Hybrid),
}

impl Head {
    /// Loads the head that `spec` describes from the model directory `dir`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Model`] with the weight's name where one is missing, has another
    /// shape or type, or is not finite.
    pub fn load(dir: &Path, spec: &Spec) -> Result<Self> {
        let labels = spec.labels.len();
        let dense = Reader::open(&dir.join(HEAD))?;
        match spec.head {
            HeadSpec::Linear {} => Ok(Self::Linear(Linear::load(&dense, labels)?)),
            HeadSpec::Mlp { width, members } => {
                Ok(Self::Mlp(Mlp::load(&dense, width, members, labels)?))
            }
            HeadSpec::Hybrid {
                width,
                members,
                features,
                dimensions,
            } => {
                let sparse = Reader::open(&dir.join(FEATURES))?;
                let head = Hybrid::load(
                    &dense,
                    &sparse,
                    (width, members, labels),
                    features,
                    dimensions,
                )?;
                Ok(Self::Hybrid(head))
            }
        }
    }

    /// Writes the head's files into `dir` and returns their names. Weights are rounded to the
    /// precision of the files: a head that is to be calibrated is loaded again first.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Torch`].
    pub fn save(&self, dir: &Path) -> Result<Vec<&'static str>> {
        let mut dense = Writer::default();
        match self {
            Self::Linear(head) => head.save(&mut dense)?,
            Self::Mlp(head) => head.save(&mut dense)?,
            Self::Hybrid(head) => {
                let mut sparse = Writer::default();
                head.save(&mut dense, &mut sparse)?;
                dense.write(&dir.join(HEAD))?;
                sparse.write(&dir.join(FEATURES))?;
                return Ok(vec![HEAD, FEATURES]);
            }
        }
        dense.write(&dir.join(HEAD))?;
        Ok(vec![HEAD])
    }

    /// What `classifier.json` says of this head.
    #[must_use]
    pub fn spec(&self) -> HeadSpec {
        match self {
            Self::Linear(_) => HeadSpec::Linear {},
            Self::Mlp(head) => HeadSpec::Mlp {
                width: head.width(),
                members: head.members.len(),
            },
            Self::Hybrid(head) => HeadSpec::Hybrid {
                width: head.mlp.width(),
                members: head.mlp.members.len(),
                features: head.vocabulary.len(),
                dimensions: head.table.dimensions(),
            },
        }
    }

    /// The n-grams whose features [`Head::forward`] wants; none where it wants no features.
    #[must_use]
    pub fn vocabulary(&self) -> Option<Arc<Vocabulary>> {
        match self {
            Self::Linear(_) | Self::Mlp(_) => None,
            Self::Hybrid(head) => Some(Arc::clone(&head.vocabulary)),
        }
    }

    /// Length of the embeddings it reads.
    #[must_use]
    pub fn hidden(&self) -> usize {
        match self {
            Self::Linear(head) => head.hidden(),
            Self::Mlp(head) => head.inputs(),
            Self::Hybrid(head) => head.hidden(),
        }
    }

    /// Logits of papers, row-major [n, labels], from their `embeddings` [n, hidden], titles and
    /// abstracts; a head without n-grams does not look at the texts.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Torch`], [`Error::Interrupted`].
    pub fn logits<S: AsRef<str> + Sync>(
        &self,
        embeddings: ArrayView2<'_, f32>,
        titles: &[S],
        abstracts: &[S],
        observer: &dyn Observer,
    ) -> Result<Vec<f32>> {
        let papers = embeddings.nrows();
        if titles.len() != papers || abstracts.len() != papers {
            let got = [titles.len(), abstracts.len()];
            return Err(Error::shape("titles and abstracts", [papers; 2], got));
        }
        let vocabulary = self.vocabulary();
        let mut logits = Vec::new();
        for start in (0..papers).step_by(CHUNK) {
            observer.check()?;
            let range = start..papers.min(start + CHUNK);
            let rows = match &vocabulary {
                Some(vocabulary) => {
                    vocabulary.rows(&titles[range.clone()], &abstracts[range.clone()])?
                }
                None => Vec::new(),
            };
            let block = embeddings.slice(s![range, ..]);
            let size = [block.nrows() as i64, block.ncols() as i64];
            let block = block.as_standard_layout();
            let block = Tensor::f_from_slice(block.as_slice().unwrap_or_default())?;
            let part = self.forward(&block.f_view(size)?, &rows)?.f_contiguous()?;
            let before = logits.len();
            logits.resize(before + part.numel(), 0.0);
            part.f_copy_data(&mut logits[before..], part.numel())?;
        }
        Ok(logits)
    }

    /// Logits [n, labels] of `embeddings` [n, hidden], f32 on the CPU. `rows` are the papers'
    /// features by [`Head::vocabulary`], and are not looked at by a head that has none.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Torch`].
    pub fn forward(&self, embeddings: &Tensor, rows: &[SparseRow]) -> Result<Tensor> {
        let size = embeddings.size();
        let hidden = self.hidden() as i64;
        if size.len() != 2 || size[1] != hidden {
            return Err(Error::shape("embeddings", ("n", hidden), size));
        }
        let _guard = tch::no_grad_guard();
        let embeddings = embeddings
            .f_to_device(Device::Cpu)?
            .f_to_kind(Kind::Float)?;
        match self {
            Self::Linear(head) => head.forward(&embeddings),
            Self::Mlp(head) => head.forward(&embeddings),
            Self::Hybrid(head) => {
                if rows.len() as i64 != size[0] {
                    return Err(Error::shape("rows", [size[0]], [rows.len()]));
                }
                head.forward(&embeddings, rows)
            }
        }
    }
}

#[cfg(test)]
mod tests;
