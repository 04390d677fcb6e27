//! Sorts papers into arXiv categories.
//!
//! Rooms, lowest first; a room imports only from rooms above it in this list:
//!
//! - [`error`], [`observe`], [`options`], [`checksum`], [`pipe`], [`scratch`]: the one error enum;
//!   progress and cancellation; options from JSON; files told apart; streams that may stay silent;
//!   files on their way to a name.
//! - [`text`]: raw title and abstract → cleaned text, and the one template a model reads.
//! - [`corpus`], [`tokens`], [`metrics`]: snapshot → papers table; text → ids → batches; scores → figures.
//! - `model`: model directory ↔ encoder, heads (feature `torch`).
//! - `train`, `infer`: batches → weights; papers → scores (feature `torch`). They never import each other.
//! - `python`: the bindings (feature `python`), the only room that names pyo3.

pub mod checksum;
pub mod corpus;
pub mod error;
pub mod metrics;
pub mod observe;
pub mod options;
pub mod pipe;
pub mod scratch;
pub mod text;
pub mod tokens;

#[cfg(feature = "torch")]
pub mod infer;
#[cfg(feature = "torch")]
pub mod model;
#[cfg(feature = "torch")]
pub mod train;

#[cfg(feature = "python")]
mod python;

pub use error::{Error, Result};
