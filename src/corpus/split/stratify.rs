//! Iterative stratification (Sechidis, Tsoumakas, Vlahavas 2011): the rarest label is dealt
//! out first, each paper to the split that still lacks most of that label, so that rare labels
//! keep their proportions. Near-duplicate groups are dealt out whole.

use super::{Split, SplitOptions};
use crate::corpus::subset::Rows;
use crate::corpus::taxonomy::LABELS;

/// Keeps the order here apart from the order in which a subset is chosen with the same seed.
const STREAM: u64 = 0x7370_6c69_7400_0000;

/// A near-duplicate group.
struct Unit {
    rank: u64,
    first: u32,
    papers: f64,
    labels: Vec<u8>,
}

/// What each split still lacks, in papers.
struct Wanted {
    by_label: Vec<[f64; 3]>,
    all: [f64; 3],
    open: [bool; 3],
}

impl Wanted {
    /// The split that lacks most of `label` (none: of papers); ties go to the one that lacks
    /// most papers, then to the earliest.
    fn neediest(&self, label: Option<usize>) -> usize {
        let need = |split: usize| {
            let of_label = label.map_or(0.0, |label| self.by_label[label][split]);
            (of_label, self.all[split])
        };
        let mut best = 0;
        for split in 1..3 {
            if self.open[split] && need(split) > need(best) {
                best = split;
            }
        }
        best
    }

    fn take(&mut self, unit: &Unit, split: usize) {
        self.all[split] -= unit.papers;
        for &label in &unit.labels {
            self.by_label[usize::from(label)][split] -= unit.papers;
        }
    }
}

/// Splits the rows with `keep` set.
pub(super) fn assign(
    rows: &Rows,
    groups: &[u32],
    keep: &[bool],
    options: &SplitOptions,
) -> Vec<Option<Split>> {
    let units = units(rows, groups, keep, options.seed);
    let mut holders: Vec<Vec<u32>> = vec![Vec::new(); LABELS];
    let mut left = vec![0.0; LABELS];
    for (at, unit) in units.iter().enumerate() {
        for &label in &unit.labels {
            holders[usize::from(label)].push(at as u32);
            left[usize::from(label)] += unit.papers;
        }
    }
    let train = 1.0 - options.validation_fraction - options.test_fraction;
    let fractions = [train, options.validation_fraction, options.test_fraction];
    let papers: f64 = units.iter().map(|unit| unit.papers).sum();
    let mut wanted = Wanted {
        by_label: left
            .iter()
            .map(|left| fractions.map(|share| share * left))
            .collect(),
        all: fractions.map(|share| share * papers),
        open: fractions.map(|share| share > 0.0),
    };
    let mut chosen: Vec<Option<Split>> = vec![None; units.len()];
    let rarest = |left: &[f64]| {
        let labels = (0..LABELS).filter(|&label| left[label] > 0.0);
        labels.min_by(|&a, &b| left[a].total_cmp(&left[b]))
    };
    while let Some(label) = rarest(&left) {
        for &at in &holders[label] {
            let unit = &units[at as usize];
            if chosen[at as usize].is_none() {
                let split = wanted.neediest(Some(label));
                wanted.take(unit, split);
                chosen[at as usize] = Some(Split::ALL[split]);
                for &label in &unit.labels {
                    left[usize::from(label)] -= unit.papers;
                }
            }
        }
    }
    let mut by_group = vec![None; rows.len()];
    for (unit, chosen) in units.iter().zip(chosen) {
        by_group[unit.first as usize] = Some(chosen.unwrap_or_else(|| {
            let split = wanted.neediest(None);
            wanted.take(unit, split);
            Split::ALL[split]
        }));
    }
    let split = |row: usize| keep[row].then(|| by_group[groups[row] as usize]).flatten();
    (0..rows.len()).map(split).collect()
}

/// The groups of the rows with `keep` set, in an order that the seed and the ids decide.
fn units(rows: &Rows, groups: &[u32], keep: &[bool], seed: u64) -> Vec<Unit> {
    const NONE: u32 = u32::MAX;
    let mut unit_of = vec![NONE; rows.len()];
    let mut units: Vec<Unit> = Vec::new();
    for row in (0..rows.len()).filter(|&row| keep[row]) {
        let first = groups[row];
        let at = &mut unit_of[first as usize];
        if *at == NONE {
            *at = units.len() as u32;
            units.push(Unit {
                rank: u64::MAX,
                first,
                papers: 0.0,
                labels: Vec::new(),
            });
        }
        let unit = &mut units[*at as usize];
        unit.rank = unit.rank.min(rows.rank(row, seed ^ STREAM));
        unit.papers += 1.0;
        unit.labels
            .extend(rows.labels(row).iter().map(|label| label.id()));
    }
    for unit in &mut units {
        unit.labels.sort_unstable();
        unit.labels.dedup();
    }
    units.sort_unstable_by_key(|unit| (unit.rank, unit.first));
    units
}
