//! Room `train`.

pub mod mlp;
pub mod stage;

mod random;
mod vectors;
