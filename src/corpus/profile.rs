//! Where the time of a stage goes: core seconds by step, summed over threads. Time that a thread
//! waits for a core or a disk does not count, so that a busy machine shows the same profile.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Time spent in one step, added up from any thread.
#[derive(Debug, Default)]
pub(super) struct Clock(AtomicU64);

impl Clock {
    /// Runs `work` and adds the time it took.
    pub(super) fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let start = thread_nanoseconds();
        let value = work();
        let taken = thread_nanoseconds().saturating_sub(start);
        self.0.fetch_add(taken, Ordering::Relaxed);
        value
    }

    fn seconds(&self) -> f64 {
        Duration::from_nanos(self.0.load(Ordering::Relaxed)).as_secs_f64()
    }
}

/// Nanoseconds that this thread has worked.
fn thread_nanoseconds() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is a timespec to be written, and every thread has this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
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
    /// Near-duplicate groups.
    pub group: Clock,
    /// Selection and splits.
    pub split: Clock,
    /// Pages onto the disk, and the rest of the papers table.
    pub write: Clock,
}

impl Profile {
    /// Seconds by step.
    pub(super) fn seconds(&self) -> [(&'static str, f64); 9] {
        [
            ("read", &self.read),
            ("parse", &self.parse),
            ("clean", &self.clean),
            ("sign", &self.sign),
            ("gather", &self.gather),
            ("encode", &self.encode),
            ("group", &self.group),
            ("split", &self.split),
            ("write", &self.write),
        ]
        .map(|(name, clock)| (name, clock.seconds()))
    }
}
