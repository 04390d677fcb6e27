use super::*;
use crate::corpus::subset::tests::{papers, table};
use crate::corpus::taxonomy::{LABELS, Label};
use proptest::prelude::*;

fn month(text: &str) -> Option<Month> {
    Some(text.parse().unwrap())
}

fn alone(rows: &Rows) -> Vec<u32> {
    (0..rows.len() as u32).collect()
}

/// Rows joined to an earlier one by chance, each group named by its first row.
fn grouped(len: usize, seeds: &[u16]) -> Vec<u32> {
    let mut first: Vec<u32> = (0..len as u32).collect();
    for row in 1..len {
        let seed = usize::from(seeds[row % seeds.len()]);
        if seed % 3 == 0 {
            first[row] = first[seed % row];
        }
    }
    first
}

#[test]
fn the_recipes_months_are_cut_where_it_says() {
    let options = SplitOptions {
        train_until: month("2015-12"),
        validation_until: month("2016-03"),
        test_from: month("2016-04"),
        test_until: month("2016-06"),
        ..SplitOptions::default()
    };
    let ranges = options.ranges("2025-12".parse().unwrap()).unwrap();
    for (at, split) in [
        ("2009-01", Some(Split::Train)),
        ("2015-12", Some(Split::Train)),
        ("2016-01", Some(Split::Validation)),
        ("2016-03", Some(Split::Validation)),
        ("2016-04", Some(Split::Test)),
        ("2016-06", Some(Split::Test)),
        ("2016-07", None),
    ] {
        assert_eq!(ranges.split(at.parse().unwrap()), split, "{at}");
    }
}

#[test]
fn ends_that_are_not_given_follow_from_the_others() {
    let ends = |change: fn(&mut SplitOptions)| {
        let mut options = SplitOptions::default();
        change(&mut options);
        let ranges = options.ranges("2020-12".parse().unwrap()).unwrap();
        [
            ranges.train_until,
            ranges.validation_until,
            ranges.test_from,
            ranges.test_until,
        ]
        .map(|end| end.to_string())
    };
    assert_eq!(ends(|_| ()), ["2020-06", "2020-09", "2020-10", "2020-12"]);
    assert_eq!(
        ends(|options| options.test_months = 1),
        ["2020-08", "2020-11", "2020-12", "2020-12"]
    );
    assert_eq!(
        ends(|options| options.train_until = month("2019-12")),
        ["2019-12", "2020-03", "2020-04", "2020-12"]
    );
    assert_eq!(
        ends(|options| options.validation_until = month("2019-12")),
        ["2019-09", "2019-12", "2020-01", "2020-12"]
    );
    assert_eq!(
        ends(|options| options.test_until = month("2019-12")),
        ["2019-06", "2019-09", "2019-10", "2019-12"]
    );
    assert_eq!(
        ends(|options| {
            options.train_until = month("2018-12");
            options.test_until = month("2019-12");
        }),
        ["2018-12", "2019-09", "2019-10", "2019-12"]
    );
    assert_eq!(
        ends(|options| {
            options.validation_until = month("2018-12");
            options.test_from = month("2019-06");
        }),
        ["2018-09", "2018-12", "2019-06", "2020-12"]
    );
    // Nothing after train is there yet: the ranges are, and stay empty.
    assert_eq!(
        ends(|options| options.train_until = month("2020-12")),
        ["2020-12", "2021-03", "2021-04", "2021-04"]
    );
}

#[test]
fn ends_that_contradict_each_other_are_refused_by_name() {
    type Change = fn(&mut SplitOptions);
    let cases: [(Change, &str); 8] = [
        (
            |o| (o.train_until, o.validation_until) = (month("2016-03"), month("2016-03")),
            "split.validation_until",
        ),
        (
            |o| (o.validation_until, o.test_from) = (month("2016-03"), month("2016-03")),
            "split.test_from",
        ),
        (
            |o| (o.test_from, o.test_until) = (month("2016-03"), month("2016-02")),
            "split.test_until",
        ),
        (
            |o| (o.train_until, o.test_from) = (month("2016-02"), month("2016-03")),
            "split.train_until",
        ),
        (
            |o| (o.train_until, o.test_until) = (month("2016-02"), month("2016-04")),
            "split.test_until",
        ),
        (|o| o.test_months = 0, "split.test_months"),
        (|o| o.test_fraction = 1.0, "split.test_fraction"),
        (
            |o| (o.test_fraction, o.validation_fraction) = (0.5, 0.5),
            "split.test_fraction",
        ),
    ];
    for (change, name) in cases {
        let mut options = SplitOptions::default();
        change(&mut options);
        let error = options
            .ranges("2020-12".parse().unwrap())
            .unwrap_err()
            .to_string();
        assert!(error.contains(&format!("option {name} ")), "{error}");
    }
}

#[test]
fn a_later_near_duplicate_is_left_out_and_counted() {
    let mut rows = Rows::default();
    let label = Label::new(3);
    // Months from newest back: test, validation, train, and one of each without a twin.
    for (id, days) in [16_980, 16_850, 16_000, 16_981, 16_851, 16_001]
        .into_iter()
        .enumerate()
    {
        rows.push(id as u64, days, label, label);
    }
    let options = SplitOptions::default();
    let all = [true; 6];
    let twins = assign(&rows, &[0, 0, 0, 3, 4, 5], &all, &options).unwrap();
    let expected = [
        None,
        None,
        Some(Split::Train),
        Some(Split::Test),
        Some(Split::Validation),
        Some(Split::Train),
    ];
    assert_eq!(twins.splits, expected);
    assert_eq!(twins.counts.straddling, 2);
    // A near-duplicate that is itself left out holds nothing back.
    let without_train = assign(
        &rows,
        &[0, 0, 0, 3, 4, 5],
        &[true, true, false, true, true, true],
        &options,
    )
    .unwrap();
    assert_eq!(
        without_train.splits[..3],
        [None, Some(Split::Validation), None]
    );
}

#[test]
fn nothing_to_split_is_no_error_and_wrong_lengths_are() {
    let options = SplitOptions::default();
    assert!(
        assign(&Rows::default(), &[], &[], &options)
            .unwrap()
            .splits
            .is_empty()
    );
    assert!(assign(&Rows::default(), &[0], &[], &options).is_err());
    assert!(assign(&Rows::default(), &[], &[true], &options).is_err());
}

#[test]
fn stratified_splits_keep_each_labels_share() {
    let mut random = crate::corpus::dedup::tests::Random(11);
    let mut rows = Rows::default();
    for _ in 0..20_000 {
        // Squared, so that some labels are rare.
        let draw = random.below(100) * random.below(100) / 500;
        let labels: Vec<Label> = [draw, draw + 1 + random.below(3)]
            .into_iter()
            .filter_map(|id| Label::new(id as u8))
            .collect();
        rows.push(random.below(u64::MAX), 0, labels.first().copied(), labels);
    }
    let options = SplitOptions {
        by: SplitBy::Stratified,
        ..SplitOptions::default()
    };
    let splits = assign(&rows, &alone(&rows), &vec![true; rows.len()], &options).unwrap();
    let mut papers = vec![[0_u32; 3]; LABELS];
    for (row, split) in splits.splits.iter().enumerate() {
        for label in rows.labels(row) {
            papers[label.index()][split.unwrap() as usize] += 1;
        }
    }
    for [train, validation, test] in papers
        .into_iter()
        .filter(|split| split.iter().sum::<u32>() > 0)
    {
        let all = f64::from(train + validation + test);
        for part in [validation, test] {
            assert!(
                (f64::from(part) - 0.1 * all).abs() <= 1.5 + 0.01 * all,
                "{train} {validation} {test}"
            );
        }
    }
    assert!(
        (1_950..2_050).contains(&splits.counts.test)
            && (1_950..2_050).contains(&splits.counts.validation)
    );
}

proptest! {
    #[test]
    fn groups_never_straddle_and_time_is_kept(papers in papers(120), seeds in prop::collection::vec(any::<u16>(), 1..40), keeps in prop::collection::vec(any::<bool>(), 120), stratified: bool) {
        let rows = table(&papers);
        let groups = grouped(rows.len(), &seeds);
        let keep = &keeps[..rows.len()];
        let options = SplitOptions {
            by: if stratified { SplitBy::Stratified } else { SplitBy::Time },
            ..SplitOptions::default()
        };
        let done = assign(&rows, &groups, keep, &options).unwrap();
        let mut side = vec![None; rows.len()];
        let mut kept = 0;
        for row in 0..rows.len() {
            prop_assert!(keep[row] || done.splits[row].is_none());
            kept += u64::from(keep[row]);
            if let Some(split) = done.splits[row] {
                prop_assert_eq!(*side[groups[row] as usize].get_or_insert(split), split);
            }
        }
        let counts = done.counts;
        prop_assert_eq!(counts.train + counts.validation + counts.test + counts.outside_dates + counts.straddling, kept);
        if stratified {
            prop_assert_eq!(counts.outside_dates + counts.straddling, 0);
        } else {
            let splits = &done.splits;
            let month = |row| rows.month(row);
            let months = |split| (0..splits.len()).filter(move |&row| splits[row] == Some(split)).map(month);
            for (earlier, later) in [(Split::Train, Split::Validation), (Split::Validation, Split::Test), (Split::Train, Split::Test)] {
                if let (Some(last), Some(first)) = (months(earlier).max(), months(later).min()) {
                    prop_assert!(last < first);
                }
            }
        }
    }

    #[test]
    fn the_same_seed_splits_the_same_papers_the_same_in_any_order(papers in papers(120), seed: u64) {
        let options = SplitOptions { by: SplitBy::Stratified, seed, ..SplitOptions::default() };
        let sides = |papers: &[_]| {
            let rows = table(papers);
            assign(&rows, &alone(&rows), &vec![true; rows.len()], &options).unwrap().splits
        };
        let mut turned = papers.clone();
        turned.reverse();
        let mut back = sides(&turned);
        back.reverse();
        prop_assert_eq!(sides(&papers), back);
    }
}
