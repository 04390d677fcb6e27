//! Room `infer`: papers → embeddings, scores → predictions.
//!
//! [`encoder`] turns texts into vectors and [`embed`] does so for a whole papers table through
//! the on-disk [`cache`]. [`prediction`] turns a row of probabilities into ranked categories or
//! archives, as [`options`] ask for; [`decision`] says what a moderator may do with them. [`classifier`] is a verified model directory on its
//! encoder, and [`files`] has it classify whole files; [`engine`] has it answer single requests,
//! batched. [`explain`] says which parts of a paper speak for a category. [`evaluate`] measures a model, and
//! [`comparison`] sets two that were measured beside each other.

pub mod cache;
pub mod classifier;
pub mod comparison;
pub mod decision;
pub mod embed;
pub mod encoder;
pub mod engine;
pub mod evaluate;
pub mod explain;
pub mod files;
pub mod options;
pub mod prediction;
