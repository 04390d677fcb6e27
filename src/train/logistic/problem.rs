//! The objective of all labels and its gradient, in the principal components of the embeddings.

use super::super::mlp::Examples;
use crate::error::Result;
use crate::observe::Observer;
use tch::{Kind, Tensor};

/// Papers of one matrix product: their logits stay in the cache.
const CHUNK: i64 = 2048;

/// Centered embeddings in their principal components. There, with `x = U'(embedding − mean)`, a
/// label's logits are `w'x + b`: the same function class under the same penalty, since `U` is a
/// rotation and the intercept, which takes up the mean, has none.
#[derive(Debug)]
pub(super) struct Problem {
    /// [papers, hidden].
    inputs: Tensor,
    /// [hidden, hidden], components as columns.
    rotation: Tensor,
    /// [hidden].
    mean: Vec<f64>,
    /// Mean square of each component.
    spread: Vec<f64>,
    /// `Σ x` over a label's papers and their number: the part of its loss that is linear.
    targets: Vec<Vec<f64>>,
    c: f64,
}

impl Problem {
    /// Centers and rotates the embeddings; `fitted` are the labels to fit.
    pub(super) fn new(
        examples: Examples<'_>,
        fitted: &[usize],
        c: f64,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let (papers, hidden) = examples.embeddings.dim();
        let owned;
        let values = if let Some(values) = examples.embeddings.to_slice() {
            values
        } else {
            owned = examples.embeddings.iter().copied().collect::<Vec<f32>>();
            &owned
        };
        let size = [papers as i64, hidden as i64];
        let raw = Tensor::f_from_slice(values)?.f_reshape(size)?;
        let mean = raw.f_mean_dim([0_i64].as_slice(), false, Kind::Double)?;
        let shift = mean.f_to_kind(Kind::Float)?;
        let mut inputs = raw;
        let _ = inputs.f_subtract_(&shift)?;
        observer.check()?;
        let mut square = Tensor::f_zeros([hidden as i64; 2], (Kind::Double, inputs.device()))?;
        for x in inputs.f_split(CHUNK, 0)? {
            let _ = square.f_add_(&x.f_tr()?.f_matmul(&x)?.f_to_kind(Kind::Double)?)?;
        }
        observer.check()?;
        let (spread, rotation) = square.f_linalg_eigh("L")?;
        let rotation = rotation.f_to_kind(Kind::Float)?.f_contiguous()?;
        for mut x in inputs.f_split(CHUNK, 0)? {
            let rotated = x.f_matmul(&rotation)?;
            x.f_copy_(&rotated)?;
        }
        observer.check()?;
        let spread = Vec::<f64>::try_from(&spread)?;
        let targets = targets(&inputs, examples.labels.iter(), examples.width, fitted)?;
        Ok(Self {
            inputs,
            rotation,
            mean: Vec::<f64>::try_from(&shift.f_to_kind(Kind::Double)?)?,
            spread: spread
                .iter()
                .map(|sum| sum.max(0.0) / papers as f64)
                .collect(),
            targets,
            c,
        })
    }

    /// The problem of every `step`-th paper, each counted `step` times.
    pub(super) fn thinned(
        &self,
        step: usize,
        examples: Examples<'_>,
        fitted: &[usize],
    ) -> Result<Self> {
        let inputs = self
            .inputs
            .f_slice(0, 0, None, step as i64)?
            .f_contiguous()?;
        let kept = examples.labels.iter().step_by(step);
        let targets = targets(&inputs, kept, examples.width, fitted)?;
        Ok(Self {
            inputs,
            rotation: self.rotation.shallow_clone(),
            mean: self.mean.clone(),
            spread: self.spread.clone(),
            targets,
            c: self.c * step as f64,
        })
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

    /// The point where every paper has probability `share`.
    pub(super) fn origin(&self, share: f64) -> Vec<f64> {
        let mut point = vec![0.0; self.spread.len()];
        point.push((share / (1.0 - share)).ln());
        point
    }

    /// The linear part of a label's objective, by component; the last is the intercept's.
    pub(super) fn target(&self, label: usize) -> Vec<f64> {
        self.targets[label].iter().map(|sum| self.c * sum).collect()
    }

    /// Papers that have the label.
    pub(super) fn positives(&self, label: usize) -> usize {
        self.targets[label]
            .last()
            .map_or(0, |&count| count as usize)
    }

    fn papers(&self) -> f64 {
        self.inputs.size()[0] as f64
    }

    /// `C Σ softplus(logit)` and its gradient (intercept last) for the label at each of `points`.
    /// What depends on the labels' papers is linear and added by [`super::Descent`].
    pub(super) fn evaluate(
        &self,
        points: &[&[f64]],
        observer: &dyn Observer,
    ) -> Result<Vec<(f64, Vec<f64>)>> {
        let hidden = self.spread.len();
        let labels = points.len() as i64;
        let flat = |range: std::ops::Range<usize>| -> Vec<f32> {
            points
                .iter()
                .flat_map(|point| &point[range.clone()])
                .map(|&value| value as f32)
                .collect()
        };
        let weight = Tensor::f_from_slice(&flat(0..hidden))?
            .f_reshape([labels, hidden as i64])?
            .f_tr()?;
        let weight = weight.f_contiguous()?;
        let bias = Tensor::f_from_slice(&flat(hidden..hidden + 1))?;
        let doubles = (Kind::Double, self.inputs.device());
        let mut loss = Tensor::f_zeros([labels], doubles)?;
        let mut slope = Tensor::f_zeros([labels, hidden as i64], doubles)?;
        let mut level = Tensor::f_zeros([labels], doubles)?;
        for x in self.inputs.f_split(CHUNK, 0)? {
            observer.check()?;
            let logits = bias.f_addmm(&x, &weight)?;
            let _ = loss.f_add_(&logits.f_softplus()?.f_sum_dim_intlist(
                [0_i64].as_slice(),
                false,
                Kind::Double,
            )?)?;
            let probabilities = logits.f_sigmoid()?;
            let _ = level.f_add_(&probabilities.f_sum_dim_intlist(
                [0_i64].as_slice(),
                false,
                Kind::Double,
            )?)?;
            let _ = slope.f_add_(
                &probabilities
                    .f_tr()?
                    .f_matmul(&x)?
                    .f_to_kind(Kind::Double)?,
            )?;
        }
        let loss = Vec::<f64>::try_from(&loss)?;
        let level = Vec::<f64>::try_from(&level)?;
        let slope = Vec::<f64>::try_from(&slope.f_reshape([-1])?)?;
        let scale = |value: &f64| self.c * value;
        Ok((0..points.len())
            .map(|at| {
                let mut gradient: Vec<f64> =
                    slope[at * hidden..][..hidden].iter().map(scale).collect();
                gradient.push(scale(&level[at]));
                (scale(&loss[at]), gradient)
            })
            .collect())
    }

    /// The weights and the bias of `point` for embeddings as they were given.
    pub(super) fn in_embeddings(&self, point: &[f64]) -> Result<(Vec<f32>, f32)> {
        let hidden = self.spread.len();
        let rotated = Tensor::f_from_slice(&point[..hidden])?;
        let weight = self.rotation.f_to_kind(Kind::Double)?.f_mv(&rotated)?;
        let weight = Vec::<f64>::try_from(&weight)?;
        let shift: f64 = weight
            .iter()
            .zip(&self.mean)
            .map(|(weight, mean)| weight * mean)
            .sum();
        Ok((
            weight.iter().map(|&value| value as f32).collect(),
            (point[hidden] - shift) as f32,
        ))
    }
}

/// `Σ x` over each fitted label's papers, their number last; exact sums in f64.
fn targets<'a>(
    inputs: &Tensor,
    labels: impl Iterator<Item = &'a Vec<u32>>,
    width: usize,
    fitted: &[usize],
) -> Result<Vec<Vec<f64>>> {
    let hidden = inputs.size()[1] as usize;
    let mut places = vec![None; width];
    for (at, &label) in fitted.iter().enumerate() {
        places[label] = Some(at);
    }
    let mut sums = vec![vec![0.0; hidden + 1]; fitted.len()];
    let mut labels = labels;
    for x in inputs.f_split(CHUNK, 0)? {
        let values = Vec::<f32>::try_from(&x.f_reshape([-1])?)?;
        for (row, labels) in values.chunks_exact(hidden).zip(&mut labels) {
            for at in labels.iter().filter_map(|&label| places[label as usize]) {
                let sum: &mut Vec<f64> = &mut sums[at];
                for (sum, &value) in sum.iter_mut().zip(row) {
                    *sum += f64::from(value);
                }
                sum[hidden] += 1.0;
            }
        }
    }
    Ok(sums)
}
