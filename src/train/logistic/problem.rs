//! The objective of all labels and its gradient, in the principal components of the embeddings.

use super::super::mlp::Examples;
use crate::error::Result;
use crate::observe::Observer;
use ndarray::Axis;
use rayon::prelude::*;
use tch::{Kind, Tensor};

/// Papers of one matrix product: their logits stay in the cache.
pub(super) const CHUNK: i64 = 2048;
/// Papers whose covariance is enough to find the components: they only precondition.
const SAMPLE: i64 = 8192;

/// Centered embeddings, and their principal components. With `x = embedding − mean` a label's
/// logits are `w'x + b`: the same function class under the same penalty, since the intercept,
/// which takes up the mean, has none. Points are `(U'w, b)`, `U` being the components: a
/// rotation keeps the penalty too, and only small matrices need rotating, never the embeddings.
#[derive(Debug)]
pub(super) struct Problem {
    /// [papers, hidden].
    pub(super) inputs: Tensor,
    /// [hidden, hidden] in f64, components as columns.
    rotation: Tensor,
    mean: Vec<f64>,
    /// Sum of each component over the papers: what centering in f32 left.
    pub(super) sums: Vec<f64>,
    /// Mean square of each component.
    spread: Vec<f64>,
    /// For each fitted label the sum over its papers of each component, then their number.
    targets: Vec<Vec<f64>>,
    pub(super) c: f64,
}

/// What one pass found for one label.
#[derive(Debug)]
pub(super) struct Evaluation {
    /// The point in f64 that the pass was made at: the one asked for but for rounding.
    pub(super) point: Vec<f64>,
    /// `C Σ softplus(logit)`; what depends on the label's papers is linear and added later.
    pub(super) loss: f64,
    /// Its gradient, intercept last.
    pub(super) gradient: Vec<f64>,
}

impl Problem {
    /// Centers the embeddings and finds their components; `fitted` are the labels to fit.
    pub(super) fn new(
        examples: Examples<'_>,
        fitted: &[usize],
        c: f64,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let (papers, hidden) = examples.embeddings.dim();
        let size = [papers as i64, hidden as i64];
        let mut inputs = match examples.embeddings.to_slice() {
            Some(values) => Tensor::f_from_slice(values)?,
            None => {
                Tensor::f_from_slice(&examples.embeddings.iter().copied().collect::<Vec<f32>>())?
            }
        }
        .f_reshape(size)?;
        observer.check()?;
        let totals = column_sums(examples);
        let shift: Vec<f32> = totals
            .iter()
            .map(|sum| (sum / papers as f64) as f32)
            .collect();
        let _ = inputs.f_subtract_(&Tensor::f_from_slice(&shift)?)?;
        let mean: Vec<f64> = shift.into_iter().map(f64::from).collect();
        observer.check()?;

        let step = (size[0] / SAMPLE).max(1);
        let sample = inputs.f_slice(0, 0, None, step)?;
        let mut square = Tensor::f_zeros([size[1]; 2], (Kind::Double, inputs.device()))?;
        for x in sample.f_split(CHUNK, 0)? {
            let x = x.f_contiguous()?;
            let _ = square.f_add_(&x.f_tr()?.f_matmul(&x)?.f_to_kind(Kind::Double)?)?;
        }
        let (spread, rotation) = square.f_linalg_eigh("L")?;
        observer.check()?;
        let rows = sample.size()[0] as f64;
        let spread = Vec::<f64>::try_from(&spread)?;
        let left: Vec<f64> = totals
            .iter()
            .zip(&mean)
            .map(|(total, mean)| total - papers as f64 * mean)
            .collect();
        let mut problem = Self {
            inputs,
            sums: Vec::new(),
            spread: spread.iter().map(|sum| sum.max(0.0) / rows).collect(),
            targets: Vec::new(),
            rotation,
            mean,
            c,
        };
        problem.sums = problem.rotated(&left)?.concat();
        problem.targets = problem.targets(examples, fitted)?;
        Ok(problem)
    }

    /// Sums over each fitted label's papers, by component; their number last.
    fn targets(&self, examples: Examples<'_>, fitted: &[usize]) -> Result<Vec<Vec<f64>>> {
        let hidden = self.spread.len();
        let mut papers = vec![Vec::new(); examples.width];
        for (paper, labels) in examples.labels.iter().enumerate() {
            for &label in labels {
                papers[label as usize].push(paper);
            }
        }
        let mean = &self.mean;
        let sums: Vec<f64> = fitted
            .par_iter()
            .flat_map_iter(|&label| {
                let mut sum = vec![0.0; hidden];
                for &paper in &papers[label] {
                    let row = examples.embeddings.row(paper);
                    for ((sum, &value), mean) in sum.iter_mut().zip(row).zip(mean) {
                        *sum += f64::from(value) - mean;
                    }
                }
                sum
            })
            .collect();
        let mut targets = self.rotated(&sums)?;
        for (target, &label) in targets.iter_mut().zip(fitted) {
            target.push(papers[label].len() as f64);
        }
        Ok(targets)
    }

    /// Rows of embedding space, flat, by component.
    pub(super) fn rotated(&self, rows: &[f64]) -> Result<Vec<Vec<f64>>> {
        let hidden = self.spread.len();
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let rows = Tensor::f_from_slice(rows)?.f_reshape([-1, hidden as i64])?;
        let flat = Vec::<f64>::try_from(&rows.f_matmul(&self.rotation)?.f_reshape([-1])?)?;
        Ok(flat.chunks_exact(hidden).map(<[f64]>::to_vec).collect())
    }

    /// Weights in embedding space of rows by component: [rows, hidden] in f64.
    pub(super) fn unrotated(&self, points: &[&[f64]]) -> Result<Tensor> {
        let hidden = self.spread.len();
        let flat: Vec<f64> = points
            .iter()
            .flat_map(|point| &point[..hidden])
            .copied()
            .collect();
        let rows = Tensor::f_from_slice(&flat)?.f_reshape([points.len() as i64, hidden as i64])?;
        Ok(rows.f_matmul(&self.rotation.f_tr()?)?)
    }

    /// The Hessian's diagonal where every paper has probability `share`: all of the Hessian there.
    pub(super) fn diagonal(&self, share: f64) -> Vec<f64> {
        let weight = share * (1.0 - share) * self.papers() * self.c;
        let mut diagonal: Vec<f64> = self
            .spread
            .iter()
            .map(|spread| weight * spread + 1.0)
            .collect();
        diagonal.push(weight);
        diagonal
    }

    /// What a pass would find at the point where every paper has probability `share`.
    pub(super) fn origin(&self, share: f64) -> Evaluation {
        let mut point = vec![0.0; self.spread.len()];
        let mut gradient: Vec<f64> = self.sums.iter().map(|sum| self.c * share * sum).collect();
        point.push((share / (1.0 - share)).ln());
        gradient.push(self.c * self.papers() * share);
        Evaluation {
            point,
            loss: -self.c * self.papers() * (-share).ln_1p(),
            gradient,
        }
    }

    /// The linear part of a label's objective, by component; the last is the intercept's.
    pub(super) fn target(&self, label: usize) -> Vec<f64> {
        self.targets[label].iter().map(|sum| self.c * sum).collect()
    }

    pub(super) fn papers(&self) -> f64 {
        self.inputs.size()[0] as f64
    }

    /// The weights and the bias of `point` for embeddings as they were given.
    pub(super) fn in_embeddings(&self, point: &[f64]) -> Result<(Vec<f32>, f32)> {
        let weight = Vec::<f64>::try_from(&self.unrotated(&[point])?.f_reshape([-1])?)?;
        let shift: f64 = weight
            .iter()
            .zip(&self.mean)
            .map(|(weight, mean)| weight * mean)
            .sum();
        let bias = point[self.spread.len()] - shift;
        Ok((
            weight.iter().map(|&value| value as f32).collect(),
            bias as f32,
        ))
    }
}

/// The sum of every value over the papers, the same on any number of threads.
fn column_sums(examples: Examples<'_>) -> Vec<f64> {
    let hidden = examples.embeddings.ncols();
    let chunks: Vec<_> = examples
        .embeddings
        .axis_chunks_iter(Axis(0), CHUNK as usize)
        .collect();
    let parts: Vec<Vec<f64>> = chunks
        .into_par_iter()
        .map(|rows| {
            let mut sums = vec![0.0; hidden];
            for row in rows.rows() {
                sums.iter_mut()
                    .zip(row)
                    .for_each(|(sum, &value)| *sum += f64::from(value));
            }
            sums
        })
        .collect();
    let mut sums = vec![0.0; hidden];
    for part in parts {
        sums.iter_mut()
            .zip(part)
            .for_each(|(sum, value)| *sum += value);
    }
    sums
}
