//! One label's descent: L-BFGS in the metric of a diagonal preconditioner, asked and answered
//! one evaluation at a time, so that all labels share each pass over the papers.

use super::Options;
use super::problem::Evaluation;
use std::collections::VecDeque;

/// Least share of the promised decrease that a step must bring (Armijo).
const SUFFICIENT: f64 = 1e-4;
/// Relative noise of an objective: within it the derivative decides (Hager and Zhang, "A New
/// Conjugate Gradient Method with Guaranteed Descent", approximate Wolfe condition).
const NOISE: f64 = 1e-6;
const MAX_HALVINGS: u32 = 20;
/// As many halvings after a rounded pass mean that its rounding is what is left to descend.
const MAX_ROUNDED_HALVINGS: u32 = 2;
/// The criterion below which the first exact pass removes what long steps have left.
const NEAR: f64 = 5e-5;
/// The criterion, in tolerances, from which one more step is expected to meet it.
const ALMOST: f64 = 6.0;
/// The tolerance that rounded passes after an exact one near the optimum are good enough for.
const SOUND: f64 = 2e-8;
/// Exact passes after which all are: rounding must be what keeps the label going.
const MAX_RENEWALS: u32 = 3;

#[derive(Debug)]
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// `step · change`, positive.
    product: f64,
}

/// Whether a label goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Going,
    Converged,
    /// No step lowers the objective any more.
    Stuck,
}

/// The state of one label; vectors hold the weights by component, then the intercept.
#[derive(Debug)]
pub(super) struct Descent {
    diagonal: Vec<f64>,
    target: Vec<f64>,
    memory: usize,
    tolerance: f64,
    history: VecDeque<Pair>,
    point: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    direction: Vec<f64>,
    /// Derivative along the direction, negative.
    slope: f64,
    size: f64,
    halvings: u32,
    trial: Vec<f64>,
    /// Half the squared gradient in the norm of the preconditioner, as a share of the objective.
    criterion: f64,
    /// Whether passes may be rounded.
    rounded: bool,
    /// Whether the best point's value comes from an exact pass.
    exact: bool,
    renewals: u32,
    state: State,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(a: &mut [f64], times: f64, b: &[f64]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += times * b);
}

impl Descent {
    /// Starts at `origin`, where the loss is known without a pass. `diagonal` is the
    /// preconditioner, `target` the linear part of the objective; `rounded` says that passes
    /// need not all be exact.
    pub(super) fn new(
        origin: Evaluation,
        diagonal: Vec<f64>,
        target: Vec<f64>,
        rounded: bool,
        options: &Options,
    ) -> Self {
        let mut descent = Self {
            diagonal,
            target,
            memory: options.memory,
            tolerance: options.tolerance,
            history: VecDeque::new(),
            point: Vec::new(),
            value: 0.0,
            gradient: Vec::new(),
            direction: Vec::new(),
            slope: 0.0,
            size: 0.0,
            halvings: 0,
            trial: Vec::new(),
            criterion: 0.0,
            rounded,
            exact: true,
            renewals: 0,
            state: State::Going,
        };
        let (value, gradient) = descent.objective(&origin);
        descent.accept(origin.point, value, gradient);
        descent
    }

    /// Where it wants the objective.
    pub(super) fn trial(&self) -> &[f64] {
        &self.trial
    }

    /// Whether the pass there must be exact: once near the optimum, and where a tolerance is too
    /// tight for rounded passes to decide convergence.
    pub(super) fn wants_exact(&self) -> bool {
        let near = if self.renewals == 0 {
            NEAR.max(ALMOST * self.tolerance)
        } else {
            ALMOST * self.tolerance
        };
        !self.rounded || (!self.exact && !self.sound() && self.criterion <= near)
    }

    /// Whether the best point's value may decide convergence.
    fn sound(&self) -> bool {
        self.exact || (self.renewals > 0 && self.tolerance >= SOUND)
    }

    /// The best point so far.
    pub(super) fn point(&self) -> &[f64] {
        &self.point
    }

    /// The objective there.
    pub(super) fn value(&self) -> f64 {
        self.value
    }

    /// Whether it wants another pass.
    pub(super) fn going(&self) -> bool {
        self.state == State::Going
    }

    /// Whether the gradient met the tolerance.
    pub(super) fn converged(&self) -> bool {
        self.state == State::Converged
    }

    /// The whole objective and its gradient.
    fn objective(&self, found: &Evaluation) -> (f64, Vec<f64>) {
        let weights = &found.point[..found.point.len() - 1];
        let value = found.loss - dot(&self.target, &found.point) + 0.5 * dot(weights, weights);
        let mut gradient = found.gradient.clone();
        add(&mut gradient, -1.0, &self.target);
        add(&mut gradient[..weights.len()], 1.0, weights);
        (value, gradient)
    }

    /// Takes what a pass found at [`Descent::trial`]; `exact` says which kind of pass.
    pub(super) fn step(&mut self, found: Evaluation, exact: bool) {
        let (value, gradient) = self.objective(&found);
        // An exact pass after rounded ones is not comparable, and asked for where steps are safe.
        let renewal = exact && !self.exact && value.is_finite();
        if renewal || self.lower(value, &gradient) {
            if renewal {
                self.renewals += 1;
                self.rounded &= self.renewals < MAX_RENEWALS;
            } else {
                self.remember(&found.point, &gradient);
            }
            self.exact = exact;
            self.accept(found.point, value, gradient);
            return;
        }
        if !exact && self.halvings >= MAX_ROUNDED_HALVINGS {
            self.rounded = false;
        }
        self.halvings += 1;
        if self.halvings > MAX_HALVINGS {
            if self.history.is_empty() {
                self.state = State::Stuck;
                return;
            }
            self.history.clear();
            self.aim();
        } else {
            // The minimum of the parabola through both values and the slope, within reason.
            let rise = value - self.value - self.size * self.slope;
            let best = -0.5 * self.slope * self.size * self.size / rise;
            let (least, most) = (0.1 * self.size, 0.5 * self.size);
            self.size = if best.is_finite() {
                best.clamp(least, most)
            } else {
                least
            };
        }
        self.place();
    }

    /// Whether the trial lowers the objective enough.
    fn lower(&self, value: f64, gradient: &[f64]) -> bool {
        value <= self.value + SUFFICIENT * self.size * self.slope
            || (value <= self.value + NOISE * self.value.abs()
                && dot(gradient, &self.direction) <= (2.0 * SUFFICIENT - 1.0) * self.slope)
    }

    fn remember(&mut self, point: &[f64], gradient: &[f64]) {
        let mut step = point.to_vec();
        add(&mut step, -1.0, &self.point);
        let mut change = gradient.to_vec();
        add(&mut change, -1.0, &self.gradient);
        let product = dot(&step, &change);
        // Convexity makes it positive; rounding may not.
        if product > 1e-12 * (dot(&change, &change) * dot(&step, &step)).sqrt() {
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

    fn accept(&mut self, point: Vec<f64>, value: f64, gradient: Vec<f64>) {
        self.point = point;
        self.value = value;
        self.gradient = gradient;
        let squares = self
            .gradient
            .iter()
            .zip(&self.diagonal)
            .map(|(g, d)| g * g / d);
        self.criterion = 0.5 * squares.sum::<f64>() / self.value.abs();
        if self.sound() && self.criterion <= self.tolerance {
            self.state = State::Converged;
            return;
        }
        self.aim();
        self.place();
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

    fn place(&mut self) {
        self.trial.clone_from(&self.point);
        add(&mut self.trial, self.size, &self.direction);
    }
}

#[cfg(test)]
mod tests;
