//! The columns that papers are chosen and split by.

use crate::corpus::split::Month;
use crate::corpus::taxonomy::Label;

/// What selection and splitting know of each paper, in columns.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    ids: Vec<u64>,
    days: Vec<i32>,
    primaries: Vec<Option<Label>>,
    labels: Vec<Label>,
    ends: Vec<u32>,
}

impl Rows {
    /// Appends a paper: the hash of its id, its day of submission counted from 1970-01-01,
    /// its primary label if it is one, and all its labels.
    pub fn push(
        &mut self,
        id: u64,
        days: i32,
        primary: Option<Label>,
        labels: impl IntoIterator<Item = Label>,
    ) {
        self.ids.push(id);
        self.days.push(days);
        self.primaries.push(primary);
        self.labels.extend(labels);
        self.ends.push(self.labels.len() as u32);
    }

    /// How many papers there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// True without papers.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The day of submission, counted from 1970-01-01.
    pub fn days(&self, row: usize) -> i32 {
        self.days[row]
    }

    /// The month of submission.
    pub fn month(&self, row: usize) -> Month {
        Month::of_days(self.days[row])
    }

    /// The primary label.
    pub fn primary(&self, row: usize) -> Option<Label> {
        self.primaries[row]
    }

    /// All labels.
    pub fn labels(&self, row: usize) -> &[Label] {
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.labels[start as usize..self.ends[row] as usize]
    }

    /// A number that orders papers at random: the same for the same seed and id.
    pub(in crate::corpus) fn rank(&self, row: usize, seed: u64) -> u64 {
        finalize(self.ids[row] ^ finalize(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)))
    }
}

/// The finalizer of SplitMix64, <https://prng.di.unimi.it/splitmix64.c>.
const fn finalize(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
