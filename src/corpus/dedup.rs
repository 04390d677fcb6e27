//! Duplicates over the whole corpus: exact ones are dropped as they come, near ones end in
//! one group, which a split keeps on one side.
//!
//! For 2.9 million papers the index takes about 280 MB: 64 bytes of signature and two sets
//! of 8-byte hashes a paper, and 12 bytes more while groups are formed.

mod keys;
mod lsh;
mod minhash;
mod normal;
mod union;

pub use minhash::Signature;

use crate::error::{Error, Result};
use crate::observe::Observer;
use keys::Keys;
use lsh::Signatures;
use normal::Normal;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use twox_hash::XxHash3_64;

/// What counts as a duplicate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DedupOptions {
    /// Drop a paper whose title and abstract, case folded and without anything but letters
    /// and digits, are word for word an earlier paper's.
    pub exact: bool,
    /// Find near-duplicates.
    pub near: bool,
    /// Two abstracts are near-duplicates from this Jaccard similarity of their three-word
    /// shingles on, estimated with a standard error of 0.05; above 0, at most 1.
    pub threshold: f64,
}

impl Default for DedupOptions {
    fn default() -> Self {
        Self {
            exact: true,
            near: true,
            threshold: 0.7,
        }
    }
}

/// What one paper's text is compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// Hash of the words of title and abstract.
    pub text: u64,
    /// MinHash signature of the abstract.
    pub signature: Signature,
}

/// The fingerprint of one paper's cleaned text. Cheap to call from many threads.
pub fn fingerprint(title: &str, summary: &str) -> Fingerprint {
    thread_local! {
        static NORMAL: RefCell<Normal> = RefCell::default();
    }
    NORMAL.with_borrow_mut(|normal| {
        normal.clear();
        normal.push(title);
        let first = normal.words().len();
        normal.push(summary);
        Fingerprint {
            text: normal.text(),
            signature: minhash::signature(&normal.words()[first..]),
        }
    })
}

/// The hash by which equal ids are found.
pub fn id_hash(id: &str) -> u64 {
    XxHash3_64::oneshot(id.as_bytes())
}

/// What becomes of a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It stays and is the next row.
    Keep,
    /// An earlier paper has its id.
    DuplicateId,
    /// An earlier paper has its normalised text.
    DuplicateText,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct DedupCounts {
    /// Papers dropped for their id.
    pub duplicate_ids: u64,
    /// Papers dropped for their text.
    pub duplicate_texts: u64,
    /// Groups of at least two near-duplicates among the papers kept.
    pub near_groups: u64,
    /// Papers in these groups.
    pub near_papers: u64,
    /// Papers in the largest of them.
    pub largest_group: u64,
}

/// Near-duplicate groups of the rows kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// The first row of each row's group; its own number for a row without near-duplicates.
    pub first: Vec<u32>,
    /// What was found.
    pub counts: DedupCounts,
}

/// Takes papers in input order and tells duplicates.
#[derive(Debug)]
pub struct Deduper {
    exact: bool,
    near: bool,
    needed: u8,
    ids: Keys,
    texts: Keys,
    signatures: Signatures,
    rows: u32,
    counts: DedupCounts,
}

impl Deduper {
    /// An empty corpus.
    ///
    /// # Errors
    /// [`Error::Option`] for a threshold outside (0, 1].
    pub fn new(options: &DedupOptions) -> Result<Self> {
        if !(options.threshold > 0.0 && options.threshold <= 1.0) {
            return Err(Error::option(
                "dedup.threshold",
                options.threshold,
                "must be above 0 and at most 1",
            ));
        }
        Ok(Self {
            exact: options.exact,
            near: options.near,
            needed: minhash::places_needed(options.threshold),
            ids: Keys::default(),
            texts: Keys::default(),
            signatures: Signatures::default(),
            rows: 0,
            counts: DedupCounts::default(),
        })
    }

    /// Makes room for about as many papers at once: tables that grow are copied.
    pub fn reserve(&mut self, papers: usize) {
        self.ids.reserve(papers);
        if self.exact {
            self.texts.reserve(papers);
        }
    }

    /// Looks at where the next papers will be sought. The places lie all over the memory: looked at
    /// one after the other, without a decision in between, many are on their way at once.
    pub fn announce<'p>(&self, papers: impl Iterator<Item = (u64, &'p Fingerprint)>) {
        let seen = papers.map(|(id, paper)| self.ids.touch(id) ^ self.texts.touch(paper.text));
        std::hint::black_box(seen.fold(0, |all, one| all ^ one));
    }

    /// Takes the next paper. A paper dropped for its text still claims its id.
    pub fn push(&mut self, id: u64, paper: &Fingerprint) -> Fate {
        if !self.ids.insert(id) {
            self.counts.duplicate_ids += 1;
            return Fate::DuplicateId;
        }
        if self.exact && !self.texts.insert(paper.text) {
            self.counts.duplicate_texts += 1;
            return Fate::DuplicateText;
        }
        if self.near {
            self.signatures.push(paper.signature);
        }
        self.rows += 1;
        Fate::Keep
    }

    /// Papers kept so far.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Groups the rows kept, in `pool`. The result depends on the papers and their order alone.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn finish(self, pool: &rayon::ThreadPool, observer: &dyn Observer) -> Result<Groups> {
        let Self {
            near,
            needed,
            ids,
            texts,
            signatures,
            rows,
            mut counts,
            ..
        } = self;
        drop((ids, texts));
        if !near {
            return Ok(Groups {
                first: (0..rows).collect(),
                counts,
            });
        }
        let first = lsh::group(&signatures, needed, pool, observer)?.into_groups();
        let mut sizes = vec![0_u32; first.len()];
        for &row in &first {
            sizes[row as usize] += 1;
        }
        for size in sizes.into_iter().filter(|&size| size > 1).map(u64::from) {
            counts.near_groups += 1;
            counts.near_papers += size;
            counts.largest_group = counts.largest_group.max(size);
        }
        Ok(Groups { first, counts })
    }
}

#[cfg(test)]
pub(in crate::corpus) mod tests;
