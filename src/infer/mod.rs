//! Room `infer`: papers → scores → predictions.
//!
//! [`prediction`] turns a row of probabilities into ranked categories or archives, as
//! [`options`] ask for.

pub mod options;
pub mod prediction;
