//! The stage `train`: papers and their embeddings → a model directory.
//!
//! The head is fitted to the papers of the split `train`. Calibration and thresholds are fitted
//! to papers that the head was not fitted to: those of the split `validation` and, where asked
//! for, a share of `train` that is held out.

use super::logistic;
use super::mlp::{self, Examples, Words};
use crate::corpus::papers::Papers;
use crate::corpus::split::Split;
use crate::corpus::taxonomy::{self, LABEL_SPACE_VERSION, Resolution};
use crate::error::{Error, Result};
use crate::metrics::{Scored, calibration, thresholds};
use crate::model::directory::Draft;
use crate::model::embeddings::{self, Metadata};
use crate::model::head::Head;
use crate::model::manifest::sha256_file;
use crate::model::spec::{Calibration, EncoderSpec, FORMAT_VERSION, Spec};
use crate::observe::Observer;
use crate::text::TEMPLATE_VERSION;
use crate::tokens::ngrams::Vocabulary;
use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tch::Tensor;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The kind of head to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Multi-label logistic regression on the embedding.
    Logistic,
    /// Hidden layers on the embedding.
    Mlp,
    /// Hidden layers on the embedding beside the n-grams' vectors.
    Hybrid,
}

/// Options of the stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The kind of head.
    pub head: Kind,
    /// A label with fewer papers to fit the head to is left out.
    pub min_papers: usize,
    /// Share of the split `train` that is held out for calibration and thresholds, chosen by a
    /// hash of id and seed.
    pub holdout: f64,
    /// Fit the head again to all papers in the end, and keep calibration and thresholds.
    pub refit: bool,
    /// Options of [`logistic::fit`].
    pub logistic: logistic::Options,
    /// Options of [`mlp::fit`]; its seed is this stage's.
    pub mlp: mlp::Options,
    /// Whether logits are calibrated; else probabilities are their plain sigmoids.
    pub calibrate: bool,
    /// Options of [`calibration::fit`].
    pub calibration: calibration::Options,
    /// Options of [`thresholds::fit`].
    pub thresholds: thresholds::Options,
    /// Where whoever loads the model finds the encoder: a name, not a place.
    pub encoder: Encoder,
    /// Seed of everything.
    pub seed: u64,
}

/// The encoder as `classifier.json` names it; its hash comes from the embeddings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Encoder {
    /// The name that finds it.
    pub source: String,
    /// What it is called.
    pub name: String,
}

impl Default for Encoder {
    fn default() -> Self {
        Self {
            source: "minilm".to_owned(),
            name: "sentence-transformers/all-MiniLM-L6-v2".to_owned(),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            head: Kind::Hybrid,
            min_papers: 1,
            holdout: 0.0,
            refit: false,
            logistic: logistic::Options::default(),
            mlp: mlp::Options::default(),
            calibrate: true,
            calibration: calibration::Options::default(),
            thresholds: thresholds::Options::default(),
            encoder: Encoder::default(),
            seed: 0,
        }
    }
}

/// What the stage reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Options as used, defaults filled in.
    pub options: Options,
    /// Papers of the fit, and those of calibration and thresholds.
    pub papers: Counts,
    /// Papers the head was fitted to, by label.
    pub labels: BTreeMap<String, usize>,
    /// Categories left out with their papers: too few of them.
    pub left_out: BTreeMap<String, usize>,
    /// How the head was fitted.
    pub fit: FitReport,
    /// How logits were calibrated.
    pub calibration: Option<calibration::Report>,
    /// How thresholds were fitted.
    pub thresholds: thresholds::Report,
    /// Size of the model directory in bytes.
    pub bytes: u64,
}

/// How the head was fitted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FitReport {
    /// By [`logistic::fit`].
    Logistic(Box<logistic::Report>),
    /// By [`mlp::fit`].
    Mlp(mlp::Report),
}

/// Papers by what they were used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The head.
    pub fit: usize,
    /// Calibration and thresholds.
    pub validation: usize,
}

/// Fits head, calibration and thresholds and writes a model directory to `out`.
///
/// `embeddings` is the file that `embed` wrote for `papers`. The same inputs and options give the
/// same files.
///
/// # Errors
/// [`Error::Io`], [`Error::Input`] for tables that are not what they must be, [`Error::Shape`]
/// where they do not fit each other, [`Error::Option`], [`Error::Fit`] where there is nothing to
/// fit to, [`Error::Interrupted`].
pub fn train(
    papers: &Path,
    embeddings: &Path,
    out: &Path,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Summary> {
    check(options)?;
    observer.report("read", 0, 0, "papers");
    let table = Papers::read(papers, None, None)?;
    let (vectors, made) = embeddings::read(embeddings)?;
    if vectors.nrows() != table.len() {
        return Err(Error::shape("embeddings", [table.len()], [vectors.nrows()]));
    }
    if made.template_version != TEMPLATE_VERSION {
        return Err(Error::input(
            embeddings.display(),
            format!(
                "made with text template {}; this version's is {TEMPLATE_VERSION}: embed again",
                made.template_version
            ),
        ));
    }
    let (fitted, held) = divide(&table, options);
    let space = Space::new(&table, &fitted, options.min_papers)?;
    let corpus = Corpus {
        table: &table,
        vectors: &vectors,
        space: &space,
    };
    if held.is_empty() {
        return Err(Error::fit("thresholds", "the split validation is empty"));
    }
    let draft = Draft::new(out)?;
    let (head, fit) = corpus.fit(&fitted, options, observer)?;
    let mut spec = spec(&head, &space, &made, &options.encoder);
    let head = stored(&head, &draft, &spec)?;
    let mut scores = corpus.logits(&head, &held)?;
    let truth = corpus.truth(&held);
    let calibration = if options.calibrate {
        observer.report("calibrate", 0, 0, "labels");
        let scored = Scored::new(&scores, &truth, space.names.len())?;
        let (pair, report) = calibration::fit(&scored, &options.calibration)?;
        spec.calibration = Calibration {
            scale: pair.scale,
            bias: pair.bias,
        };
        Some(report)
    } else {
        None
    };
    spec.calibration.apply(&mut scores)?;
    observer.check()?;
    observer.report("thresholds", 0, 0, "labels");
    let scored = Scored::probabilities(&scores, &truth, space.names.len())?;
    let (chosen, thresholds) = thresholds::fit(&scored, &options.thresholds)?;
    spec.thresholds = chosen;
    if options.refit {
        let all: Vec<usize> = fitted.iter().chain(&held).copied().collect();
        let (head, _) = corpus.fit(&all, options, observer)?;
        spec.head = head.spec();
        stored(&head, &draft, &spec)?;
    }
    let data = papers.with_file_name("manifest.json");
    let data = if data.is_file() {
        Some(sha256_file(&data)?)
    } else {
        None
    };
    let directory = draft.finish(&spec, data.as_deref())?;
    let size =
        |name: &String| std::fs::metadata(directory.path().join(name)).map_or(0, |file| file.len());
    Ok(Summary {
        options: options.clone(),
        papers: Counts {
            fit: fitted.len(),
            validation: held.len(),
        },
        labels: space
            .names
            .iter()
            .cloned()
            .zip(space.counts.iter().copied())
            .collect(),
        left_out: space.left_out.clone(),
        fit,
        calibration,
        thresholds,
        bytes: directory.manifest().files.keys().map(size).sum(),
    })
}

fn check(options: &Options) -> Result<()> {
    if !(0.0..1.0).contains(&options.holdout) {
        return Err(Error::option("holdout", options.holdout, "must be in 0..1"));
    }
    match options.head {
        Kind::Logistic => options.logistic.check(),
        Kind::Mlp | Kind::Hybrid => options.mlp.check(),
    }
}

/// Rows to fit the head to, and rows for calibration and thresholds.
fn divide(table: &Papers, options: &Options) -> (Vec<usize>, Vec<usize>) {
    let limit = (options.holdout * u64::MAX as f64) as u64;
    let (mut fitted, mut held) = (Vec::new(), Vec::new());
    for (row, (split, id)) in table.splits.iter().zip(&table.ids).enumerate() {
        match split {
            Split::Train if xxh3_64_with_seed(id.as_bytes(), options.seed) >= limit => {
                fitted.push(row)
            }
            Split::Train | Split::Validation => held.push(row),
            Split::Test => {}
        }
    }
    (fitted, held)
}

/// The labels a model knows, in the order of the taxonomy.
struct Space {
    names: Vec<String>,
    counts: Vec<usize>,
    left_out: BTreeMap<String, usize>,
    index: BTreeMap<String, u32>,
}

impl Space {
    fn new(table: &Papers, rows: &[usize], min_papers: usize) -> Result<Self> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for category in rows.iter().flat_map(|&row| &table.categories[row]) {
            *counts.entry(category).or_default() += 1;
        }
        let mut kept = Vec::new();
        let mut left_out = BTreeMap::new();
        for (name, count) in counts {
            let Resolution::Label(label) = taxonomy::resolve(name) else {
                return Err(Error::input(
                    "papers",
                    format!("{name:?} is not a canonical category"),
                ));
            };
            if label.name() != name {
                return Err(Error::input(
                    "papers",
                    format!(
                        "{name:?} is not canonical, {:?} is: prepare again",
                        label.name()
                    ),
                ));
            }
            if count >= min_papers.max(1) {
                kept.push((label.index(), name, count));
            } else {
                left_out.insert(name.to_owned(), count);
            }
        }
        if kept.is_empty() {
            return Err(Error::fit(
                "head",
                format!(
                    "no category has {} papers in the split train",
                    min_papers.max(1)
                ),
            ));
        }
        kept.sort_unstable();
        Ok(Self {
            names: kept.iter().map(|&(_, name, _)| name.to_owned()).collect(),
            counts: kept.iter().map(|&(.., count)| count).collect(),
            left_out,
            index: (0..)
                .zip(&kept)
                .map(|(index, &(_, name, _))| (name.to_owned(), index))
                .collect(),
        })
    }
}

/// The whole table with what belongs to its rows.
struct Corpus<'a> {
    table: &'a Papers,
    vectors: &'a Array2<f32>,
    space: &'a Space,
}

impl Corpus<'_> {
    fn labels(&self, rows: &[usize]) -> Vec<Vec<u32>> {
        let index = &self.space.index;
        rows.iter()
            .map(|&row| {
                self.table.categories[row]
                    .iter()
                    .filter_map(|name| index.get(name))
                    .copied()
                    .collect()
            })
            .collect()
    }

    fn truth(&self, rows: &[usize]) -> Vec<u8> {
        let width = self.space.names.len();
        let mut truth = vec![0; rows.len() * width];
        for (paper, labels) in self.labels(rows).iter().enumerate() {
            for &label in labels {
                truth[paper * width + label as usize] = 1;
            }
        }
        truth
    }

    fn texts(&self, rows: &[usize]) -> (Vec<&str>, Vec<&str>) {
        rows.iter()
            .map(|&row| {
                (
                    self.table.titles[row].as_str(),
                    self.table.abstracts[row].as_str(),
                )
            })
            .unzip()
    }

    fn fit(
        &self,
        rows: &[usize],
        options: &Options,
        observer: &dyn Observer,
    ) -> Result<(Head, FitReport)> {
        let vectors = self.vectors.select(Axis(0), rows);
        let labels = self.labels(rows);
        let width = self.space.names.len();
        let examples = Examples {
            embeddings: vectors.view(),
            labels: &labels,
            width,
        };
        let mlp = mlp::Options {
            seed: options.seed,
            ..options.mlp.clone()
        };
        let words = match options.head {
            Kind::Logistic => {
                let (head, report) = logistic::fit(examples, &options.logistic, observer)?;
                return Ok((Head::Linear(head), FitReport::Logistic(Box::new(report))));
            }
            Kind::Mlp => None,
            Kind::Hybrid => {
                let (titles, abstracts) = self.texts(rows);
                let vocabulary =
                    Vocabulary::select(&titles, &abstracts, &labels, width, &mlp.words, observer)?;
                if vocabulary.is_empty() {
                    return Err(Error::fit(
                        "head",
                        format!(
                            "no n-gram is in words.min_papers = {} papers",
                            mlp.words.min_papers
                        ),
                    ));
                }
                let rows = vocabulary.rows(&titles, &abstracts)?;
                Some(Words {
                    vocabulary: Arc::new(vocabulary),
                    rows,
                })
            }
        };
        let (head, report) = mlp::fit(examples, words.as_ref(), &mlp, observer)?;
        Ok((head, FitReport::Mlp(report)))
    }

    /// Logits of `rows`, row-major.
    fn logits(&self, head: &Head, rows: &[usize]) -> Result<Vec<f32>> {
        let (titles, abstracts) = self.texts(rows);
        let features = match head.vocabulary() {
            Some(vocabulary) => vocabulary.rows(&titles, &abstracts)?,
            None => Vec::new(),
        };
        let vectors = self.vectors.select(Axis(0), rows);
        let size = [vectors.nrows() as i64, vectors.ncols() as i64];
        let vectors = Tensor::f_from_slice(vectors.as_slice().unwrap_or_default())?.f_view(size)?;
        let logits = head.forward(&vectors, &features)?;
        Ok(Vec::try_from(logits.f_contiguous()?.f_view([-1])?)?)
    }
}

fn spec(head: &Head, space: &Space, made: &Metadata, encoder: &Encoder) -> Spec {
    Spec {
        format_version: FORMAT_VERSION,
        labels: space.names.clone(),
        label_space_version: LABEL_SPACE_VERSION,
        head: head.spec(),
        pooling: made.pooling.clone(),
        template_version: made.template_version,
        max_length: made.max_length,
        calibration: Calibration::identity(space.names.len()),
        thresholds: vec![0.5; space.names.len()],
        encoder: EncoderSpec {
            source: encoder.source.clone(),
            name: encoder.name.clone(),
            sha256: made.encoder_sha256.clone(),
        },
    }
}

/// Writes the head and reads it back: what is calibrated is what is stored, rounding included.
fn stored(head: &Head, draft: &Draft, spec: &Spec) -> Result<Head> {
    let folder = draft.file("classifier.json")?;
    let folder = folder.parent().unwrap_or(Path::new("."));
    head.save(folder)?;
    Head::load(folder, spec)
}

#[cfg(test)]
mod tests;
