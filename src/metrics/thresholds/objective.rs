//! The objective, and the candidates that maximise it: for all labels, and for one on its own.

use super::super::tally::Counts;
use super::Options;
use super::histogram::{Bucket, CANDIDATES, Histogram, counts, curve, total};

pub(super) fn value(micro_weight: f64, labels: &[Counts]) -> (f64, f64, f64) {
    let mut all = Counts::default();
    let (mut sum, mut with) = (0.0, 0u32);
    for label in labels {
        all.hits += label.hits;
        all.assigned += label.assigned;
        all.positives += label.positives;
        if label.positives > 0 {
            sum += label.scores()[2];
            with += 1;
        }
    }
    let (micro, macro_) = (
        all.scores()[2],
        if with == 0 {
            0.0
        } else {
            sum / f64::from(with)
        },
    );
    let value = micro_weight * micro + (1.0 - micro_weight) * macro_;
    (value, micro, macro_)
}

/// The place among the candidates of the best global threshold.
pub(super) fn best_global(histograms: &[Histogram], micro_weight: f64) -> usize {
    let curves: Vec<Vec<Bucket>> = histograms.iter().map(|label| curve(label)).collect();
    let worth = |at: usize| {
        let labels: Vec<Counts> = histograms
            .iter()
            .zip(&curves)
            .map(|(label, curve)| counts(label, curve, at))
            .collect();
        value(micro_weight, &labels).0
    };
    argmax(CANDIDATES, worth)
}

/// The first place with the highest worth.
fn argmax(places: usize, worth: impl Fn(usize) -> f64) -> usize {
    let mut best = (0, f64::NEG_INFINITY);
    for place in 0..places {
        let worth = worth(place);
        if worth > best.1 {
            best = (place, worth);
        }
    }
    best.0
}

/// What a label's share of the objective depends on beyond its own counts.
pub(super) struct Common {
    micro_weight: f64,
    prior: f64,
    min_support: u64,
    /// Micro-F1 at the global threshold, and what it is divided by there.
    micro_f1: f64,
    below: f64,
    labels: f64,
}

impl Common {
    pub(super) fn new(
        histograms: &[Histogram],
        global: usize,
        options: &Options,
        min_support: u64,
    ) -> Self {
        let mut all = Counts::default();
        let mut labels = 0.0;
        for histogram in histograms {
            let label = counts(histogram, &curve(histogram), global);
            all.hits += label.hits;
            all.assigned += label.assigned;
            all.positives += label.positives;
            labels += f64::from(u8::from(label.positives > 0));
        }
        Self {
            micro_weight: options.micro_weight,
            prior: options.prior,
            min_support,
            micro_f1: all.scores()[2],
            below: (all.assigned + all.positives) as f64,
            labels,
        }
    }

    /// The place of a label's own best threshold; `None` below the minimum support.
    pub(super) fn best_own(&self, histogram: &[Bucket]) -> Option<usize> {
        let all = total(histogram);
        if all.positives < self.min_support.max(1) {
            return None;
        }
        let own = all.positives as f64 / (all.positives as f64 + self.prior);
        let mixed = |bucket: &Bucket| own * bucket.positives as f64 + (1.0 - own) * bucket.expected;
        let curve = curve(histogram);
        Some(argmax(CANDIDATES, |at| {
            let hits = mixed(&curve[at]);
            let assigned = curve[at].papers as f64;
            let f1 = 2.0 * hits / (assigned + mixed(&all));
            self.micro_weight * (2.0 * hits - self.micro_f1 * assigned) / self.below
                + (1.0 - self.micro_weight) * f1 / self.labels
        }))
    }
}
