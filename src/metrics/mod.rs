//! Scores and truth in, honest figures out. Pure Rust on plain slices; no libtorch, no Python.
//!
//! - [`scored`]: the checked view of scores and truth that everything else reads.
//! - [`tally`]: one pass over the papers; every counting and ranking figure of any weighted
//!   subset of them (all, one slice, one bootstrap resample) is a sum over it.
//! - [`precision`]: average precision per label, macro and micro.
//! - [`reliability`]: expected calibration error, Brier score, log loss.
//! - [`bootstrap`]: 95 % intervals, papers resampled.
//! - [`compare`]: two models on the same papers, with intervals of their difference.
//! - [`thresholds`], [`calibration`]: fitted on validation papers only, shrunk where data is thin.
//! - [`curves`], [`confusion`]: what a report draws, small enough to draw.
//! - [`report`]: all of it at once, per label and per slice.
//!
//! Conventions, everywhere: matrices are row-major `papers × labels`; a label is assigned where
//! `score >= threshold`; a ratio with nothing below the line is 0 (scikit-learn's
//! `zero_division=0`); scores rank from high to low and equal scores by label index, low first.

pub mod bootstrap;
pub mod calibration;
pub mod compare;
pub mod confusion;
pub mod curves;
pub mod precision;
pub mod reliability;
pub mod report;
pub mod scored;
pub mod tally;
pub mod thresholds;

mod folds;
mod random;

pub use scored::Scored;
