//! Subset and split in the order in which neither spoils the other.
//!
//! A split by time leaves papers out, for their month or for a near-duplicate in an earlier split,
//! whatever the subset: a cap, a size or a label's support is to count what is left. A stratified
//! split leaves nothing out and spreads the papers that the subset keeps.

use super::split::{self, Assignment, SplitBy, SplitOptions};
use super::subset::{self, Rows, Selection, SubsetOptions};
use crate::error::Result;

/// Which papers and labels stay, and the split of each paper that does. `groups` is as in
/// [`split::assign`].
///
/// # Errors
/// [`Error::Option`](crate::Error::Option) with the option's name.
pub(super) fn choose(
    rows: &Rows,
    groups: &[u32],
    subset: &SubsetOptions,
    split: &SplitOptions,
) -> Result<(Selection, Assignment)> {
    let all = vec![true; rows.len()];
    match split.by {
        SplitBy::Time => {
            let mut assignment = split::assign(rows, groups, &all, split)?;
            let within = assignment.splits.iter().map(Option::is_some).collect();
            let selection = subset::select(rows, within, subset)?;
            assignment.retain(&selection.keep);
            Ok((selection, assignment))
        }
        SplitBy::Stratified => {
            let selection = subset::select(rows, all, subset)?;
            let assignment = split::assign(rows, groups, &selection.keep, split)?;
            Ok((selection, assignment))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::split::Split;
    use super::super::subset::tests::{papers, table};
    use super::super::taxonomy::{Label, labels};
    use super::super::when;
    use super::*;
    use proptest::prelude::*;

    fn label(name: &str) -> Label {
        labels().find(|label| label.name() == name).unwrap()
    }

    fn until_october() -> SplitOptions {
        SplitOptions {
            test_until: "2016-10".parse().ok(),
            ..SplitOptions::default()
        }
    }

    /// `papers` of a label in a month each, their ids from `first` on.
    fn push(rows: &mut Rows, first: u64, papers: u64, name: &str, year: i32, month: u32) {
        for id in first..first + papers {
            let label = label(name);
            rows.push(id, when::days(year, month, 1), Some(label), [label]);
        }
    }

    #[test]
    fn support_and_size_count_the_papers_within_the_months() {
        let mut rows = Rows::default();
        push(&mut rows, 0, 30, "cs.LG", 2016, 9);
        push(&mut rows, 30, 1, "cs.CL", 2016, 9);
        push(&mut rows, 31, 30, "cs.CL", 2020, 1);
        let groups: Vec<u32> = (0..61).collect();
        let subset = SubsetOptions {
            min_support: 5,
            max_papers: Some(40),
            per_category: Some(30),
            ..SubsetOptions::default()
        };
        let (selection, assignment) = choose(&rows, &groups, &subset, &until_october()).unwrap();
        let counts = &selection.counts;
        assert_eq!(assignment.counts.outside_dates, 30);
        assert_eq!((counts.over_cap, counts.over_size), (0, 0));
        assert_eq!(counts.labels_below_support, [("cs.CL", 1)].into());
        assert_eq!((counts.without_label, counts.kept), (1, 30));
        assert_eq!(assignment.counts.test, 30);
        assert!(!selection.has(label("cs.CL")));
    }

    #[test]
    fn a_size_is_not_spent_on_later_near_duplicates() {
        let mut rows = Rows::default();
        push(&mut rows, 0, 10, "cs.LG", 2010, 1);
        push(&mut rows, 10, 10, "cs.LG", 2016, 9);
        // Each paper of 2016 is the twin of one of 2010.
        let groups: Vec<u32> = (0..20).map(|row| row % 10).collect();
        let subset = SubsetOptions {
            max_papers: Some(10),
            ..SubsetOptions::default()
        };
        let (_, assignment) = choose(&rows, &groups, &subset, &until_october()).unwrap();
        assert_eq!(assignment.counts.train, 10);
        assert_eq!(assignment.counts.straddling, 10);
    }

    #[test]
    fn a_stratified_split_spreads_what_the_subset_keeps() {
        let mut rows = Rows::default();
        push(&mut rows, 0, 300, "cs.LG", 2016, 9);
        push(&mut rows, 300, 700, "cs.CL", 2020, 1);
        let groups: Vec<u32> = (0..1000).collect();
        let subset = SubsetOptions {
            max_papers: Some(100),
            ..SubsetOptions::default()
        };
        let split = SplitOptions {
            by: SplitBy::Stratified,
            ..SplitOptions::default()
        };
        let (_, assignment) = choose(&rows, &groups, &subset, &split).unwrap();
        let counts = assignment.counts;
        assert_eq!((counts.train, counts.validation, counts.test), (80, 10, 10));
    }

    proptest! {
        #[test]
        fn every_paper_counts_once_and_support_holds_in_the_splits(
            papers in papers(200), twins in 1..60_u32, size in 1..150_u64, support in 0..9_u64,
            stratified: bool,
        ) {
            let rows = table(&papers);
            let groups: Vec<u32> = (0..rows.len() as u32).map(|row| row % twins).collect();
            let subset = SubsetOptions {
                max_papers: Some(size), min_support: support, ..SubsetOptions::default()
            };
            let by = if stratified { SplitBy::Stratified } else { SplitBy::Time };
            let split = SplitOptions { by, test_until: "2015-01".parse().ok(), ..SplitOptions::default() };
            let (selection, assignment) = choose(&rows, &groups, &subset, &split).unwrap();
            let (subset, split) = (&selection.counts, assignment.counts);
            let table = split.train + split.validation + split.test;
            prop_assert_eq!(table, subset.kept);
            let dropped = subset.over_size + subset.without_label + split.outside_dates + split.straddling;
            prop_assert_eq!(table + dropped, rows.len() as u64);
            let mut side: Vec<Option<Split>> = vec![None; rows.len()];
            let mut supports = [0; super::super::taxonomy::LABELS];
            for row in 0..rows.len() {
                prop_assert_eq!(assignment.splits[row].is_some(), selection.keep[row]);
                let Some(split) = assignment.splits[row] else { continue };
                prop_assert_eq!(*side[groups[row] as usize].get_or_insert(split), split);
                for label in rows.labels(row) {
                    supports[label.index()] += 1;
                }
            }
            for label in labels().filter(|&label| selection.has(label)) {
                prop_assert!(supports[label.index()] >= support);
            }
        }
    }
}
