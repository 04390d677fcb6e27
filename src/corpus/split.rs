//! Cuts a corpus into train, validation and test: by month, or at random in the labels'
//! proportions. Near-duplicates never stand on two sides.

mod month;
mod options;
mod stratify;

pub use self::month::Month;
pub use self::options::{Ranges, SplitBy, SplitOptions};

use super::subset::Rows;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// What a paper is used for. The order is the order in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Weights are fitted on it.
    Train,
    /// Thresholds and calibration are fitted on it.
    Validation,
    /// Everything reported is measured on it.
    Test,
}

impl Split {
    /// All three, in order of time.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The name in the papers table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }

    /// The split with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|split| split.name() == name)
    }
}

/// What a split did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct SplitCounts {
    /// Papers in train.
    pub train: u64,
    /// Papers in validation.
    pub validation: u64,
    /// Papers in test.
    pub test: u64,
    /// By time: papers left out for their month.
    pub outside_dates: u64,
    /// By time: papers left out because an earlier split holds a near-duplicate of them.
    pub straddling: u64,
    /// The months used, by time.
    pub ranges: Option<Ranges>,
}

/// A split of every row; none for a row that is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// By row.
    pub splits: Vec<Option<Split>>,
    /// What was done.
    pub counts: SplitCounts,
}

impl Assignment {
    /// Takes the rows without `keep` out of their splits.
    pub(super) fn retain(&mut self, keep: &[bool]) {
        for (split, keep) in self.splits.iter_mut().zip(keep) {
            *split = split.filter(|_| *keep);
        }
        self.count();
    }

    fn count(&mut self) {
        let mut papers = [0; 3];
        for split in self.splits.iter().flatten() {
            papers[*split as usize] += 1;
        }
        let counts = &mut self.counts;
        [counts.train, counts.validation, counts.test] = papers;
    }
}

/// Splits the rows with `keep` set; the others stay without a split and are not counted.
/// `groups` names each row's near-duplicate group by its first row.
///
/// By time a paper's month decides, and a paper whose near-duplicate stands in an earlier
/// split is left out: putting it beside its near-duplicate would train on papers from the
/// test months, leaving it in place would test on what was trained on. Stratified, a group
/// goes to one split as a whole. Neither depends on the order of the rows.
///
/// # Errors
/// [`Error::Option`] for options that contradict each other.
pub fn assign(
    rows: &Rows,
    groups: &[u32],
    keep: &[bool],
    options: &SplitOptions,
) -> Result<Assignment> {
    for (name, len) in [("groups", groups.len()), ("keep", keep.len())] {
        if len != rows.len() {
            return Err(Error::shape(name, [rows.len()], [len]));
        }
    }
    options.check()?;
    let mut counts = SplitCounts::default();
    let splits = match options.by {
        SplitBy::Time => by_time(rows, groups, keep, options, &mut counts)?,
        SplitBy::Stratified => stratify::assign(rows, groups, keep, options),
    };
    let mut assignment = Assignment { splits, counts };
    assignment.count();
    Ok(assignment)
}

fn by_time(
    rows: &Rows,
    groups: &[u32],
    keep: &[bool],
    options: &SplitOptions,
    counts: &mut SplitCounts,
) -> Result<Vec<Option<Split>>> {
    let kept = || (0..rows.len()).filter(|&row| keep[row]);
    let mut splits = vec![None; rows.len()];
    let Some(newest) = kept().map(|row| rows.month(row)).max() else {
        return Ok(splits);
    };
    let ranges = options.ranges(newest)?;
    counts.ranges = Some(ranges);
    // The earliest split that holds a member of the group, at the group's first row.
    let mut earliest: Vec<Option<Split>> = vec![None; rows.len()];
    for row in kept() {
        splits[row] = ranges.split(rows.month(row));
        counts.outside_dates += u64::from(splits[row].is_none());
        let group = &mut earliest[groups[row] as usize];
        *group = match (*group, splits[row]) {
            (Some(before), Some(now)) => Some(before.min(now)),
            (before, now) => before.or(now),
        };
    }
    for row in kept() {
        if splits[row].is_some() && splits[row] != earliest[groups[row] as usize] {
            splits[row] = None;
            counts.straddling += 1;
        }
    }
    Ok(splits)
}

#[cfg(test)]
mod tests;
