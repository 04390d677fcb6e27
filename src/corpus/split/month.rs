//! Calendar months, as papers are split by them.

use crate::corpus::when::civil;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A calendar month, written `2016-03`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month(i32);

impl Month {
    /// The month of a day counted from 1970-01-01.
    pub fn of_days(days: i32) -> Self {
        let (year, month, _) = civil(days);
        Self(12 * year + month as i32 - 1)
    }

    /// The month `count` months later, or earlier where negative.
    #[must_use]
    pub const fn plus(self, count: i32) -> Self {
        Self(self.0.saturating_add(count))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{:04}-{:02}",
            self.0.div_euclid(12),
            self.0.rem_euclid(12) + 1
        )
    }
}

impl FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a month; write it like 2016-03");
        let (year, month) = text.split_once('-').ok_or_else(wrong)?;
        if year.len() != 4
            || month.len() != 2
            || !text
                .bytes()
                .all(|byte| byte == b'-' || byte.is_ascii_digit())
        {
            return Err(wrong());
        }
        let year: i32 = year.parse().map_err(|_| wrong())?;
        let month: i32 = month.parse().map_err(|_| wrong())?;
        if (1..=12).contains(&month) {
            Ok(Self(12 * year + month - 1))
        } else {
            Err(wrong())
        }
    }
}

impl TryFrom<String> for Month {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_fall_into_their_months() {
        for (days, month) in [
            (0, "1970-01"),
            (-1, "1969-12"),
            (30, "1970-01"),
            (31, "1970-02"),
            (11_016, "2000-02"), // 29 February
            (11_017, "2000-03"),
            (16_891, "2016-03"), // 31 March
            (16_892, "2016-04"),
            (20_453, "2025-12"), // 31 December
        ] {
            assert_eq!(Month::of_days(days).to_string(), month, "{days}");
        }
        let mut last = Month::of_days(-40_000);
        for days in -40_000..40_000 {
            let month = Month::of_days(days);
            assert!(month == last || month == last.plus(1));
            last = month;
        }
    }

    #[test]
    fn months_are_read_as_they_are_written() {
        for text in ["1991-08", "2016-12", "0001-01"] {
            assert_eq!(text.parse::<Month>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "2016",
            "2016-13",
            "2016-00",
            "2016-3",
            "16-03",
            "2016-03-01",
            "+016-03",
        ] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
        let month: Month = "2016-01".parse().unwrap();
        assert_eq!(month.plus(-1).to_string(), "2015-12");
        assert_eq!(serde_json::to_string(&month).unwrap(), "\"2016-01\"");
    }
}
