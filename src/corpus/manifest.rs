//! `manifest.json`: what went in, what was done, and what became of every line.

use super::dedup::DedupCounts;
use super::options::PrepareOptions;
use super::pipeline::Gathered;
use super::split::{Ranges, Split, SplitCounts};
use super::subset::{Rows, Selection, SubsetCounts};
use super::{parquet, taxonomy, when};
use serde::Serialize;
use std::collections::BTreeMap;

/// The manifest. Holds no time and no path: same input and options, same bytes.
#[derive(Debug, Serialize)]
pub struct Manifest {
    /// Version of this layout.
    pub format_version: u32,
    /// Versions of what decides the output.
    pub versions: Versions,
    /// The file that was read.
    pub source: SourceFile,
    /// The options, defaults filled in; not `threads`, which changes nothing.
    pub options: PrepareOptions,
    /// Lines of the source, blank ones included.
    pub lines: u64,
    /// Rows of the papers table.
    pub papers: u64,
    /// Lines and papers that are not in the table, by reason. With `papers` they add up to `lines`.
    pub dropped: Dropped,
    /// Labels that papers lost, with the number of papers.
    pub removed_labels: RemovedLabels,
    /// Near-duplicates among the papers left after exact duplicates.
    pub near_duplicates: NearDuplicates,
    /// Months of each split, where it is by time.
    pub ranges: Option<Ranges>,
    /// Papers of each split.
    pub splits: BTreeMap<&'static str, SplitSummary>,
    /// Papers of each label by split.
    pub labels: BTreeMap<&'static str, [u64; 3]>,
}

/// Versions of what decides the output.
#[derive(Debug, Serialize)]
pub struct Versions {
    /// This library.
    pub arxiv_core: &'static str,
    /// Layout of the papers table.
    pub papers: &'static str,
    /// The label space.
    pub label_space: u32,
    /// Cleaning and template of texts.
    pub template: u32,
}

/// The file that was read.
#[derive(Debug, Serialize)]
pub struct SourceFile {
    /// Of the file as it lies on disk: see [`crate::checksum`].
    pub checksum: String,
    /// Its size on disk.
    pub bytes: u64,
    /// What it was packed in.
    pub format: &'static str,
}

/// Lines and papers that are not in the table. A paper counts once, at the first reason in this
/// order, but that a split by time comes before the caps: they count papers within its months.
#[derive(Debug, Serialize)]
pub struct Dropped {
    /// Lines without text.
    pub blank_lines: u64,
    /// Lines that could not be read; see quarantine.jsonl.
    pub quarantined: u64,
    /// Papers without a canonical category.
    pub unlabelled: u64,
    /// Papers outside `subset.from` and `subset.until`.
    pub outside_dates: u64,
    /// Papers outside `subset.categories`.
    pub outside_categories: u64,
    /// Papers that say they were withdrawn.
    pub withdrawn: u64,
    /// Papers with an abstract shorter than `min_abstract_chars`.
    pub short_abstract: u64,
    /// Papers whose id an earlier one has.
    pub duplicate_id: u64,
    /// Papers whose text an earlier one has.
    pub duplicate_text: u64,
    /// Papers over `subset.per_category`.
    pub over_cap: u64,
    /// Papers over `subset.max_papers`.
    pub over_size: u64,
    /// Papers that lost all their labels to `subset.min_support` or `subset.other_labels`.
    pub without_label: u64,
    /// Papers in no month of a split.
    pub outside_split: u64,
    /// Papers whose near-duplicate stands in an earlier split.
    pub straddling: u64,
}

/// Labels that papers lost.
#[derive(Debug, Serialize)]
pub struct RemovedLabels {
    /// Bare archives, which are no labels.
    pub legacy: BTreeMap<&'static str, u64>,
    /// Names that arXiv's taxonomy does not have.
    pub unknown: BTreeMap<String, u64>,
    /// Labels with fewer papers than `subset.min_support`.
    pub below_support: BTreeMap<&'static str, u64>,
}

/// Near-duplicates.
#[derive(Debug, Serialize)]
pub struct NearDuplicates {
    /// Groups of at least two.
    pub groups: u64,
    /// Papers in them.
    pub papers: u64,
    /// Papers in the largest.
    pub largest: u64,
}

/// One split.
#[derive(Debug, Default, Serialize)]
pub struct SplitSummary {
    /// How many papers.
    pub papers: u64,
    /// Day of the earliest, `2016-03-31`.
    pub first: Option<String>,
    /// Day of the latest.
    pub last: Option<String>,
}

/// What the manifest is made of besides what was gathered.
pub(super) struct Outcome<'a> {
    pub selection: &'a Selection,
    pub splits: &'a [Option<Split>],
    pub split: SplitCounts,
    pub dedup: DedupCounts,
    pub quarantined: u64,
}

impl Manifest {
    pub(super) fn new(
        gathered: &Gathered,
        options: &PrepareOptions,
        outcome: &Outcome<'_>,
    ) -> Self {
        let Outcome {
            selection,
            splits,
            split,
            dedup,
            quarantined,
        } = outcome;
        let (left_out, subset): (_, &SubsetCounts) = (gathered.left_out, &selection.counts);
        Self {
            format_version: 1,
            versions: Versions {
                arxiv_core: env!("CARGO_PKG_VERSION"),
                papers: parquet::SCHEMA_VERSION,
                label_space: taxonomy::LABEL_SPACE_VERSION,
                template: crate::text::TEMPLATE_VERSION,
            },
            source: SourceFile {
                checksum: gathered.checksum.clone(),
                bytes: gathered.bytes,
                format: gathered.format,
            },
            options: options.clone(),
            lines: gathered.lines,
            papers: split.train + split.validation + split.test,
            dropped: Dropped {
                blank_lines: gathered.blank,
                quarantined: *quarantined,
                unlabelled: left_out.unlabelled,
                outside_dates: left_out.outside_dates + subset.outside_dates,
                outside_categories: left_out.outside_categories + subset.outside_categories,
                withdrawn: left_out.withdrawn,
                short_abstract: left_out.short_abstract,
                duplicate_id: dedup.duplicate_ids,
                duplicate_text: dedup.duplicate_texts,
                over_cap: subset.over_cap,
                over_size: subset.over_size,
                without_label: subset.without_label,
                outside_split: split.outside_dates,
                straddling: split.straddling,
            },
            removed_labels: RemovedLabels {
                legacy: gathered.legacy.clone(),
                unknown: gathered.unknown.clone(),
                below_support: subset.labels_below_support.clone(),
            },
            near_duplicates: NearDuplicates {
                groups: dedup.near_groups,
                papers: dedup.near_papers,
                largest: dedup.largest_group,
            },
            ranges: split.ranges,
            splits: summaries(&gathered.rows, splits),
            labels: label_counts(&gathered.rows, selection, splits),
        }
    }
}

fn summaries(rows: &Rows, splits: &[Option<Split>]) -> BTreeMap<&'static str, SplitSummary> {
    let mut found = BTreeMap::new();
    for split in Split::ALL {
        let mut days = (0..rows.len())
            .filter(|row| splits[*row] == Some(split))
            .map(|row| rows.days(row));
        let mut summary = SplitSummary::default();
        if let Some(day) = days.next() {
            let (papers, first, last) = days.fold((1, day, day), |(papers, first, last), day| {
                (papers + 1, day.min(first), day.max(last))
            });
            summary = SplitSummary {
                papers,
                first: Some(when::iso(first)),
                last: Some(when::iso(last)),
            };
        }
        found.insert(split.name(), summary);
    }
    found
}

fn label_counts(
    rows: &Rows,
    selection: &Selection,
    splits: &[Option<Split>],
) -> BTreeMap<&'static str, [u64; 3]> {
    let mut counts = vec![[0; 3]; taxonomy::LABELS];
    for (row, split) in splits.iter().enumerate() {
        let Some(split) = split else { continue };
        for label in rows
            .labels(row)
            .iter()
            .filter(|label| selection.has(**label))
        {
            counts[label.index()][*split as usize] += 1;
        }
    }
    taxonomy::labels()
        .map(|label| (label.name(), counts[label.index()]))
        .filter(|(_, papers)| *papers != [0; 3])
        .collect()
}
