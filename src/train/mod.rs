//! Room `train`.

pub mod mlp;

mod random;
mod vectors;
