//! Cuts a corpus down to a manageable part with clear boundaries: dates, categories,
//! a cap per category, a size, and a minimum of papers a label.
//!
//! Which papers a cap or a size keeps depends on the seed and the papers' ids, never on
//! their order; a smaller size keeps a part of what a larger one keeps, up to rounding.

use super::split::Month;
use super::taxonomy::{self, LABELS, Label, Resolution};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    pub(super) fn rank(&self, row: usize, seed: u64) -> u64 {
        finalize(self.ids[row] ^ finalize(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)))
    }
}

/// The finalizer of SplitMix64, <https://prng.di.unimi.it/splitmix64.c>.
const fn finalize(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// Which of a paper's labels must be among the categories chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// Any of them.
    Any,
    /// The primary one.
    Primary,
}

/// Which papers and labels are kept. Applied in the order of the fields; from `per_category` on,
/// papers that a split by time leaves out are not there to be counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SubsetOptions {
    /// The first month kept.
    pub from: Option<Month>,
    /// The last month kept.
    pub until: Option<Month>,
    /// Categories, aliases or whole archives (`cs.LG`, `math.IT`, `hep-th`, `cs`); empty: all.
    pub categories: Vec<String>,
    /// Which of a paper's labels must be among them.
    pub categories_match: Match,
    /// Keep the labels outside `categories` of the papers kept.
    pub other_labels: bool,
    /// Keep at most this many papers of each primary category.
    pub per_category: Option<u64>,
    /// Keep at most this many papers, each primary category in its proportion.
    pub max_papers: Option<u64>,
    /// Remove labels with fewer papers than this, then papers without a label left.
    pub min_support: u64,
    /// Another seed, other papers within a cap or a size.
    pub seed: u64,
}

impl Default for SubsetOptions {
    fn default() -> Self {
        Self {
            from: None,
            until: None,
            categories: Vec::new(),
            categories_match: Match::Any,
            other_labels: true,
            per_category: None,
            max_papers: None,
            min_support: 0,
            seed: 0,
        }
    }
}

/// What was left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SubsetCounts {
    /// Papers outside the months.
    pub outside_dates: u64,
    /// Papers outside the categories.
    pub outside_categories: u64,
    /// Papers over the cap of their category.
    pub over_cap: u64,
    /// Papers over the size.
    pub over_size: u64,
    /// Labels removed for too little support, with their papers.
    pub labels_below_support: BTreeMap<&'static str, u64>,
    /// Papers whose labels were all removed.
    pub without_label: u64,
    /// Papers kept.
    pub kept: u64,
}

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// By row: the paper stays.
    pub keep: Vec<bool>,
    /// By label id: the label stays, on papers that stay.
    pub labels: [bool; LABELS],
    /// What was left out.
    pub counts: SubsetCounts,
}

impl Selection {
    /// True where `label` stays.
    pub fn has(&self, label: Label) -> bool {
        self.labels[label.index()]
    }
}

impl SubsetOptions {
    /// Checks everything that can be known without the papers.
    ///
    /// # Errors
    /// [`Error::Option`] with the option's name.
    pub fn check(&self) -> Result<()> {
        if let (Some(from), Some(until)) = (self.from, self.until)
            && from > until
        {
            let reason = format!("must not come after subset.until = {until}");
            return Err(Error::option("subset.from", from, reason));
        }
        for (name, limit) in [
            ("subset.per_category", self.per_category),
            ("subset.max_papers", self.max_papers),
        ] {
            if limit == Some(0) {
                return Err(Error::option(name, 0, "must be at least 1; null: no limit"));
            }
        }
        self.chosen().map(|_| ())
    }

    /// What they say of one paper alone.
    ///
    /// # Errors
    /// [`Error::Option`] with the option's name.
    pub fn filter(&self) -> Result<Filter> {
        let chosen = self.chosen()?;
        Ok(Filter {
            from: self.from,
            until: self.until,
            chosen: (!self.categories.is_empty()).then_some(chosen),
            by: self.categories_match,
        })
    }

    /// The labels chosen, by id.
    fn chosen(&self) -> Result<[bool; LABELS]> {
        let mut chosen = [self.categories.is_empty(); LABELS];
        for name in &self.categories {
            let of_archive = || taxonomy::labels().filter(|label| label.archive() == name);
            match taxonomy::resolve(name) {
                Resolution::Label(label) => chosen[label.index()] = true,
                Resolution::Legacy => of_archive().for_each(|label| chosen[label.index()] = true),
                Resolution::Unknown => {
                    let reason = "is neither a category nor an archive of arXiv";
                    return Err(Error::option("subset.categories", name, reason));
                }
            }
        }
        Ok(chosen)
    }
}

/// What the options say of one paper alone.
#[derive(Debug, Clone)]
pub struct Filter {
    from: Option<Month>,
    until: Option<Month>,
    chosen: Option<[bool; LABELS]>,
    by: Match,
}

impl Filter {
    /// True for a day, counted from 1970-01-01, within the months kept.
    pub fn has_day(&self, days: i32) -> bool {
        if self.from.is_none() && self.until.is_none() {
            return true;
        }
        let month = Month::of_days(days);
        self.from.is_none_or(|from| month >= from) && self.until.is_none_or(|until| month <= until)
    }

    /// True for a paper with these labels.
    pub fn has_labels(&self, primary: Option<Label>, labels: &[Label]) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| match self.by {
            Match::Any => labels.iter().any(|label| chosen[label.index()]),
            Match::Primary => primary.is_some_and(|label| chosen[label.index()]),
        })
    }
}

/// Chooses papers and labels among the rows with `among` set; the others are neither kept nor
/// counted.
///
/// # Errors
/// [`Error::Option`] with the option's name; [`Error::Shape`].
pub fn select(rows: &Rows, among: Vec<bool>, options: &SubsetOptions) -> Result<Selection> {
    if among.len() != rows.len() {
        return Err(Error::shape("among", [rows.len()], [among.len()]));
    }
    options.check()?;
    let chosen = options.chosen()?;
    let mut counts = SubsetCounts::default();
    let mut keep = among;
    let filter = options.filter()?;
    for (row, keep) in keep.iter_mut().enumerate().filter(|(_, keep)| **keep) {
        if !filter.has_day(rows.days[row]) {
            *keep = false;
            counts.outside_dates += 1;
        } else if !filter.has_labels(rows.primary(row), rows.labels(row)) {
            *keep = false;
            counts.outside_categories += 1;
        }
    }
    let labels = if options.other_labels {
        [true; LABELS]
    } else {
        chosen
    };
    if let Some(cap) = options.per_category {
        counts.over_cap = thin(rows, &mut keep, options.seed, |papers| papers.min(cap));
    }
    let kept = keep.iter().filter(|&&keep| keep).count() as u64;
    if let Some(size) = options.max_papers.filter(|&size| size < kept) {
        let quotas = quotas(&strata(rows, &keep), size);
        let mut quotas = quotas.into_iter();
        counts.over_size = thin(rows, &mut keep, options.seed, |_| {
            quotas.next().unwrap_or(0)
        });
    }
    let mut selection = Selection {
        keep,
        labels,
        counts,
    };
    drop_rare(rows, &mut selection, options.min_support);
    Ok(selection)
}

/// A paper's stratum: its primary label, else its first one, else none.
fn stratum(rows: &Rows, row: usize) -> usize {
    let first = || rows.labels(row).first().copied();
    rows.primary(row)
        .or_else(first)
        .map_or(LABELS, Label::index)
}

/// Papers kept in each stratum.
fn strata(rows: &Rows, keep: &[bool]) -> Vec<u64> {
    let mut papers = vec![0; LABELS + 1];
    for row in (0..rows.len()).filter(|&row| keep[row]) {
        papers[stratum(rows, row)] += 1;
    }
    papers
}

/// Leaves in each stratum, taken in order, the number of papers that `quota` answers to their
/// number; says how many went.
fn thin(rows: &Rows, keep: &mut [bool], seed: u64, mut quota: impl FnMut(u64) -> u64) -> u64 {
    let mut members: Vec<Vec<(u64, u32)>> = vec![Vec::new(); LABELS + 1];
    for row in (0..rows.len()).filter(|&row| keep[row]) {
        members[stratum(rows, row)].push((rows.rank(row, seed), row as u32));
    }
    let mut gone = 0;
    for papers in &mut members {
        let quota = quota(papers.len() as u64) as usize;
        papers.sort_unstable();
        for &(_, row) in papers.iter().skip(quota) {
            keep[row as usize] = false;
            gone += 1;
        }
    }
    gone
}

/// `size` shared out in proportion to `papers` by largest remainder, ties to the first.
fn quotas(papers: &[u64], size: u64) -> Vec<u64> {
    let all = u128::from(papers.iter().sum::<u64>().max(1));
    let share = |papers: u64| u128::from(papers) * u128::from(size);
    let mut quotas: Vec<u64> = papers.iter().map(|&n| (share(n) / all) as u64).collect();
    let mut order: Vec<usize> = (0..papers.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(share(papers[at]) % all));
    let missing = size - quotas.iter().sum::<u64>();
    for at in order.into_iter().take(missing as usize) {
        quotas[at] += 1;
    }
    quotas
}

/// Removes labels with fewer than `support` papers, then papers that lost all their labels.
fn drop_rare(rows: &Rows, selection: &mut Selection, support: u64) {
    let mut papers = [0_u64; LABELS];
    let kept = |keep: &[bool]| -> Vec<usize> { (0..rows.len()).filter(|&row| keep[row]).collect() };
    for row in kept(&selection.keep) {
        for label in rows.labels(row) {
            papers[label.index()] += 1;
        }
    }
    for label in taxonomy::labels() {
        let papers = papers[label.index()];
        if selection.has(label) && papers < support {
            selection.labels[label.index()] = false;
            if papers > 0 {
                selection
                    .counts
                    .labels_below_support
                    .insert(label.name(), papers);
            }
        }
    }
    for row in kept(&selection.keep) {
        let labels = rows.labels(row);
        if !labels.is_empty() && !labels.iter().any(|&label| selection.has(label)) {
            selection.keep[row] = false;
            selection.counts.without_label += 1;
        } else {
            selection.counts.kept += 1;
        }
    }
}

#[cfg(test)]
pub(in crate::corpus) mod tests;
