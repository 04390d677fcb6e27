//! The day a paper was first submitted: from its first version's date, else from its id.

/// Days since 1970-01-01 of a proleptic Gregorian date (Howard Hinnant's algorithm).
#[must_use]
pub fn days(year: i32, month: u32, day: u32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month as i32 + 9) % 12) + 2) / 5 + day as i32 - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of days since 1970-01-01 (the same algorithm, backwards).
#[must_use]
pub fn civil(days: i32) -> (i32, u32, u32) {
    let shifted = i64::from(days) + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month as u32, day as u32)
}

/// `2007-04-02`.
#[must_use]
pub fn iso(days: i32) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

fn checked(year: i32, month: u32, day: u32) -> Option<i32> {
    let date = days(year, month, day);
    (civil(date) == (year, month, day)).then_some(date)
}

/// The date written in `Mon, 2 Apr 2007 19:18:42 GMT`, the day as written (arXiv writes GMT);
/// the weekday and everything after the year may be missing.
#[must_use]
pub fn rfc2822(text: &str) -> Option<i32> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let date = text.split_once(',').map_or(text, |(_, date)| date);
    let mut words = date.split_ascii_whitespace();
    let day = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? as u32 + 1;
    let year = words.next().filter(|year| year.len() == 4)?.parse().ok()?;
    checked(year, month, day)
}

/// The first day of the month in an arXiv id: `YYMM.NNNNN`, `archive/YYMMNNN` or
/// `archive.XX/YYMMNNN`, with or without `vN`. Years 91 to 99 are 19xx.
#[must_use]
pub fn month_of_id(id: &str) -> Option<i32> {
    let id = id.as_bytes();
    let id = match id.iter().rposition(|byte| *byte == b'v') {
        Some(at) if number(&id[at + 1..]) => &id[..at],
        _ => id,
    };
    let yymm = match id.iter().position(|byte| *byte == b'/') {
        Some(at) if at > 0 && id.len() - at == 8 && number(&id[at + 1..]) => &id[at + 1..],
        None => {
            let (month, serial) = id.split_at_checked(4)?;
            let (dot, serial) = serial.split_first()?;
            let good = *dot == b'.' && matches!(serial.len(), 4..=5);
            (good && number(month) && number(serial)).then_some(month)?
        }
        _ => return None,
    };
    let two = |at: usize| i32::from(yymm[at] - b'0') * 10 + i32::from(yymm[at + 1] - b'0');
    let (year, month) = (two(0), two(2) as u32);
    let year = if year >= 91 { 1900 + year } else { 2000 + year };
    (1..=12).contains(&month).then(|| days(year, month, 1))
}

fn number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn days_and_dates_are_inverse(day in -1_000_000..1_000_000i32) {
            let (year, month, of_month) = civil(day);
            prop_assert_eq!(days(year, month, of_month), day);
        }
    }

    #[test]
    fn known_days() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 2, 29), 11_016);
        assert_eq!(iso(19_358), "2023-01-01");
    }

    #[test]
    fn dates_as_arxiv_writes_them() {
        let wanted = Some(days(2007, 4, 2));
        for text in [
            "Mon, 2 Apr 2007 19:18:42 GMT",
            "02 Apr 2007 01:00:00 +0000",
            "2 Apr 2007",
        ] {
            assert_eq!(rfc2822(text), wanted, "{text}");
        }
        for text in [
            "",
            "Mon, 2 Apr",
            "Mon, 31 Feb 2007 00:00:00 GMT",
            "2007-04-02",
            "1 Foo 2007",
            "0 Apr 2007",
        ] {
            assert_eq!(rfc2822(text), None, "{text}");
        }
    }

    #[test]
    fn months_of_ids() {
        for (id, date) in [
            ("0704.0001", Some((2007, 4))),
            ("2512.12345v2", Some((2025, 12))),
            ("hep-th/9108001", Some((1991, 8))),
            ("math.AG/0601001v3", Some((2006, 1))),
            ("solv-int/9901001", Some((1999, 1))),
            ("2513.00001", None),
            ("2500.00001", None),
            ("2501.001", None),
            ("hep-th/99", None),
            ("/9901001", None),
            ("nonsense", None),
            ("", None),
        ] {
            assert_eq!(
                month_of_id(id),
                date.map(|(year, month)| days(year, month, 1)),
                "{id}"
            );
        }
    }
}
