//! Cuts a corpus down to a manageable part with clear boundaries: dates, categories,
//! a cap per category, a size, and a minimum of papers a label.
//!
//! Which papers a cap or a size keeps depends on the seed and the papers' ids, never on
//! their order; a smaller size keeps a part of what a larger one keeps, up to rounding.

mod quota;
mod rows;

pub use self::rows::Rows;

use self::quota::{quotas, strata, thin};
use super::split::Month;
use super::taxonomy::{self, LABELS, Label, Resolution};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// Categories, aliases or whole archives (`cs.LG`, `math.IT`, `hep-th`, `cs`); empty: all. An
    /// archive has the alias pairs with a name in it.
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
            // math.IT is of math, though its label is cs.IT.
            let of_archive = || {
                taxonomy::labels().filter(|label| {
                    let alias = label.alias().and_then(taxonomy::archive_of);
                    label.archive() == name || alias == Some(name)
                })
            };
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
        if !filter.has_day(rows.days(row)) {
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
