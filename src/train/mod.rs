//! Room `train`.

pub mod logistic;
pub mod mlp;
pub mod stage;

mod random;
mod vectors;
