//! One label's descent: L-BFGS in the metric of a diagonal preconditioner, asked and answered
//! one evaluation at a time, so that all labels share each pass over the papers.

use std::collections::VecDeque;

/// Least share of the promised decrease that a step must bring (Armijo).
const SUFFICIENT: f64 = 1e-4;
/// Relative noise of an objective summed from f32 logits.
const NOISE: f64 = 1e-9;
const MAX_HALVINGS: u32 = 20;

/// Whether a label goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Wants its next [`Descent::trial`] evaluated.
    Going,
    /// Converged, or no step lowers the objective any more.
    Done,
}

#[derive(Debug)]
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// `step · change`, positive.
    product: f64,
}

/// The state of one label; vectors hold the weights by component, then the intercept.
#[derive(Debug)]
pub(super) struct Descent {
    diagonal: Vec<f64>,
    target: Vec<f64>,
    memory: usize,
    history: VecDeque<Pair>,
    point: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    direction: Vec<f64>,
    /// Directional derivative; 0 before the first evaluation.
    slope: f64,
    size: f64,
    halvings: u32,
    trial: Vec<f64>,
    converged: bool,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(a: &mut [f64], times: f64, b: &[f64]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += times * b);
}

impl Descent {
    /// Starts at `origin`. `target` is the objective's linear part.
    pub(super) fn new(
        diagonal: Vec<f64>,
        origin: Vec<f64>,
        target: Vec<f64>,
        memory: usize,
    ) -> Self {
        Self {
            diagonal,
            target,
            memory,
            history: VecDeque::new(),
            point: origin.clone(),
            value: 0.0,
            gradient: Vec::new(),
            direction: Vec::new(),
            slope: 0.0,
            size: 0.0,
            halvings: 0,
            trial: origin
                .iter()
                .map(|&value| f64::from(value as f32))
                .collect(),
            converged: false,
        }
    }

    /// Goes on with another linear part from where it is: what it knows about the curvature stays.
    pub(super) fn retarget(&mut self, target: Vec<f64>) {
        self.target = target;
        self.trial.clone_from(&self.point);
        self.gradient.clear();
        self.converged = false;
    }

    /// Where it wants the objective.
    pub(super) fn trial(&self) -> &[f64] {
        &self.trial
    }

    /// The best point so far.
    pub(super) fn point(&self) -> &[f64] {
        &self.point
    }

    /// The objective there.
    pub(super) fn value(&self) -> f64 {
        self.value
    }

    /// Whether the gradient there met the tolerance.
    pub(super) fn converged(&self) -> bool {
        self.converged
    }

    /// Takes the non-linear part of the loss at [`Descent::trial`] and its gradient.
    pub(super) fn step(&mut self, loss: f64, mut gradient: Vec<f64>, tolerance: f64) -> Step {
        let weights = self.trial.len() - 1;
        let penalty = 0.5 * dot(&self.trial[..weights], &self.trial[..weights]);
        let value = loss - dot(&self.target, &self.trial) + penalty;
        add(&mut gradient, -1.0, &self.target);
        add(&mut gradient[..weights], 1.0, &self.trial[..weights]);
        if self.gradient.is_empty() {
            return self.accept(value, gradient, tolerance);
        }
        let limit = self.value + SUFFICIENT * self.size * self.slope + NOISE * self.value.abs();
        if value <= limit {
            self.remember(&gradient);
            return self.accept(value, gradient, tolerance);
        }
        self.halvings += 1;
        if self.halvings > MAX_HALVINGS {
            if self.history.is_empty() {
                return Step::Done;
            }
            self.history.clear();
            self.aim();
        } else {
            // The minimum of the parabola through both values and the slope, within reason.
            let rise = value - self.value - self.size * self.slope;
            let best = -0.5 * self.slope * self.size * self.size / rise;
            self.size = if best.is_finite() {
                best.clamp(0.1 * self.size, 0.5 * self.size)
            } else {
                0.5 * self.size
            };
        }
        self.place();
        Step::Going
    }

    fn remember(&mut self, gradient: &[f64]) {
        let mut step = self.trial.clone();
        add(&mut step, -1.0, &self.point);
        let mut change = gradient.to_vec();
        add(&mut change, -1.0, &self.gradient);
        let product = dot(&step, &change);
        // Convexity makes it positive; rounding may not.
        if product > 1e-12 * dot(&change, &change).sqrt() * dot(&step, &step).sqrt() {
            if self.history.len() == self.memory {
                self.history.pop_front();
            }
            self.history.push_back(Pair {
                step,
                change,
                product,
            });
        }
    }

    fn accept(&mut self, value: f64, gradient: Vec<f64>, tolerance: f64) -> Step {
        self.point.clone_from(&self.trial);
        self.value = value;
        self.gradient = gradient;
        let squares = self
            .gradient
            .iter()
            .zip(&self.diagonal)
            .map(|(g, d)| g * g / d);
        if 0.5 * squares.sum::<f64>() <= tolerance * self.value.abs() {
            self.converged = true;
            return Step::Done;
        }
        self.aim();
        self.place();
        Step::Going
    }

    /// The quasi-Newton direction (Nocedal and Wright, "Numerical Optimization", algorithm 7.4)
    /// with the scaled preconditioner as its first guess.
    fn aim(&mut self) {
        let mut direction = self.gradient.clone();
        let mut weights = Vec::with_capacity(self.history.len());
        for pair in self.history.iter().rev() {
            let weight = dot(&pair.step, &direction) / pair.product;
            add(&mut direction, -weight, &pair.change);
            weights.push(weight);
        }
        let scale = self.history.back().map_or(1.0, |pair| {
            let length: f64 = pair
                .change
                .iter()
                .zip(&self.diagonal)
                .map(|(y, d)| y * y / d)
                .sum();
            pair.product / length
        });
        direction
            .iter_mut()
            .zip(&self.diagonal)
            .for_each(|(value, d)| *value *= scale / d);
        for (pair, weight) in self.history.iter().zip(weights.into_iter().rev()) {
            let correction = weight - dot(&pair.change, &direction) / pair.product;
            add(&mut direction, correction, &pair.step);
        }
        direction.iter_mut().for_each(|value| *value = -*value);
        self.slope = dot(&direction, &self.gradient);
        self.direction = direction;
        self.size = 1.0;
        self.halvings = 0;
    }

    /// The trial point is one that f32 holds exactly: logits are products of its f32 values, and
    /// what is added to them in f64 must belong to the same point.
    fn place(&mut self) {
        self.trial.clone_from(&self.point);
        add(&mut self.trial, self.size, &self.direction);
        self.trial
            .iter_mut()
            .for_each(|value| *value = f64::from(*value as f32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A quadratic with minimum at `target / (curvature + 1)`, the intercept without the 1.
    fn minimise(curvature: &[f64], target: &[f64]) -> (Descent, usize) {
        let start = vec![3.0; target.len()];
        let mut descent = Descent::new(vec![1.0; target.len()], start, target.to_vec(), 8);
        for passes in 1..100 {
            let at = descent.trial().to_vec();
            let value = at.iter().zip(curvature).map(|(x, c)| 0.5 * c * x * x).sum();
            let gradient = at.iter().zip(curvature).map(|(x, c)| c * x).collect();
            if descent.step(value, gradient, 1e-14) == Step::Done {
                return (descent, passes);
            }
        }
        (descent, 100)
    }

    #[test]
    fn finds_the_minimum_of_a_stretched_bowl() {
        let (descent, passes) = minimise(&[1.0, 50.0, 2000.0], &[2.0, 51.0, 1000.0]);
        assert!(descent.converged() && passes < 40, "{passes}");
        for (value, expected) in descent.point().iter().zip([1.0, 1.0, 0.5]) {
            assert!((value - expected).abs() < 1e-5, "{descent:?}");
        }
    }

    #[test]
    fn a_new_target_moves_the_minimum() {
        let (mut descent, _) = minimise(&[1.0, 1.0], &[2.0, 1.0]);
        descent.retarget(vec![4.0, 1.0]);
        assert!(!descent.converged());
        assert_eq!(descent.trial(), descent.point());
    }
}
