//! The embedding and the words side by side under one hidden layer.

use super::layers::{Mlp, mean};
use super::store::{Reader, Writer};
use super::table::Table;
use crate::error::Result;
use crate::tokens::ngrams::{NGRAMS_VERSION, SparseRow, Vocabulary};
use safetensors::Dtype;
use std::sync::Arc;
use tch::{Kind, Tensor};

/// `Mlp` over [embedding ; sum of the n-grams' vectors]. With several members the vectors are
/// cut into as many pieces, and each member reads its own.
#[derive(Debug)]
pub struct Hybrid {
    /// The n-grams it knows.
    pub vocabulary: Arc<Vocabulary>,
    /// Their vectors, by feature id.
    pub table: Table,
    /// The layers above.
    pub mlp: Mlp,
}

impl Hybrid {
    pub(super) fn load(
        dense: &Reader,
        sparse: &Reader,
        (width, members, labels): (usize, usize, usize),
        features: usize,
        dimensions: usize,
    ) -> Result<Self> {
        let mlp = Mlp::load(dense, width, members, labels)?;
        if dimensions == 0
            || !dimensions.is_multiple_of(members)
            || mlp.inputs() <= dimensions / members
        {
            return Err(sparse.error(format_args!(
                "head: {dimensions} dimensions do not fit {members} members of {} inputs",
                mlp.inputs()
            )));
        }
        let version = words(sparse, "version", 1)?;
        if version != [NGRAMS_VERSION] {
            return Err(sparse.error(format_args!(
                "n-grams of version {version:?}; this version reads {NGRAMS_VERSION}"
            )));
        }
        let body = words(sparse, "body", length(sparse, "body")?)?;
        let title = words(sparse, "title", length(sparse, "title")?)?;
        if body.len() + title.len() != features {
            return Err(sparse.error(format_args!(
                "head: {features} features, but {} n-grams",
                body.len() + title.len()
            )));
        }
        let idf = Vec::<f32>::try_from(sparse.floats("idf", &[features])?)?;
        let vocabulary =
            Vocabulary::from_parts(body, title, idf).map_err(|error| sparse.error(error))?;
        Ok(Self {
            vocabulary: Arc::new(vocabulary),
            table: Table::load(sparse, features, dimensions)?,
            mlp,
        })
    }

    pub(super) fn save(&self, dense: &mut Writer, sparse: &mut Writer) -> Result<()> {
        self.mlp.save(dense)?;
        let mut add = |name: &str, words: &[u32]| {
            let bytes = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            sparse.bytes(name, Dtype::U32, vec![words.len()], bytes);
        };
        add("version", &[NGRAMS_VERSION]);
        add("body", self.vocabulary.body());
        add("title", self.vocabulary.title());
        let idf: Vec<f32> = self.vocabulary.idf().collect();
        sparse.floats("idf", &Tensor::f_from_slice(&idf)?, Kind::Float)?;
        self.table.save(sparse)
    }

    /// Length of the embeddings it reads.
    pub(super) fn hidden(&self) -> usize {
        let piece = self.table.dimensions() / self.mlp.members.len().max(1);
        self.mlp.inputs().saturating_sub(piece)
    }

    pub(super) fn forward(&self, embeddings: &Tensor, rows: &[SparseRow]) -> Result<Tensor> {
        let dimensions = self.table.dimensions() as i64;
        let bag = Tensor::f_from_slice(&self.table.bag(rows)?)?
            .f_view([rows.len() as i64, dimensions])?;
        let pieces = bag.f_chunk(self.mlp.members.len() as i64, 1)?;
        mean(
            self.mlp
                .members
                .iter()
                .zip(&pieces)
                .map(|(layers, piece)| layers.forward(&Tensor::f_cat(&[embeddings, piece], 1)?)),
        )
    }
}

fn length(file: &Reader, name: &str) -> Result<usize> {
    Ok(file.shape(name)?.iter().product())
}

fn words(file: &Reader, name: &str, count: usize) -> Result<Vec<u32>> {
    let bytes = file.bytes(name, &[count], Dtype::U32)?;
    Ok(bytes
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]))
        .collect())
}
