//! Room `infer`: papers → embeddings, scores → predictions.
//!
//! [`encoder`] turns texts into vectors and [`embed`] does so for a whole papers table through
//! the on-disk [`cache`]. [`prediction`] turns a row of probabilities into ranked categories or
//! archives, as [`options`] ask for. [`classifier`] is a verified model directory on its
//! encoder, and [`files`] has it classify whole files. [`evaluate`] measures a model, and
//! [`comparison`] sets two that were measured beside each other.

pub mod cache;
pub mod classifier;
pub mod comparison;
pub mod embed;
pub mod encoder;
pub mod evaluate;
pub mod files;
pub mod options;
pub mod prediction;
