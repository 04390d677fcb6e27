//! How a long stage tells its caller where it is, and learns that it should stop.

use crate::error::{Error, Result};

/// A point in a stage's progress.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What is being done: `read`, `embed`, `fit`, …
    pub stage: &'static str,
    /// Units done so far.
    pub done: u64,
    /// Units in all, 0 where unknown.
    pub total: u64,
    /// The unit: `bytes`, `papers`, `epochs`.
    pub unit: &'static str,
    /// Live figures by name (loss, rate); empty where there are none.
    pub figures: Vec<(&'static str, f64)>,
}

/// Receives progress and answers whether to go on. Called from any thread.
pub trait Observer: Send + Sync {
    /// Takes one point of progress; must return quickly.
    fn progress(&self, progress: &Progress);
    /// True once the caller wants the stage to stop.
    fn cancelled(&self) -> bool;
}

impl dyn Observer + '_ {
    /// [`Error::Interrupted`] once the caller wants the stage to stop.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn check(&self) -> Result<()> {
        if self.cancelled() {
            Err(Error::Interrupted)
        } else {
            Ok(())
        }
    }

    /// Reports `done` of `total` units without figures.
    pub fn report(&self, stage: &'static str, done: u64, total: u64, unit: &'static str) {
        self.progress(&Progress {
            stage,
            done,
            total,
            unit,
            figures: Vec::new(),
        });
    }
}

/// An observer that hears nothing and never stops a stage.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn progress(&self, _: &Progress) {}
    fn cancelled(&self) -> bool {
        false
    }
}
