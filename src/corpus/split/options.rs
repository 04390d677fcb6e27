//! What a split is asked to be, and the months that follow from it.

use super::{Month, Split};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// How papers are spread over the splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitBy {
    /// By the month of first submission: train before validation before test.
    Time,
    /// At random, each label spread in the same proportions.
    Stratified,
}

/// How a corpus is split. Months are written `2016-03`; both ends of a range belong to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SplitOptions {
    /// By time, or stratified.
    pub by: SplitBy,
    /// By time: length of the test range in months, where neither its ends are given nor one before
    /// it; from an earlier end on, the months after validation are all of it.
    pub test_months: u32,
    /// By time: length of the validation range in months, where its ends are not given.
    pub validation_months: u32,
    /// By time: the last month of train.
    pub train_until: Option<Month>,
    /// By time: the last month of validation.
    pub validation_until: Option<Month>,
    /// By time: the first month of test; months between validation and it are left out.
    pub test_from: Option<Month>,
    /// By time: the last month of test; later papers are left out.
    pub test_until: Option<Month>,
    /// Stratified: share of the papers in validation.
    pub validation_fraction: f64,
    /// Stratified: share of the papers in test.
    pub test_fraction: f64,
    /// Stratified: another seed, another split.
    pub seed: u64,
}

impl Default for SplitOptions {
    fn default() -> Self {
        Self {
            by: SplitBy::Time,
            test_months: 3,
            validation_months: 3,
            train_until: None,
            validation_until: None,
            test_from: None,
            test_until: None,
            validation_fraction: 0.1,
            test_fraction: 0.1,
            seed: 0,
        }
    }
}

/// Months of each split by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ranges {
    /// Last month of train.
    pub train_until: Month,
    /// Last month of validation, which begins after train.
    pub validation_until: Month,
    /// First month of test.
    pub test_from: Month,
    /// Last month of test.
    pub test_until: Month,
}

impl Ranges {
    /// The split of a month; none where it is left out.
    pub fn split(&self, month: Month) -> Option<Split> {
        if month <= self.train_until {
            Some(Split::Train)
        } else if month <= self.validation_until {
            Some(Split::Validation)
        } else {
            (self.test_from..=self.test_until)
                .contains(&month)
                .then_some(Split::Test)
        }
    }
}

impl SplitOptions {
    /// Checks everything that can be known without the papers.
    ///
    /// # Errors
    /// [`Error::Option`] with the option's name.
    pub fn check(&self) -> Result<()> {
        for (name, fraction) in [
            ("split.validation_fraction", self.validation_fraction),
            ("split.test_fraction", self.test_fraction),
        ] {
            if !(0.0..1.0).contains(&fraction) {
                return Err(Error::option(
                    name,
                    fraction,
                    "must be at least 0 and below 1",
                ));
            }
        }
        if self.validation_fraction + self.test_fraction >= 1.0 {
            let reason = "leaves nothing for train together with split.validation_fraction";
            return Err(Error::option(
                "split.test_fraction",
                self.test_fraction,
                reason,
            ));
        }
        for (name, months) in [
            ("split.test_months", self.test_months),
            ("split.validation_months", self.validation_months),
        ] {
            if !(1..=1200).contains(&months) {
                return Err(Error::option(name, months, "must be 1 to 1200"));
            }
        }
        let given = [
            ("split.train_until", self.train_until),
            ("split.validation_until", self.validation_until),
            ("split.test_from", self.test_from),
            ("split.test_until", self.test_until),
        ];
        let mut last: Option<(&str, Month)> = None;
        for (name, month) in given {
            let Some(month) = month else { continue };
            if let Some((before, earlier)) = last {
                let equal = name.ends_with("_until") && before.ends_with("_from");
                if month < earlier || (month == earlier && !equal) {
                    let reason = format!("must come after {before} = {earlier}");
                    return Err(Error::option(name, month, reason));
                }
            }
            last = Some((name, month));
        }
        Ok(())
    }

    /// The months of each split when the newest paper kept is from `newest`. Ends that are
    /// not given lie `test_months` and `validation_months` from the next one that is, counted
    /// back from the end of test where possible.
    ///
    /// # Errors
    /// [`Error::Option`] where the ends given leave no month for a split.
    pub fn ranges(&self, newest: Month) -> Result<Ranges> {
        self.check()?;
        let (test, validation) = (self.test_months as i32, self.validation_months as i32);
        // The last month before test, as far as the ends given fix it.
        let before_test = self
            .validation_until
            .or(self.test_from.map(|first| first.plus(-1)))
            .or(self
                .train_until
                .filter(|_| self.test_until.is_none())
                .map(|last| last.plus(validation)));
        let test_until = self
            .test_until
            .unwrap_or_else(|| before_test.map_or(newest, |before| newest.max(before.plus(1))));
        let validation_until = before_test.unwrap_or_else(|| test_until.plus(-test));
        let ranges = Ranges {
            train_until: self
                .train_until
                .unwrap_or_else(|| validation_until.plus(-validation)),
            validation_until,
            test_from: self.test_from.unwrap_or_else(|| validation_until.plus(1)),
            test_until,
        };
        if ranges.train_until < ranges.validation_until && ranges.test_from <= ranges.test_until {
            return Ok(ranges);
        }
        let given = [
            ("split.train_until", self.train_until),
            ("split.validation_until", self.validation_until),
            ("split.test_until", self.test_until),
        ];
        let last = given
            .into_iter()
            .rev()
            .find_map(|(name, end)| Some((name, end?)));
        let (name, end) = last.unwrap_or(("split.test_until", test_until));
        let reason = format!(
            "leaves no month for a split: train until {}, validation until {}, test {} to {}",
            ranges.train_until, ranges.validation_until, ranges.test_from, ranges.test_until
        );
        Err(Error::option(name, end, reason))
    }
}
