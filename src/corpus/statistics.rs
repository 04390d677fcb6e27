//! What is in a papers table: when, in which categories, how long.

use super::papers::Split;
use super::parquet::{self, Rows};
use super::taxonomy;
use super::when::civil;
use crate::error::Result;
use crate::observe::Observer;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Archives told apart over time; the others are one.
const ARCHIVES: usize = 8;
/// Categories in the table of co-occurrence: those with the most papers.
const TOGETHER: usize = 40;
/// Bars of a histogram of lengths.
const BARS: usize = 40;

/// Counts over a whole papers table.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Statistics {
    /// Papers.
    pub papers: u64,
    /// Papers of each split.
    pub splits: BTreeMap<&'static str, u64>,
    /// Papers over time.
    pub months: Months,
    /// Every category, most papers first.
    pub categories: Vec<Category>,
    /// Papers by their number of categories, from 0 on.
    pub categories_per_paper: Vec<u64>,
    /// Which categories go together.
    pub together: Together,
    /// Words of titles.
    pub title_words: Lengths,
    /// Words of abstracts.
    pub abstract_words: Lengths,
}

/// Papers by month and archive of their primary category.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Months {
    /// `2016-03`, every one from the first to the last.
    pub months: Vec<String>,
    /// The archives with the most papers, most first; `other` for the rest.
    pub archives: Vec<String>,
    /// By month, then by archive.
    pub papers: Vec<Vec<u64>>,
}

/// One category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Category {
    /// `cs.LG`.
    pub category: String,
    /// As people read it.
    pub name: String,
    /// Its archive.
    pub archive: String,
    /// Papers that carry it.
    pub papers: u64,
    /// Papers whose primary it is.
    pub primary: u64,
    /// Papers that carry it: train, validation, test.
    pub splits: [u64; 3],
}

/// Papers that carry both of two categories.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Together {
    /// The categories with the most papers, by name.
    pub categories: Vec<String>,
    /// Symmetric; on the diagonal all papers of the category.
    pub papers: Vec<Vec<u64>>,
}

/// How long texts are.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Lengths {
    /// Mean number of words.
    pub mean: f64,
    /// Number of words of the shortest, of the 5 %, 50 % and 95 % quantile, and of the longest.
    pub quantiles: [u64; 5],
    /// Words that a bar is wide.
    pub width: u64,
    /// Texts in each bar, the first from 0 words on; the last holds all longer ones too.
    pub bars: Vec<u64>,
}

#[derive(Default)]
struct Counter {
    papers: u64,
    splits: [u64; 3],
    months: BTreeMap<i32, HashMap<String, u64>>,
    place: HashMap<String, usize>,
    categories: Vec<(String, u64, [u64; 3])>,
    pairs: HashMap<(usize, usize), u64>,
    per_paper: Vec<u64>,
    titles: BTreeMap<u64, u64>,
    abstracts: BTreeMap<u64, u64>,
}

/// Counts the papers of the table at `path`, a batch of rows at a time.
///
/// # Errors
/// [`crate::Error::Io`], [`crate::Error::Input`] for what is no papers table,
/// [`crate::Error::Interrupted`].
pub fn statistics(path: &Path, observer: &dyn Observer) -> Result<Statistics> {
    let mut counter = Counter::default();
    for batch in parquet::batches(path)? {
        observer.check()?;
        let rows = Rows::new(path, &batch?)?;
        for row in 0..rows.len() {
            counter.add(&rows, row, rows.split(row)?);
        }
        observer.report("count", counter.papers, 0, "papers");
    }
    Ok(counter.finish())
}

fn words(text: &str) -> u64 {
    text.split_ascii_whitespace().count() as u64
}

impl Counter {
    fn add(&mut self, rows: &Rows, row: usize, split: Split) {
        self.papers += 1;
        self.splits[split as usize] += 1;
        let (year, month, _) = civil(rows.submitted(row));
        let archive = rows.archive(row).unwrap_or("none");
        let archives = self.months.entry(year * 12 + month as i32 - 1).or_default();
        *archives.entry(archive.to_owned()).or_default() += 1;
        let primary = rows.primary(row);
        let mut own: Vec<usize> = Vec::new();
        for name in rows.categories(row) {
            let next = self.categories.len();
            let at = *self.place.entry(name.clone()).or_insert(next);
            if at == next {
                self.categories.push((name.clone(), 0, [0; 3]));
            }
            let (_, firsts, splits) = &mut self.categories[at];
            *firsts += u64::from(primary == Some(name.as_str()));
            splits[split as usize] += 1;
            own.push(at);
        }
        for (at, &one) in own.iter().enumerate() {
            for &other in &own[at + 1..] {
                *self
                    .pairs
                    .entry((one.min(other), one.max(other)))
                    .or_default() += 1;
            }
        }
        if self.per_paper.len() <= own.len() {
            self.per_paper.resize(own.len() + 1, 0);
        }
        self.per_paper[own.len()] += 1;
        *self.titles.entry(words(rows.title(row))).or_default() += 1;
        *self
            .abstracts
            .entry(words(rows.abstract_(row)))
            .or_default() += 1;
    }

    fn finish(self) -> Statistics {
        let mut categories: Vec<Category> = self
            .categories
            .iter()
            .map(|(name, primary, splits)| Category {
                category: name.clone(),
                name: taxonomy::find(name).map_or_else(String::new, |row| row.name.to_owned()),
                archive: taxonomy::archive_of(name).unwrap_or_default().to_owned(),
                papers: splits.iter().sum(),
                primary: *primary,
                splits: *splits,
            })
            .collect();
        categories.sort_by(|a, b| (b.papers, &a.category).cmp(&(a.papers, &b.category)));
        Statistics {
            papers: self.papers,
            splits: Split::ALL
                .into_iter()
                .map(|split| (split.name(), self.splits[split as usize]))
                .collect(),
            months: months(&self.months),
            together: together(&categories, &self.place, &self.pairs),
            categories,
            categories_per_paper: self.per_paper,
            title_words: lengths(&self.titles),
            abstract_words: lengths(&self.abstracts),
        }
    }
}

fn months(counts: &BTreeMap<i32, HashMap<String, u64>>) -> Months {
    let (Some((&first, _)), Some((&last, _))) = (counts.first_key_value(), counts.last_key_value())
    else {
        return Months::default();
    };
    let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
    for (archive, papers) in counts.values().flatten() {
        *totals.entry(archive).or_default() += papers;
    }
    let mut archives: Vec<&str> = totals.keys().copied().collect();
    archives.sort_by_key(|archive| std::cmp::Reverse(totals[archive]));
    let more = archives.len() > ARCHIVES;
    archives.truncate(ARCHIVES);
    let papers = (first..=last)
        .map(|month| {
            let found = counts.get(&month);
            let of = |archive: &str| found.and_then(|all| all.get(archive)).copied().unwrap_or(0);
            let mut row: Vec<u64> = archives.iter().map(|archive| of(archive)).collect();
            if more {
                let all: u64 = found.map_or(0, |all| all.values().sum());
                row.push(all - row.iter().sum::<u64>());
            }
            row
        })
        .collect();
    let mut archives: Vec<String> = archives.into_iter().map(str::to_owned).collect();
    if more {
        archives.push("other".to_owned());
    }
    Months {
        months: (first..=last)
            .map(|month| {
                format!(
                    "{:04}-{:02}",
                    month.div_euclid(12),
                    month.rem_euclid(12) + 1
                )
            })
            .collect(),
        archives,
        papers,
    }
}

fn together(
    categories: &[Category],
    place: &HashMap<String, usize>,
    pairs: &HashMap<(usize, usize), u64>,
) -> Together {
    let mut kept: Vec<&Category> = categories.iter().take(TOGETHER).collect();
    kept.sort_by(|one, other| one.category.cmp(&other.category));
    let both = |one: &Category, other: &Category| {
        let (a, b) = (place[&one.category], place[&other.category]);
        if a == b {
            one.papers
        } else {
            pairs.get(&(a.min(b), a.max(b))).copied().unwrap_or(0)
        }
    };
    Together {
        categories: kept.iter().map(|one| one.category.clone()).collect(),
        papers: kept
            .iter()
            .map(|one| kept.iter().map(|other| both(one, other)).collect())
            .collect(),
    }
}

/// From the number of texts of each length.
fn lengths(counts: &BTreeMap<u64, u64>) -> Lengths {
    let texts: u64 = counts.values().sum();
    if texts == 0 {
        return Lengths::default();
    }
    let sum: u64 = counts.iter().map(|(words, texts)| words * texts).sum();
    let quantile = |share: f64| {
        let wanted = ((share * texts as f64).ceil() as u64).max(1);
        let mut seen = 0;
        counts
            .iter()
            .find(|(_, texts)| {
                seen += **texts;
                seen >= wanted
            })
            .map_or(0, |(&words, _)| words)
    };
    // The longest one in a thousand texts would leave the others a single bar.
    let width = quantile(0.999).div_ceil(BARS as u64).max(1);
    let mut bars = vec![0; BARS];
    for (words, texts) in counts {
        bars[((words / width) as usize).min(BARS - 1)] += texts;
    }
    Lengths {
        mean: sum as f64 / texts as f64,
        quantiles: [0.0, 0.05, 0.5, 0.95, 1.0].map(quantile),
        width,
        bars,
    }
}

#[cfg(test)]
mod tests {
    use super::super::papers::Papers;
    use super::*;
    use crate::observe::Silent;

    fn counted(papers: &Papers) -> Statistics {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("papers.parquet");
        parquet::write(&path, papers, 1).unwrap();
        statistics(&path, &Silent).unwrap()
    }

    fn papers() -> Papers {
        Papers {
            ids: vec!["1".into(), "2".into(), "3".into()],
            titles: vec!["One".into(), "Two words".into(), "Three".into()],
            abstracts: vec!["a b c".into(), "d e".into(), "f".into()],
            categories: vec![
                vec!["cs.LG".into(), "stat.ML".into()],
                vec!["stat.ML".into(), "cs.LG".into()],
                vec!["hep-th".into()],
            ],
            primaries: vec![Some("cs.LG".into()), Some("stat.ML".into()), None],
            archives: vec![
                Some("cs".into()),
                Some("stat".into()),
                Some("hep-th".into()),
            ],
            // 2023-01-01, 2023-03-01, 2022-12-31
            submitted: vec![19_358, 19_417, 19_357],
            splits: vec![Split::Train, Split::Test, Split::Train],
        }
    }

    #[test]
    fn papers_are_counted_by_month_archive_and_split() {
        let found = counted(&papers());
        assert_eq!(found.splits["train"], 2);
        let months = &found.months;
        assert_eq!(months.months, ["2022-12", "2023-01", "2023-02", "2023-03"]);
        assert_eq!(months.archives, ["cs", "hep-th", "stat"]);
        assert_eq!(months.papers[0], [0, 1, 0]);
        assert_eq!(months.papers[2], [0, 0, 0]);
    }

    #[test]
    fn categories_are_counted_alone_and_together() {
        let found = counted(&papers());
        let first = &found.categories[0];
        assert_eq!(
            (first.category.as_str(), first.name.as_str()),
            ("cs.LG", "Machine Learning")
        );
        assert_eq!(
            (first.papers, first.primary, first.splits),
            (2, 1, [1, 0, 1])
        );
        assert_eq!(found.together.categories, ["cs.LG", "hep-th", "stat.ML"]);
        assert_eq!(found.together.papers[0], [2, 0, 2]);
        assert_eq!(found.categories_per_paper, [0, 1, 2]);
    }

    #[test]
    fn lengths_are_words() {
        let found = counted(&papers()).abstract_words;
        assert_eq!((found.mean, found.quantiles), (2.0, [1, 1, 2, 3, 3]));
        assert_eq!(found.bars[..4], [0, 1, 1, 1]);
    }

    #[test]
    fn archives_beyond_the_largest_are_one() {
        let mut papers = papers();
        for at in 0..12 {
            papers.ids.push(format!("x{at}"));
            papers.titles.push(String::new());
            papers.abstracts.push(String::new());
            papers.categories.push(vec![]);
            papers.primaries.push(None);
            papers.archives.push(Some(format!("a{at:02}")));
            papers.submitted.push(19_358);
            papers.splits.push(Split::Train);
        }
        let found = counted(&papers).months;
        assert_eq!(found.archives.len(), ARCHIVES + 1);
        assert_eq!(found.archives[ARCHIVES], "other");
        assert_eq!(found.papers.iter().flatten().sum::<u64>(), 15);
    }

    #[test]
    fn an_empty_table_is_no_error() {
        let found = counted(&Papers::default());
        assert_eq!((found.papers, found.months), (0, Months::default()));
    }
}
