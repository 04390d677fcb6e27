//! What an engine has done so far: counts, and histograms of the kind Prometheus keeps.

use super::Timing;
use crate::error::{Error, Result};
use serde::Serialize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Upper bounds of a histogram of seconds: 0.1 ms to 13 s in doublings.
const SECONDS: [f64; 18] = [
    0.0001, 0.0002, 0.0004, 0.0008, 0.0016, 0.0032, 0.0064, 0.0128, 0.0256, 0.0512, 0.1024, 0.2048,
    0.4096, 0.8192, 1.6384, 3.2768, 6.5536, 13.1072,
];

/// Upper bounds of a histogram of requests a batch.
const REQUESTS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Upper bounds of a histogram of tokens a batch.
const TOKENS: [f64; 9] = [
    64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0,
];

/// Values counted by the first bound that they do not exceed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Histogram {
    /// Upper bounds, rising.
    pub bounds: &'static [f64],
    /// Values per bound, and one more for those above the last.
    pub counts: Vec<u64>,
    /// Sum of the values.
    pub sum: f64,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: vec![0; bounds.len() + 1],
            sum: 0.0,
        }
    }

    fn add(&mut self, value: f64) {
        let place = self.bounds.partition_point(|&bound| bound < value);
        self.counts[place] += 1;
        self.sum += value;
    }
}

/// What has happened, by request and by batch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Counters {
    /// Requests answered.
    pub answered: u64,
    /// Requests refused because as many as may be were under way.
    pub refused: u64,
    /// Requests whose deadline passed.
    pub late: u64,
    /// Requests that their caller cancelled, for another reason than their deadline.
    pub cancelled: u64,
    /// Requests that ended in another error.
    pub failed: u64,
    /// Seconds until a thread took a request to tokenize.
    pub queue: Histogram,
    /// Seconds of tokenization.
    pub tokenize: Histogram,
    /// Seconds from there to the encoder.
    pub wait: Histogram,
    /// Seconds a batch ran.
    pub run: Histogram,
    /// Requests a batch.
    pub batch_requests: Histogram,
    /// Tokens a batch.
    pub batch_tokens: Histogram,
}

/// [`Counters`] that threads share.
pub(super) struct Telemetry(Mutex<Counters>);

impl Default for Telemetry {
    fn default() -> Self {
        let seconds = || Histogram::new(&SECONDS);
        Self(Mutex::new(Counters {
            answered: 0,
            refused: 0,
            late: 0,
            cancelled: 0,
            failed: 0,
            queue: seconds(),
            tokenize: seconds(),
            wait: seconds(),
            run: seconds(),
            batch_requests: Histogram::new(&REQUESTS),
            batch_tokens: Histogram::new(&TOKENS),
        }))
    }
}

impl Telemetry {
    fn lock(&self) -> MutexGuard<'_, Counters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn counters(&self) -> Counters {
        self.lock().clone()
    }

    pub(super) fn refused(&self) {
        self.lock().refused += 1;
    }

    pub(super) fn late(&self) {
        self.lock().late += 1;
    }

    pub(super) fn cancelled(&self) {
        self.lock().cancelled += 1;
    }

    pub(super) fn batch(&self, requests: usize, tokens: usize, seconds: f64) {
        let mut counters = self.lock();
        counters.batch_requests.add(requests as f64);
        counters.batch_tokens.add(tokens as f64);
        counters.run.add(seconds);
    }

    pub(super) fn answered<A>(&self, result: &Result<(A, Timing)>) {
        let mut counters = self.lock();
        match result {
            Ok((_, timing)) => {
                counters.answered += 1;
                counters.queue.add(timing.queue);
                counters.tokenize.add(timing.tokenize);
                counters.wait.add(timing.wait);
            }
            Err(Error::Deadline { .. }) => counters.late += 1,
            Err(_) => counters.failed += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_below_the_first_bound_that_it_does_not_exceed() {
        let mut histogram = Histogram::new(&REQUESTS);
        for value in [1.0, 2.0, 3.0, 256.0, 257.0] {
            histogram.add(value);
        }
        assert_eq!(histogram.counts, [1, 1, 1, 0, 0, 0, 0, 0, 1, 1]);
        assert!((histogram.sum - 519.0).abs() < 1e-9);
    }
}
