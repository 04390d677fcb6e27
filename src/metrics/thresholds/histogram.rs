//! The candidate thresholds, and a label's papers by how many of them their probability reaches.

use super::super::tally::Counts;

/// Candidate thresholds: logits from −7 to 4 in steps of 0.05 (probabilities 0.0009 to 0.982).
const LOWEST: f64 = -7.0;
const STEP: f64 = 0.05;
pub(super) const CANDIDATES: usize = 221;

pub(super) fn candidate(at: f64) -> f64 {
    1.0 / (1.0 + (-(LOWEST + STEP * at)).exp())
}

/// How many candidates a probability reaches: it is assigned by the first `n` of them.
pub(super) fn reached(probability: f32, candidates: &[f32]) -> usize {
    candidates.partition_point(|&threshold| threshold <= probability)
}

/// Papers by the number of candidates their probability reaches.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bucket {
    pub(super) papers: u64,
    pub(super) positives: u64,
    pub(super) expected: f64,
}

impl Bucket {
    pub(super) fn add(&mut self, other: &Self) {
        self.papers += other.papers;
        self.positives += other.positives;
        self.expected += other.expected;
    }
}

/// One label's buckets (`CANDIDATES + 1`).
pub(super) type Histogram = Vec<Bucket>;

/// Counts when assigning at each candidate, lowest first.
pub(super) fn curve(histogram: &[Bucket]) -> Vec<Bucket> {
    let mut above = Bucket::default();
    let mut curve: Vec<Bucket> = histogram[1..]
        .iter()
        .rev()
        .map(|bucket| {
            above.add(bucket);
            above
        })
        .collect();
    curve.reverse();
    curve
}

pub(super) fn total(histogram: &[Bucket]) -> Bucket {
    let mut sum = Bucket::default();
    histogram.iter().for_each(|bucket| sum.add(bucket));
    sum
}

pub(super) fn counts(histogram: &[Bucket], curve: &[Bucket], at: usize) -> Counts {
    Counts {
        hits: curve[at].positives,
        assigned: curve[at].papers,
        positives: total(histogram).positives,
    }
}
