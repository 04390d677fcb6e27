//! Where the time of a stage goes: seconds of work by step, summed over threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Time spent in one step, added up from any thread.
#[derive(Debug, Default)]
pub(super) struct Clock(AtomicU64);

impl Clock {
    /// Runs `work` and adds the time it took.
    pub(super) fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let value = work();
        self.0
            .fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        value
    }

    fn seconds(&self) -> f64 {
        Duration::from_nanos(self.0.load(Ordering::Relaxed)).as_secs_f64()
    }
}

/// The steps of `prepare`.
#[derive(Debug, Default)]
pub(super) struct Profile {
    /// Reading, hashing and unpacking the source.
    pub read: Clock,
    /// Lines to records, categories to labels.
    pub parse: Clock,
    /// Texts cleaned.
    pub clean: Clock,
    /// Fingerprints for duplicates.
    pub sign: Clock,
    /// Exact duplicates, bookkeeping.
    pub gather: Clock,
    /// Text columns to compressed Parquet pages.
    pub encode: Clock,
    /// Pages into the spill file.
    pub spill: Clock,
    /// Near-duplicate groups.
    pub group: Clock,
    /// Selection and splits.
    pub split: Clock,
    /// The papers table put together.
    pub write: Clock,
}

impl Profile {
    /// Seconds by step.
    pub(super) fn seconds(&self) -> [(&'static str, f64); 10] {
        [
            ("read", &self.read),
            ("parse", &self.parse),
            ("clean", &self.clean),
            ("sign", &self.sign),
            ("gather", &self.gather),
            ("encode", &self.encode),
            ("spill", &self.spill),
            ("group", &self.group),
            ("split", &self.split),
            ("write", &self.write),
        ]
        .map(|(name, clock)| (name, clock.seconds()))
    }
}
