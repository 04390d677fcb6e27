//! Room `train`.

pub mod finetune;
pub mod logistic;
pub mod mlp;
pub mod stage;

mod random;
mod rows;
mod space;
mod vectors;
