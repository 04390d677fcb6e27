//! One vector per n-gram, in 8 bits with a scale per vector.

use super::store::{Reader, Writer};
use crate::error::{Error, Result};
use crate::tokens::ngrams::SparseRow;
use rayon::prelude::*;
use safetensors::Dtype;
use tch::{Kind, Tensor};

/// The vectors of a vocabulary's n-grams.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    values: Vec<i8>,
    scales: Vec<f32>,
    dimensions: usize,
}

impl Table {
    /// Rounds `vectors` (row-major, `dimensions` values each) to 127 steps either side of 0,
    /// of a size that each vector's largest value sets.
    ///
    /// # Errors
    /// [`Error::Shape`] where `vectors` is no whole number of rows.
    pub fn quantize(vectors: &[f32], dimensions: usize) -> Result<Self> {
        if dimensions == 0 || !vectors.len().is_multiple_of(dimensions) {
            return Err(Error::shape("vectors", ("n", dimensions), vectors.len()));
        }
        let mut values = Vec::with_capacity(vectors.len());
        let mut scales = Vec::with_capacity(vectors.len() / dimensions);
        for row in vectors.chunks_exact(dimensions) {
            let largest = row
                .iter()
                .fold(0.0_f32, |largest, value| largest.max(value.abs()));
            let scale = largest / 127.0;
            let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
            values.extend(row.iter().map(|value| (value * inverse).round() as i8));
            scales.push(scale);
        }
        Ok(Self {
            values,
            scales,
            dimensions,
        })
    }

    pub(super) fn load(file: &Reader, features: usize, dimensions: usize) -> Result<Self> {
        let values = file.bytes("table", &[features, dimensions], Dtype::I8)?;
        let scales = file.floats("scale", &[features])?;
        Ok(Self {
            values: values.into_iter().map(|value| value as i8).collect(),
            scales: Vec::<f32>::try_from(scales)?,
            dimensions,
        })
    }

    pub(super) fn save(&self, file: &mut Writer) -> Result<()> {
        let values = self.values.iter().map(|&value| value as u8).collect();
        file.bytes(
            "table",
            Dtype::I8,
            vec![self.scales.len(), self.dimensions],
            values,
        );
        file.floats("scale", &Tensor::f_from_slice(&self.scales)?, Kind::Float)
    }

    /// Values a vector has.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Number of vectors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// Each paper's weighted sum of its features' vectors, row-major [n, dimensions].
    ///
    /// # Errors
    /// [`Error::Shape`] for an id that is not in the table.
    pub fn bag(&self, rows: &[SparseRow]) -> Result<Vec<f32>> {
        let features = self.len();
        // Ids rise, so the last one is the largest.
        if let Some((id, _)) = rows
            .iter()
            .filter_map(|row| row.last())
            .find(|(id, _)| *id as usize >= features)
        {
            return Err(Error::shape(
                "feature id",
                format_args!("below {features}").to_string(),
                id,
            ));
        }
        let mut sums = vec![0.0_f32; rows.len() * self.dimensions];
        if self.dimensions > 0 {
            sums.par_chunks_mut(self.dimensions)
                .zip(rows)
                .for_each(|(sum, row)| {
                    for &(id, weight) in row {
                        let start = id as usize * self.dimensions;
                        let factor = weight * self.scales[id as usize];
                        let vector = &self.values[start..start + self.dimensions];
                        for (sum, &value) in sum.iter_mut().zip(vector) {
                            *sum += factor * f32::from(value);
                        }
                    }
                });
        }
        Ok(sums)
    }
}
