//! A verified model directory on its encoder: titles and abstracts → calibrated probabilities.

use super::encoder::{self, BATCH_TOKENS, Encoder};
use super::options::Ranking;
use super::prediction::{Prediction, Ranker};
use crate::error::{Error, Result};
use crate::model::directory::{CLASSIFIER, Directory, HEAD};
use crate::model::head::Head;
use crate::model::manifest::{MANIFEST, sha256_file};
use crate::model::package::check_encoder;
use crate::model::spec::Spec;
use crate::observe::{Observer, Progress};
use crate::text::template;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};
use rayon::prelude::*;
use serde_json::json;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Papers whose embeddings are held at a time; enough to sort by length.
const CHUNK: usize = 8192;

/// Papers in, calibrated probabilities and predictions out. Safe to share between threads.
pub struct Classifier {
    directory: Directory,
    encoder: Encoder,
    // libtorch's tensors may be read by many threads, but tch does not say so; a head's turn
    // is short beside the encoder's.
    head: Mutex<Head>,
    ranker: Ranker,
    /// Of the manifest, and so of every file.
    sha256: String,
}

/// What [`Classifier::scores`] returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// Calibrated probabilities [papers, labels].
    pub probabilities: Array2<f32>,
    /// Per paper: whether its text was longer than the model reads.
    pub truncated: Vec<bool>,
}

impl Classifier {
    /// Loads the model in `model`, verified, on its encoder: the one inside it, else the one in
    /// `encoder`, which must have the hash that the model names. `device` and `dtype` are the
    /// encoder's, as in [`encoder::Options`].
    ///
    /// # Errors
    /// As [`Directory::open`] and [`Encoder::load`]; [`Error::Model`] where head, encoder and
    /// `classifier.json` do not fit each other, or no encoder is given that is needed.
    pub fn load(model: &Path, encoder: Option<&Path>, device: &str, dtype: &str) -> Result<Self> {
        let directory = Directory::open(model)?;
        let spec = directory.spec();
        let options = encoder::Options {
            device: device.to_owned(),
            dtype: dtype.to_owned(),
            max_length: Some(spec.max_length),
        };
        let encoder = if spec.encoder.is_local() {
            Encoder::load(directory.path(), &options)?
        } else {
            let Some(place) = encoder else {
                let reason = format!(
                    "needs the encoder {:?}; say where it is",
                    spec.encoder.source
                );
                return Err(Error::model(directory.path().join(CLASSIFIER), reason));
            };
            // Hashing takes as long as loading; what is loaded is used only if the hash is right.
            let (checked, encoder) = rayon::join(
                || check_encoder(&spec.encoder, place),
                || Encoder::load(place, &options),
            );
            checked?;
            encoder?
        };
        let head = Head::load(directory.path(), spec)?;
        let misfit = |reason: String| Err(Error::model(directory.path().join(CLASSIFIER), reason));
        if encoder.pooling().name() != spec.pooling {
            return misfit(format!(
                "pooling: {:?}, but the encoder's is {:?}",
                spec.pooling,
                encoder.pooling().name()
            ));
        }
        if head.hidden() != encoder.hidden_size() {
            let (head, encoder) = (head.hidden(), encoder.hidden_size());
            let reason =
                format!("reads embeddings of {head} numbers, but the encoder's have {encoder}");
            return Err(Error::model(directory.path().join(HEAD), reason));
        }
        let ranker = Ranker::new(&spec.labels, &spec.thresholds)?;
        let sha256 = sha256_file(&directory.path().join(MANIFEST))?;
        log::debug!(
            "loaded {} with {} labels on {}",
            directory.path().display(),
            spec.labels.len(),
            encoder.device()
        );
        Ok(Self {
            directory,
            encoder,
            head: Mutex::new(head),
            ranker,
            sha256,
        })
    }

    /// The model's `classifier.json`.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        self.directory.spec()
    }

    /// What turns its probabilities into predictions.
    #[must_use]
    pub fn ranker(&self) -> &Ranker {
        &self.ranker
    }

    /// SHA-256 of its manifest, which names the hash of every other file.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Its encoder.
    #[must_use]
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Where it came from and what it is, for people: a JSON object without the long lists.
    #[must_use]
    pub fn info(&self) -> serde_json::Value {
        let (spec, manifest) = (self.spec(), self.directory.manifest());
        json!({
            "path": self.directory.path(),
            "sha256": self.sha256,
            "labels": spec.labels.len(),
            "label_space_version": spec.label_space_version,
            "head": spec.head,
            "encoder": spec.encoder,
            "pooling": spec.pooling,
            "max_length": spec.max_length,
            "template_version": spec.template_version,
            "code_version": manifest.code_version,
            "data_manifest": manifest.data_manifest,
            "device": self.encoder.device(),
            "dtype": self.encoder.dtype(),
        })
    }

    /// Calibrated probabilities of papers, in their order. Title and abstract may be empty: a
    /// paper without either is scored as an empty text, and no papers have no rows.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are not as many titles as abstracts; what
    /// [`Encoder::encode_tokens`] and [`Head::forward`] return; [`Error::Model`] for a score
    /// that is not a number.
    pub fn scores<S: AsRef<str> + Sync>(
        &self,
        titles: &[S],
        abstracts: &[S],
        observer: &dyn Observer,
    ) -> Result<Scores> {
        if titles.len() != abstracts.len() {
            return Err(Error::shape("abstracts", [titles.len()], [abstracts.len()]));
        }
        let papers = titles.len();
        let mut probabilities = Array2::zeros((papers, self.spec().labels.len()));
        let mut truncated = Vec::with_capacity(papers);
        for start in (0..papers).step_by(CHUNK) {
            let end = papers.min(start + CHUNK);
            let watch = Part {
                inner: observer,
                start: start as u64,
                total: papers as u64,
            };
            let part = probabilities.slice_mut(s![start..end, ..]);
            truncated.extend(self.score_chunk(
                &titles[start..end],
                &abstracts[start..end],
                part,
                &watch,
            )?);
        }
        Ok(Scores {
            probabilities,
            truncated,
        })
    }

    fn score_chunk<S: AsRef<str> + Sync>(
        &self,
        titles: &[S],
        abstracts: &[S],
        mut out: ArrayViewMut2<'_, f32>,
        observer: &dyn Observer,
    ) -> Result<Vec<bool>> {
        let texts: Vec<String> = titles
            .par_iter()
            .zip(abstracts)
            .map(|(title, text)| template(title.as_ref(), text.as_ref()))
            .collect();
        let tokens = self.encoder.tokenize(&texts, observer)?;
        drop(texts);
        let embeddings = self
            .encoder
            .encode_tokens(&tokens, BATCH_TOKENS, observer)?;
        let truncated = tokens.iter().map(|tokens| tokens.truncated).collect();
        drop(tokens);

        let Some(out) = out.as_slice_mut() else {
            return Err(Error::shape(
                "probabilities",
                "contiguous rows",
                "strided ones",
            ));
        };
        self.judge(embeddings.view(), titles, abstracts, out, observer)?;
        Ok(truncated)
    }

    /// Calibrated probabilities `out` [papers × labels] of papers that are embedded already.
    pub(super) fn judge<S: AsRef<str> + Sync>(
        &self,
        embeddings: ArrayView2<'_, f32>,
        titles: &[S],
        abstracts: &[S],
        out: &mut [f32],
        observer: &dyn Observer,
    ) -> Result<()> {
        let head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        let logits = head.logits(embeddings, titles, abstracts, observer)?;
        drop(head);
        if logits.len() != out.len() {
            return Err(Error::shape("logits", [out.len()], [logits.len()]));
        }
        out.copy_from_slice(&logits);
        if let Some(position) = out.iter().position(|logit| !logit.is_finite()) {
            let labels = &self.spec().labels;
            let reason = format!(
                "the score of {} is {}",
                labels[position % labels.len()],
                out[position]
            );
            return Err(Error::model(self.directory.path(), reason));
        }
        self.spec().calibration.apply(out)
    }

    /// Predictions for papers, in their order. `declared` is empty, or has per paper the
    /// primary category that its author chose.
    ///
    /// # Errors
    /// As [`Classifier::scores`] and [`Ranker::rank`], the latter naming the paper's index.
    pub fn classify<S: AsRef<str> + Sync>(
        &self,
        titles: &[S],
        abstracts: &[S],
        declared: &[Option<String>],
        options: &Ranking,
        observer: &dyn Observer,
    ) -> Result<Vec<Prediction>> {
        options.check()?;
        if !declared.is_empty() && declared.len() != titles.len() {
            return Err(Error::shape("declared", [titles.len()], [declared.len()]));
        }
        let declared = |paper: usize| declared.get(paper).and_then(Option::as_deref);
        // What the caller got wrong is said before the encoder's long work.
        for paper in 0..titles.len() {
            if let Some(name) = declared(paper) {
                super::prediction::resolve(name).map_err(|error| within(paper, error))?;
            }
        }
        let Scores {
            probabilities,
            truncated,
        } = self.scores(titles, abstracts, observer)?;
        let rows = probabilities.as_standard_layout();
        let rows = rows
            .as_slice()
            .unwrap_or_default()
            .par_chunks_exact(self.spec().labels.len());
        rows.zip(truncated)
            .enumerate()
            .map(|(paper, (row, truncated))| {
                self.ranker
                    .rank(row, truncated, declared(paper), options)
                    .map_err(|error| within(paper, error))
            })
            .collect()
    }
}

fn within(paper: usize, error: Error) -> Error {
    match error {
        Error::Input { place, reason } => Error::input(format!("paper {paper}: {place}"), reason),
        other => other,
    }
}

/// Places a chunk's progress within the whole call's.
struct Part<'a> {
    inner: &'a dyn Observer,
    start: u64,
    total: u64,
}

impl Observer for Part<'_> {
    fn progress(&self, progress: &Progress) {
        let done = self.start + progress.done;
        let figures = progress.figures.clone();
        self.inner.progress(&Progress {
            stage: "classify",
            done,
            total: self.total,
            unit: "papers",
            figures,
        });
    }
    fn cancelled(&self) -> bool {
        self.inner.cancelled()
    }
}
