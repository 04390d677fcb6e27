//! Text → sparse n-gram features: the words a sentence embedding averages away.
//!
//! A word is a run of letters and digits, in lower case. Features are single words and pairs
//! of neighbours, those of title and abstract together and those of the title once more, because
//! a title's words say more. A feature is stored as 32 bits of its hash: with some 50,000 of them among 2³² values,
//! about one unseen n-gram in 80,000 is taken for one.
//!
//! Weights are those of TF-IDF with sublinear counts (`(1 + ln count) · idf`), each part of a
//! paper scaled to unit length.

mod choose;
mod hashes;

use self::choose::choose;
use self::hashes::grams;
use crate::error::{Error, Result};
use crate::observe::Observer;
use crate::text;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Features of one paper: ids in rising order, each with its weight.
pub type SparseRow = Vec<(u32, f32)>;

/// Version of the function from text to n-gram hashes; stored with every vocabulary.
pub const NGRAMS_VERSION: u32 = 1;

/// How a [`Vocabulary`] is chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Selection {
    /// Most n-grams of title and abstract together that are kept.
    pub features: usize,
    /// Most n-grams of titles that are kept.
    pub title_features: usize,
    /// An n-gram in fewer papers is not looked at.
    pub min_papers: u32,
    /// Papers looked at, evenly spread over those given. With `min_papers` it bounds the memory:
    /// a count is kept for every n-gram in as many of them, and every label.
    pub max_papers: usize,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            features: 40_000,
            title_features: 8_000,
            min_papers: 5,
            max_papers: 200_000,
        }
    }
}

impl Selection {
    /// Checks every value.
    ///
    /// # Errors
    /// [`Error::Option`] naming the value that cannot be used.
    pub fn check(&self) -> Result<()> {
        if self.max_papers == 0 {
            return Err(Error::option("max_papers", 0, "must be at least 1"));
        }
        if self.features == 0 && self.title_features == 0 {
            let reason = "must be at least 1 where title_features is 0";
            return Err(Error::option("features", 0, reason));
        }
        Ok(())
    }
}

/// The n-grams a model knows, with their inverse document frequencies.
#[derive(Debug, Clone, PartialEq)]
pub struct Vocabulary {
    body: Part,
    title: Part,
}

/// One part's features: hashes in rising order, so that a feature's id is where it is found.
#[derive(Debug, Clone, Default, PartialEq)]
struct Part {
    hashes: Vec<u32>,
    idf: Vec<f32>,
}

impl Part {
    fn new(name: &str, hashes: Vec<u32>, idf: Vec<f32>) -> Result<Self> {
        if hashes.len() != idf.len() {
            return Err(Error::shape(
                format!("{name} idf"),
                [hashes.len()],
                [idf.len()],
            ));
        }
        if hashes.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(Error::input(
                format!("{name} hashes"),
                "not in rising order",
            ));
        }
        Ok(Self { hashes, idf })
    }

    /// Appends the features among `grams` (sorted), ids counted from `first`.
    fn append(&self, grams: &[u32], first: u32, row: &mut SparseRow) {
        let start = row.len();
        let mut squares = 0.0_f64;
        for run in grams.chunk_by(|a, b| a == b) {
            if let Ok(index) = self.hashes.binary_search(&run[0]) {
                let weight = (1.0 + (run.len() as f32).ln()) * self.idf[index];
                squares += f64::from(weight) * f64::from(weight);
                row.push((first + index as u32, weight));
            }
        }
        let norm = if squares > 0.0 {
            (1.0 / squares.sqrt()) as f32
        } else {
            0.0
        };
        for (_, weight) in &mut row[start..] {
            *weight *= norm;
        }
    }
}

impl Vocabulary {
    /// A vocabulary from its stored arrays: the hashes of the body's features and of the
    /// title's, each rising, and the inverse document frequencies of both, one after the other.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Input`] where hashes are not in rising order.
    pub fn from_parts(body: Vec<u32>, title: Vec<u32>, mut idf: Vec<f32>) -> Result<Self> {
        if idf.len() != body.len() + title.len() {
            return Err(Error::shape("idf", [body.len() + title.len()], [idf.len()]));
        }
        let tail = idf.split_off(body.len());
        Ok(Self {
            body: Part::new("body", body, idf)?,
            title: Part::new("title", title, tail)?,
        })
    }

    /// Number of features.
    #[must_use]
    pub fn len(&self) -> usize {
        self.body.hashes.len() + self.title.hashes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hashes of the features of title and abstract together.
    #[must_use]
    pub fn body(&self) -> &[u32] {
        &self.body.hashes
    }

    /// Hashes of the features of titles alone.
    #[must_use]
    pub fn title(&self) -> &[u32] {
        &self.title.hashes
    }

    /// Inverse document frequencies, the body's and then the title's.
    pub fn idf(&self) -> impl Iterator<Item = f32> + '_ {
        self.body.idf.iter().chain(&self.title.idf).copied()
    }

    /// The features of one paper. Cleans both texts first, which changes nothing in clean ones.
    #[must_use]
    pub fn row(&self, title: &str, r#abstract: &str) -> SparseRow {
        let (body, titles) = grams(&text::clean(title), &text::clean(r#abstract));
        let mut row = SparseRow::with_capacity(256);
        self.body.append(&body, 0, &mut row);
        self.title
            .append(&titles, self.body.hashes.len() as u32, &mut row);
        row
    }

    /// The features of many papers, in their order.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are not as many titles as abstracts.
    pub fn rows<S: AsRef<str> + Sync>(
        &self,
        titles: &[S],
        abstracts: &[S],
    ) -> Result<Vec<SparseRow>> {
        if titles.len() != abstracts.len() {
            return Err(Error::shape("abstracts", [titles.len()], [abstracts.len()]));
        }
        Ok(titles
            .par_iter()
            .zip(abstracts)
            .map(|(title, r#abstract)| {
                let mut row = self.row(title.as_ref(), r#abstract.as_ref());
                row.shrink_to_fit();
                row
            })
            .collect())
    }

    /// Chooses the n-grams that say most about `labels` (per paper: indexes below `width`).
    ///
    /// An n-gram's score is the sum over labels of `c · ln(c / e) - (c - e)` with `c` papers
    /// that have both and `e` expected by chance, over labels where `c > e`: the Poisson
    /// log-likelihood ratio of being bound to that label. Equal scores go by hash.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::Interrupted`].
    pub fn select<S: AsRef<str> + Sync>(
        titles: &[S],
        abstracts: &[S],
        labels: &[Vec<u32>],
        width: usize,
        selection: &Selection,
        observer: &dyn Observer,
    ) -> Result<Self> {
        if titles.len() != abstracts.len() || titles.len() != labels.len() {
            return Err(Error::shape(
                "titles, abstracts and labels",
                [titles.len(); 3],
                [titles.len(), abstracts.len(), labels.len()],
            ));
        }
        let step = titles.len().div_ceil(selection.max_papers.max(1)).max(1);
        let chosen: Vec<usize> = (0..titles.len()).step_by(step).collect();
        let mut body = Vec::with_capacity(chosen.len());
        let mut title = Vec::with_capacity(chosen.len());
        for block in chosen.chunks(4096) {
            observer.check()?;
            observer.report(
                "count words",
                body.len() as u64,
                chosen.len() as u64,
                "papers",
            );
            let found: Vec<_> = block
                .par_iter()
                .map(|&paper| {
                    let (mut body, mut title) = grams(
                        &text::clean(titles[paper].as_ref()),
                        &text::clean(abstracts[paper].as_ref()),
                    );
                    body.dedup();
                    title.dedup();
                    (body, title)
                })
                .collect();
            for (found_body, found_title) in found {
                body.push(found_body);
                title.push(found_title);
            }
        }
        let labels: Vec<&[u32]> = chosen
            .iter()
            .map(|&paper| labels[paper].as_slice())
            .collect();
        observer.check()?;
        let part = |grams: &[Vec<u32>], most| {
            choose(grams, &labels, width, most, selection.min_papers, observer)
        };
        Ok(Self {
            body: part(&body, selection.features)?,
            title: part(&title, selection.title_features)?,
        })
    }
}

#[cfg(test)]
mod tests;
