//! Passes over the papers: the loss and gradient of many labels at once, two matrix products.
//!
//! A product in bf16 takes half the time of one in f32, but weights rounded to eight bits make a
//! poor optimum: the penalty alone would be 1e-6 off. So only *changes* are rounded. The logits of
//! the last point and the gradient there are kept; a pass adds the inputs' product with the change
//! of the weights, and the change of the probabilities' with the inputs. The error is a share of
//! 2⁻⁹ of the way since the last exact pass, and steps get shorter: one exact pass near the
//! optimum removes what the long first steps left.

use super::problem::{CHUNK, Evaluation, Problem};
use crate::error::Result;
use crate::observe::Observer;
use tch::{Kind, Tensor};

/// What is remembered of every label's last pass.
#[derive(Debug)]
pub(super) struct Passes<'a> {
    problem: &'a Problem,
    /// The inputs in bf16 and the last logits; without them every pass is exact.
    changes: Option<Changes>,
}

#[derive(Debug)]
struct Changes {
    /// [papers, hidden] in bf16.
    inputs: Tensor,
    /// [labels, papers of the chunk] each: the last logits of *not* having the label.
    logits: Vec<Tensor>,
    /// [labels, hidden] in f64: the weights of the last pass.
    weight: Tensor,
    /// [labels, 1] in f64.
    bias: Tensor,
    /// [labels, hidden] in f64: the inputs' sum over the papers, weighted by the probability of
    /// not having the label.
    slope: Tensor,
    /// [labels] in f64: that probability's sum.
    outside: Tensor,
}

/// Sums over the papers, a row or value for each label of the pass, in f64.
struct Sums {
    slope: Tensor,
    outside: Tensor,
    loss: Tensor,
}

impl Sums {
    /// Adds the chunk's sum of `outside` over the papers, and the loss: the logarithm of the
    /// probability of not having the label. Sums of a chunk are made in `kind`.
    fn add(&mut self, outside: &Tensor, without: &Tensor, kind: Kind) -> Result<()> {
        let over_papers = [1_i64];
        // Logarithms are the dearest of all that is not a product: where f32 sums are enough, one
        // for two papers. A probability may round to zero: its loss is then large, not infinite.
        let least = f64::from(f32::MIN_POSITIVE);
        let log = match without.f_chunk(2, 1)?.as_slice() {
            [one, other] if kind == Kind::Float && one.size() == other.size() => {
                one.f_mul(other)?.f_clamp_min_(least)?.f_log_()?
            }
            _ => without.f_clamp_min(least)?.f_log_()?,
        };
        for (sum, values) in [(&mut self.outside, outside), (&mut self.loss, &log)] {
            let part = values.f_sum_dim_intlist(over_papers.as_slice(), false, kind)?;
            let _ = sum.f_add_(&part)?;
        }
        Ok(())
    }
}

impl<'a> Passes<'a> {
    /// Starts at the points of [`Problem::origin`] for the labels' `shares`; with `rounded`,
    /// passes in bf16 are possible.
    pub(super) fn new(problem: &'a Problem, shares: &[f64], rounded: bool) -> Result<Self> {
        let changes = if rounded && !shares.is_empty() {
            Some(Changes::new(problem, shares)?)
        } else {
            None
        };
        Ok(Self { problem, changes })
    }

    /// One pass for the given labels, each at its point, from the inputs and weights in f32.
    pub(super) fn exact(
        &mut self,
        labels: &[i64],
        points: &[&[f64]],
        observer: &dyn Observer,
    ) -> Result<Vec<Evaluation>> {
        let problem = self.problem;
        // sigmoid(−logit) is the probability of not having the label.
        let minus = problem.unrotated(points)?.f_neg()?.f_to_kind(Kind::Float)?;
        let level = biases(points)?.f_neg()?.f_to_kind(Kind::Float)?;
        let rows = Tensor::f_from_slice(labels)?;
        let none = minus.f_zeros_like()?.f_to_kind(Kind::Double)?;
        let loss = Tensor::f_zeros([labels.len() as i64], (Kind::Double, none.device()))?;
        let mut sums = Sums {
            slope: none,
            outside: loss.f_zeros_like()?,
            loss,
        };
        for (at, x) in problem.inputs.f_split(CHUNK, 0)?.iter().enumerate() {
            observer.check()?;
            let mut logits = level.f_addmm(&minus, &x.f_tr()?)?;
            if let Some(changes) = &mut self.changes {
                let _ = changes.logits[at].f_index_copy_(0, &rows, &logits)?;
            }
            let without = logits.f_sigmoid_()?;
            sums.add(&without, &without, Kind::Double)?;
            let part = without.f_matmul(x)?.f_to_kind(Kind::Double)?;
            let _ = sums.slope.f_add_(&part)?;
        }
        let weight = minus.f_to_kind(Kind::Double)?.f_neg()?;
        let bias = level.f_to_kind(Kind::Double)?.f_neg()?;
        self.finish(&rows, &weight, &bias, &sums)
    }

    /// One pass for the given labels, each at its point, from what changed since its last pass;
    /// exact where nothing is remembered.
    pub(super) fn changed(
        &mut self,
        labels: &[i64],
        points: &[&[f64]],
        observer: &dyn Observer,
    ) -> Result<Vec<Evaluation>> {
        let Some(changes) = &mut self.changes else {
            return self.exact(labels, points, observer);
        };
        let rows = Tensor::f_from_slice(labels)?;
        let weight = changes.weight.f_index_select(0, &rows)?;
        let bias = changes.bias.f_index_select(0, &rows)?;
        let by = self
            .problem
            .unrotated(points)?
            .f_sub(&weight)?
            .f_to_kind(Kind::BFloat16)?;
        let level = biases(points)?.f_sub(&bias)?.f_to_kind(Kind::Float)?;
        let outside = changes.outside.f_index_select(0, &rows)?;
        let mut sums = Sums {
            slope: changes.slope.f_index_select(0, &rows)?,
            loss: outside.f_zeros_like()?,
            outside,
        };
        let all = labels.len() as i64 == changes.bias.size()[0];
        let inputs = changes.inputs.f_split(CHUNK, 0)?;
        for (x, kept) in inputs.iter().zip(&mut changes.logits) {
            observer.check()?;
            let mut logits = if all {
                kept.shallow_clone()
            } else {
                kept.f_index_select(0, &rows)?
            };
            let before = logits.f_sigmoid()?;
            let _ = logits.f_sub_(&by.f_matmul(&x.f_tr()?)?)?;
            let _ = logits.f_sub_(&level)?;
            if !all {
                let _ = kept.f_index_copy_(0, &rows, &logits)?;
            }
            let without = logits.f_sigmoid()?;
            let change = without.f_sub(&before)?;
            sums.add(&change, &without, Kind::Float)?;
            let change = change.f_to_kind(Kind::BFloat16)?;
            let part = change.f_matmul(x)?.f_to_kind(Kind::Double)?;
            let _ = sums.slope.f_add_(&part)?;
        }
        let weight = weight.f_add(&by.f_to_kind(Kind::Double)?)?;
        let bias = bias.f_add(&level.f_to_kind(Kind::Double)?)?;
        self.finish(&rows, &weight, &bias, &sums)
    }

    /// Remembers the points and slopes, and turns sums into what each label wants to know.
    fn finish(
        &mut self,
        rows: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        sums: &Sums,
    ) -> Result<Vec<Evaluation>> {
        if let Some(changes) = &mut self.changes {
            let _ = changes.weight.f_index_copy_(0, rows, weight)?;
            let _ = changes.bias.f_index_copy_(0, rows, bias)?;
            let _ = changes.slope.f_index_copy_(0, rows, &sums.slope)?;
            let _ = changes.outside.f_index_copy_(0, rows, &sums.outside)?;
        }
        let problem = self.problem;
        let flat = |tensor: &Tensor| -> Result<Vec<f64>> {
            Ok(Vec::<f64>::try_from(&tensor.f_reshape([-1])?)?)
        };
        let slopes = problem.rotated(&flat(&sums.slope)?)?;
        let weights = problem.rotated(&flat(weight)?)?;
        let (bias, outside, loss) = (flat(bias)?, flat(&sums.outside)?, flat(&sums.loss)?);
        let found = slopes.into_iter().zip(weights).enumerate();
        Ok(found
            .map(|(at, (slope, mut point))| {
                let inside = problem.sums.iter().zip(&slope);
                let mut gradient: Vec<f64> = inside
                    .map(|(all, without)| problem.c * (all - without))
                    .collect();
                gradient.push(problem.c * (problem.papers() - outside[at]));
                point.push(bias[at]);
                Evaluation {
                    point,
                    loss: -problem.c * loss[at],
                    gradient,
                }
            })
            .collect())
    }
}

impl Changes {
    fn new(problem: &Problem, shares: &[f64]) -> Result<Self> {
        let labels = shares.len() as i64;
        let hidden = problem.sums.len() as i64;
        let kind = (Kind::Double, problem.inputs.device());
        let shares = Tensor::f_from_slice(shares)?.f_unsqueeze(1)?;
        let bias = shares.f_logit(None::<f64>)?;
        let minus = bias.f_neg()?.f_to_kind(Kind::Float)?;
        let logits = problem
            .inputs
            .f_split(CHUNK, 0)?
            .iter()
            .map(|x| Ok(minus.f_repeat([1, x.size()[0]])?))
            .collect::<Result<Vec<Tensor>>>()?;
        let sums = problem.unrotated(&[&problem.sums])?;
        let without = shares.f_neg()?.f_add_scalar(1.0)?;
        Ok(Self {
            inputs: problem.inputs.f_to_kind(Kind::BFloat16)?,
            logits,
            weight: Tensor::f_zeros([labels, hidden], kind)?,
            bias,
            slope: without.f_matmul(&sums)?,
            outside: without.f_mul_scalar(problem.papers())?.f_reshape([-1])?,
        })
    }
}

/// [points, 1] in f64.
fn biases(points: &[&[f64]]) -> Result<Tensor> {
    let last: Vec<f64> = points
        .iter()
        .filter_map(|point| point.last())
        .copied()
        .collect();
    Ok(Tensor::f_from_slice(&last)?.f_unsqueeze(1)?)
}
