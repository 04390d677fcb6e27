use super::*;
use proptest::prelude::*;

/// An invented paper: id, day, labels; the first label is primary unless `bare`.
type Paper = (u64, i32, Vec<u8>, bool);

pub(in crate::corpus) fn papers(most: usize) -> impl Strategy<Value = Vec<Paper>> {
    let paper = (
        any::<u64>(),
        14_000..17_000,
        prop::collection::vec(0_u8..12, 0..4),
        any::<bool>(),
    );
    prop::collection::vec(paper, 0..most)
}

pub(in crate::corpus) fn table(papers: &[Paper]) -> Rows {
    let mut rows = Rows::default();
    for (id, days, labels, bare) in papers {
        let mut labels: Vec<Label> = labels.iter().filter_map(|&id| Label::new(id)).collect();
        let primary = labels.first().copied().filter(|_| !bare);
        labels.sort();
        labels.dedup();
        rows.push(*id, *days, primary, labels);
    }
    rows
}

fn select(rows: &Rows, options: &SubsetOptions) -> Result<Selection> {
    super::select(rows, vec![true; rows.len()], options)
}

fn label(name: &str) -> Label {
    match taxonomy::resolve(name) {
        Resolution::Label(label) => label,
        other => panic!("{name}: {other:?}"),
    }
}

fn of(names: &[&[&str]]) -> Rows {
    let mut rows = Rows::default();
    for (id, names) in (1..).zip(names) {
        rows.push(
            id,
            16_000,
            names.first().map(|name| label(name)),
            names.iter().map(|name| label(name)),
        );
    }
    rows
}

fn kept(selection: &Selection) -> Vec<usize> {
    (0..selection.keep.len())
        .filter(|&row| selection.keep[row])
        .collect()
}

#[test]
fn categories_are_matched_by_any_or_by_primary_label() {
    let rows = of(&[
        &["cs.LG", "stat.ML"],
        &["stat.ML", "cs.LG"],
        &["hep-th"],
        &["math.NA", "stat.ML"],
    ]);
    let mut options = SubsetOptions {
        categories: vec!["cs.LG".into(), "cs.NA".into()],
        ..SubsetOptions::default()
    };
    let any = select(&rows, &options).unwrap();
    assert_eq!(kept(&any), [0, 1, 3]);
    assert!(any.has(label("stat.ML")) && any.counts.outside_categories == 1);
    options.categories_match = Match::Primary;
    options.other_labels = false;
    let primary = select(&rows, &options).unwrap();
    assert_eq!(kept(&primary), [0, 3]);
    assert!(!primary.has(label("stat.ML")) && primary.has(label("math.NA")));
}

#[test]
fn an_archive_stands_for_its_categories() {
    let rows = of(&[
        &["astro-ph.CO"],
        &["cs.LG"],
        &["math-ph"],
        &["hep-th"],
        &["cs.IT"],
        &["eess.SY"],
    ]);
    let chosen = |names: &[&str]| {
        let categories = names.iter().map(|&name| name.to_owned()).collect();
        kept(
            &select(
                &rows,
                &SubsetOptions {
                    categories,
                    ..SubsetOptions::default()
                },
            )
            .unwrap(),
        )
    };
    assert_eq!(chosen(&["astro-ph"]), [0]);
    assert_eq!(chosen(&["cs", "hep-th"]), [1, 3, 4, 5]);
    assert_eq!(chosen(&["math"]), [2, 4]);
    assert_eq!(chosen(&["eess"]), [5]);
}

#[test]
fn rare_labels_go_and_papers_with_nothing_else() {
    let rows = of(&[
        &["cs.LG"],
        &["cs.LG", "cs.GL"],
        &["cs.GL"],
        &["cs.LG"],
        &["hep-th"],
    ]);
    let options = SubsetOptions {
        min_support: 3,
        ..SubsetOptions::default()
    };
    let selection = select(&rows, &options).unwrap();
    assert_eq!(kept(&selection), [0, 1, 3]);
    assert!(!selection.has(label("cs.GL")));
    assert_eq!(selection.counts.without_label, 2);
    assert_eq!(
        selection.counts.labels_below_support,
        [("cs.GL", 2), ("hep-th", 1)].into()
    );
}

#[test]
fn rows_that_are_not_to_choose_among_count_nowhere() {
    let rows = of(&[&["cs.GL"], &["cs.LG"], &["cs.LG"], &["cs.GL"], &["hep-th"]]);
    let among = vec![false, true, true, true, false];
    let options = SubsetOptions {
        categories: vec!["cs".into()],
        max_papers: Some(3),
        per_category: Some(2),
        min_support: 2,
        ..SubsetOptions::default()
    };
    let selection = super::select(&rows, among, &options).unwrap();
    assert_eq!(kept(&selection), [1, 2]);
    let counts = &selection.counts;
    assert_eq!((counts.over_cap, counts.over_size), (0, 0));
    assert_eq!(counts.outside_categories, 0);
    assert_eq!(counts.labels_below_support, [("cs.GL", 1)].into());
    assert!(super::select(&rows, vec![true; 4], &options).is_err());
}

#[test]
fn options_that_cannot_be_used_are_refused_by_name() {
    let months = |from: &str, until: &str| SubsetOptions {
        from: from.parse().ok(),
        until: until.parse().ok(),
        ..SubsetOptions::default()
    };
    let named = |name: &str| SubsetOptions {
        categories: vec![name.into()],
        ..SubsetOptions::default()
    };
    let capped = SubsetOptions {
        per_category: Some(0),
        ..SubsetOptions::default()
    };
    let empty = SubsetOptions {
        max_papers: Some(0),
        ..SubsetOptions::default()
    };
    for (options, name) in [
        (months("2016-02", "2016-01"), "subset.from"),
        (named("cs.XX"), "subset.categories"),
        (capped, "subset.per_category"),
        (empty, "subset.max_papers"),
    ] {
        let error = select(&Rows::default(), &options).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
    assert!(months("2016-01", "2016-01").check().is_ok());
}

#[test]
fn shares_by_largest_remainder_add_up() {
    assert_eq!(quotas(&[50, 30, 20, 0], 10), [5, 3, 2, 0]);
    assert_eq!(quotas(&[1, 1, 1], 2), [1, 1, 0]);
    assert_eq!(quotas(&[7, 2, 1], 9), [6, 2, 1]);
}

proptest! {
    #[test]
    fn caps_and_sizes_hold_and_everything_is_counted(
        papers in papers(300), cap in 1_u64..20, size in 1_u64..200, support in 0_u64..20, seed: u64,
    ) {
        let rows = table(&papers);
        let options = SubsetOptions {
            per_category: Some(cap), max_papers: Some(size), min_support: support, seed,
            ..SubsetOptions::default()
        };
        let selection = select(&rows, &options).unwrap();
        prop_assert!(strata(&rows, &selection.keep).iter().all(|&papers| papers <= cap));
        let counts = &selection.counts;
        prop_assert!(counts.kept <= size);
        prop_assert_eq!(counts.kept, kept(&selection).len() as u64);
        prop_assert_eq!(counts.kept + counts.over_cap + counts.over_size + counts.without_label, papers.len() as u64);
        let before_support = papers.len() as u64 - counts.over_cap;
        prop_assert_eq!(counts.kept + counts.without_label, before_support.min(size));
    }

    #[test]
    fn what_is_kept_does_not_depend_on_the_order_of_the_papers(papers in papers(200), seed: u64) {
        let options = SubsetOptions {
            per_category: Some(9), max_papers: Some(60), min_support: 3, seed,
            ..SubsetOptions::default()
        };
        let ids = |papers: &[Paper]| {
            let selection = select(&table(papers), &options).unwrap();
            let mut ids: Vec<u64> = kept(&selection).into_iter().map(|row| papers[row].0).collect();
            ids.sort_unstable();
            ids
        };
        let mut turned = papers.clone();
        turned.reverse();
        prop_assert_eq!(ids(&papers), ids(&turned));
    }
}
