//! What one paper adds to the figures.

use super::Counts;

/// A label that a paper has, was assigned, or both.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) label: u32,
    assigned: bool,
    positive: bool,
}

/// What a paper adds to the figures.
#[derive(Debug)]
pub(super) struct Paper {
    pub(super) entries: Vec<Entry>,
    pub(super) best_is_true: bool,
    /// 1 is best; 0: no primary.
    pub(super) primary_rank: usize,
    pub(super) among_five: u64,
    pub(super) lrap: f64,
}

/// Place of `label` from 1, equal scores ranked by index.
pub(super) fn rank(scores: &[f32], label: usize) -> usize {
    let score = scores[label];
    let before = scores[..label]
        .iter()
        .filter(|&&other| other >= score)
        .count();
    1 + before
        + scores[label + 1..]
            .iter()
            .filter(|&&other| other > score)
            .count()
}

fn lrap(scores: &[f32], entries: &[Entry]) -> f64 {
    let relevant = || {
        entries
            .iter()
            .filter(|entry| entry.positive)
            .map(|e| scores[e.label as usize])
    };
    let count = relevant().count();
    if count == 0 || count == scores.len() {
        return 1.0;
    }
    let precision = |score: f32| {
        let above = scores.iter().filter(|&&other| other >= score).count();
        relevant().filter(|&other| other >= score).count() as f64 / above as f64
    };
    relevant().map(precision).sum::<f64>() / count as f64
}

impl Paper {
    pub(super) fn new(
        scores: &[f32],
        truth: &[u8],
        thresholds: &[f32],
        primary: Option<usize>,
    ) -> Self {
        let mut entries = Vec::new();
        let mut best = 0;
        for (label, (&score, &truth)) in scores.iter().zip(truth).enumerate() {
            let (assigned, positive) = (score >= thresholds[label], truth != 0);
            if assigned || positive {
                entries.push(Entry {
                    label: label as u32,
                    assigned,
                    positive,
                });
            }
            if score > scores[best] {
                best = label;
            }
        }
        let among_five = |entry: &&Entry| entry.positive && rank(scores, entry.label as usize) <= 5;
        Self {
            best_is_true: truth[best] != 0,
            primary_rank: primary.map_or(0, |label| rank(scores, label)),
            among_five: entries.iter().filter(among_five).count() as u64,
            lrap: lrap(scores, &entries),
            entries,
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for entry in &self.entries {
            counts.add(entry.counts(), 1);
        }
        counts
    }
}

impl Entry {
    pub(super) fn counts(self) -> Counts {
        Counts {
            hits: u64::from(self.assigned && self.positive),
            assigned: u64::from(self.assigned),
            positives: u64::from(self.positive),
        }
    }
}
