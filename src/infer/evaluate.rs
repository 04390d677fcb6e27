//! The stage `evaluate`: a model's scores on one split of a papers table → every figure.

mod inputs;
pub mod insight;
pub mod scores;
mod slices;

use self::inputs::{embedded, encode, same_data};
use self::insight::{Insight, insight};
use self::scores::Scores;
use self::slices::slices;
use crate::corpus::papers::Papers;
use crate::corpus::split::Split;
use crate::corpus::taxonomy;
use crate::error::{Error, Result};
use crate::metrics::Scored;
use crate::metrics::bootstrap::Bootstrap;
use crate::metrics::report::{self, Report};
use crate::model::directory::Directory;
use crate::model::head::Head;
use crate::observe::Observer;
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Options of the stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Positives a label needs to enter the headline `macro_*` figures.
    pub min_positives: u64,
    /// Resampling for the intervals.
    pub bootstrap: Bootstrap,
    /// The encoder, where there are no embeddings and the model names it only.
    pub encoder: Option<PathBuf>,
    /// Device of the encoder.
    pub device: String,
    /// Precision of the encoder.
    pub dtype: String,
    /// Safetensors file to write as well: see [`Scores::write`]; 5 bytes a paper and label.
    pub scores: Option<PathBuf>,
    /// Whether to look at curves, confusions and single papers too.
    pub insight: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            min_positives: 10,
            bootstrap: Bootstrap::default(),
            encoder: None,
            device: "auto".to_owned(),
            dtype: "f32".to_owned(),
            scores: None,
            insight: false,
        }
    }
}

/// What the stage reports.
#[derive(Debug, Clone, Serialize)]
pub struct Evaluation {
    /// The split.
    pub split: &'static str,
    /// Version of the canonical label space that all figures but `expanded` are in.
    pub label_space_version: u32,
    /// Papers scored.
    pub papers: usize,
    /// First and last day of submission, in days since 1970-01-01.
    pub submitted: [i32; 2],
    /// Pairs of paper and category that the model has no label for; no figure counts them.
    pub pairs_outside: usize,
    /// Share of all pairs of paper and category that lie outside.
    pub share_outside: f64,
    /// The figures.
    #[serde(flatten)]
    pub report: Report,
    /// What a report shows beside them, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insight: Option<Insight>,
}

/// Scores the model in `model` on the papers of `split`. `embeddings` is the file that `embed`
/// wrote for `papers`; without it the model's encoder reads the papers now.
///
/// # Errors
/// [`Error::Io`], [`Error::Input`], [`Error::Model`], [`Error::Shape`] where tables, embeddings
/// and model do not fit each other, [`Error::Interrupted`].
pub fn evaluate(
    papers: &Path,
    embeddings: Option<&Path>,
    model: &Path,
    split: Split,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Evaluation> {
    let table = Papers::read_with_texts_of(papers, split, observer)?;
    let rows: Vec<usize> = (0..table.len())
        .filter(|&row| table.splits[row] == split)
        .collect();
    if rows.is_empty() {
        return Err(Error::input(
            papers.display(),
            format!("no papers in the split {}", split.name()),
        ));
    }
    let directory = Directory::open(model)?;
    let spec = directory.spec();
    same_data(papers, &directory)?;
    let vectors = match embeddings {
        Some(file) => embedded(papers, &table, &rows, file, &directory, observer)?,
        None => encode(&table, &rows, &directory, options, observer)?,
    };
    let probabilities = score(&table, &rows, &vectors, &directory, observer)?;
    observer.check()?;
    observer.report("measure", 0, 0, "papers");
    let index: HashMap<&str, usize> = spec
        .labels
        .iter()
        .enumerate()
        .map(|(at, label)| (label.as_str(), at))
        .collect();
    let width = spec.labels.len();
    let mut truth = vec![0_u8; rows.len() * width];
    let (mut pairs, mut outside) = (0, 0);
    for (paper, &row) in rows.iter().enumerate() {
        for category in &table.categories[row] {
            pairs += 1;
            match index.get(category.as_str()) {
                Some(label) => truth[paper * width + label] = 1,
                None => outside += 1,
            }
        }
    }
    let primary: Vec<i32> = rows
        .iter()
        .map(|&row| {
            let name = table.primaries[row].as_deref();
            name.and_then(|name| index.get(name))
                .map_or(-1, |&label| label as i32)
        })
        .collect();
    let scored = Scored::probabilities(&probabilities, &truth, width)?;
    let report = report::report(
        &scored,
        &spec.thresholds,
        Some(&primary),
        &report::Options {
            min_positives: options.min_positives,
            bootstrap: options.bootstrap,
            labels: spec.labels.clone(),
            slices: slices(&table, &rows),
            expanded: expanded(&spec.labels),
            ..report::Options::default()
        },
        observer,
    )?;
    let insight = options
        .insight
        .then(|| {
            let model = (spec.labels.as_slice(), spec.thresholds.as_slice());
            insight(&table, &rows, &scored, &primary, model, observer)
        })
        .transpose()?;
    if let Some(path) = &options.scores {
        let scores = Scores {
            split: split.name().to_owned(),
            ids: rows.iter().map(|&row| table.ids[row].clone()).collect(),
            labels: spec.labels.clone(),
            thresholds: spec.thresholds.clone(),
            probabilities,
            truth,
        };
        scores.write(path)?;
    }
    let days = || rows.iter().map(|&row| table.submitted[row]);
    Ok(Evaluation {
        split: split.name(),
        label_space_version: spec.label_space_version,
        papers: rows.len(),
        submitted: [days().min().unwrap_or(0), days().max().unwrap_or(0)],
        pairs_outside: outside,
        share_outside: outside as f64 / f64::from(pairs.max(1)),
        report,
        insight,
    })
}

/// Calibrated probabilities, row-major.
fn score(
    table: &Papers,
    rows: &[usize],
    vectors: &Array2<f32>,
    directory: &Directory,
    observer: &dyn Observer,
) -> Result<Vec<f32>> {
    let head = Head::load(directory.path(), directory.spec())?;
    let (titles, abstracts): (Vec<&str>, Vec<&str>) = rows
        .iter()
        .map(|&row| (table.titles[row].as_str(), table.abstracts[row].as_str()))
        .unzip();
    let mut scores = head.logits(vectors.view(), &titles, &abstracts, observer)?;
    directory.spec().calibration.apply(&mut scores)?;
    Ok(scores)
}

/// Columns of the raw label space: every label, then those that have an alias once more.
fn expanded(labels: &[String]) -> Vec<usize> {
    let alias = |name: &str| match taxonomy::resolve(name) {
        taxonomy::Resolution::Label(label) => label.alias().is_some(),
        _ => false,
    };
    let twice = labels
        .iter()
        .enumerate()
        .filter(|(_, name)| alias(name))
        .map(|(at, _)| at);
    (0..labels.len()).chain(twice).collect()
}

#[cfg(test)]
mod tests;
