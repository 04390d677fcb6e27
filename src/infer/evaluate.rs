//! The stage `evaluate`: a model's scores on one split of a papers table → every figure.

use super::encoder::{self, Encoder};
use crate::corpus::papers::Papers;
use crate::corpus::split::Split;
use crate::corpus::taxonomy;
use crate::corpus::when::civil;
use crate::error::{Error, Result};
use crate::metrics::Scored;
use crate::metrics::bootstrap::Bootstrap;
use crate::metrics::report::{self, Report, Slice};
use crate::model::directory::Directory;
use crate::model::embeddings;
use crate::model::head::Head;
use crate::model::manifest::sha256_file;
use crate::model::package::check_encoder;
use crate::observe::Observer;
use crate::text::template;
use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tch::Tensor;

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
}

impl Default for Options {
    fn default() -> Self {
        Self {
            min_positives: 10,
            bootstrap: Bootstrap::default(),
            encoder: None,
            device: "auto".to_owned(),
            dtype: "f32".to_owned(),
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
    let table = Papers::read(papers, None, None)?;
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
        Some(file) => embedded(papers, &table, &rows, file, &directory)?,
        None => encode(&table, &rows, &directory, options, observer)?,
    };
    let scores = score(&table, &rows, &vectors, &directory)?;
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
    let scored = Scored::probabilities(&scores, &truth, width)?;
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
    )?;
    let days = || rows.iter().map(|&row| table.submitted[row]);
    Ok(Evaluation {
        split: split.name(),
        label_space_version: spec.label_space_version,
        papers: rows.len(),
        submitted: [days().min().unwrap_or(0), days().max().unwrap_or(0)],
        pairs_outside: outside,
        share_outside: outside as f64 / f64::from(pairs.max(1)),
        report,
    })
}

/// Warns where the table is not the one that the model was fitted to: what is a test paper here
/// may have been a training paper there.
fn same_data(papers: &Path, directory: &Directory) -> Result<()> {
    let manifest = papers.with_file_name("manifest.json");
    let Some(fitted) = &directory.manifest().data_manifest else {
        return Ok(());
    };
    if manifest.is_file() && sha256_file(&manifest)? != *fitted {
        log::warn!(
            "{}: not the table that {} was fitted to; papers it was fitted to may be among those it is measured by",
            papers.display(),
            directory.path().display()
        );
    }
    Ok(())
}

/// The rows' embeddings from the file that holds the whole table's.
fn embedded(
    papers: &Path,
    table: &Papers,
    rows: &[usize],
    file: &Path,
    directory: &Directory,
) -> Result<Array2<f32>> {
    let spec = directory.spec();
    let (vectors, made) = embeddings::read(file)?;
    if vectors.nrows() != table.len() {
        return Err(Error::shape("embeddings", [table.len()], [vectors.nrows()]));
    }
    made.check_papers(file, papers)?;
    for (name, embedded, expected) in [
        ("encoder", made.encoder_sha256, spec.encoder.sha256.clone()),
        ("pooling", made.pooling, spec.pooling.clone()),
        (
            "template_version",
            made.template_version.to_string(),
            spec.template_version.to_string(),
        ),
        (
            "max_length",
            made.max_length.to_string(),
            spec.max_length.to_string(),
        ),
    ] {
        if embedded != expected {
            return Err(Error::input(
                file.display(),
                format!("{name}: embedded with {embedded}, but the model reads {expected}"),
            ));
        }
    }
    Ok(vectors.select(Axis(0), rows))
}

/// The rows' embeddings, made now by the model's own encoder.
fn encode(
    table: &Papers,
    rows: &[usize],
    directory: &Directory,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Array2<f32>> {
    let spec = directory.spec();
    let place = if spec.encoder.is_local() {
        directory.path()
    } else {
        options.encoder.as_deref().ok_or_else(|| {
            let reason = format!(
                "the model's encoder {:?} is not in it; say where it is",
                spec.encoder.source
            );
            Error::option("encoder", "null", reason)
        })?
    };
    check_encoder(&spec.encoder, place)?;
    let encoder = Encoder::load(
        place,
        &encoder::Options {
            device: options.device.clone(),
            dtype: options.dtype.clone(),
            max_length: Some(spec.max_length),
        },
    )?;
    let texts: Vec<String> = rows
        .iter()
        .map(|&row| template(&table.titles[row], &table.abstracts[row]))
        .collect();
    encoder.encode(&texts, observer)
}

/// Calibrated probabilities, row-major.
fn score(
    table: &Papers,
    rows: &[usize],
    vectors: &Array2<f32>,
    directory: &Directory,
) -> Result<Vec<f32>> {
    let head = Head::load(directory.path(), directory.spec())?;
    let size = [vectors.nrows() as i64, vectors.ncols() as i64];
    let vectors = vectors.as_standard_layout();
    let vectors = Tensor::f_from_slice(vectors.as_slice().unwrap_or_default())?.f_view(size)?;
    let features = match head.vocabulary() {
        Some(vocabulary) => {
            let (titles, abstracts): (Vec<&str>, Vec<&str>) = rows
                .iter()
                .map(|&row| (table.titles[row].as_str(), table.abstracts[row].as_str()))
                .unzip();
            vocabulary.rows(&titles, &abstracts)?
        }
        None => Vec::new(),
    };
    let logits = head.forward(&vectors, &features)?;
    let mut scores = Vec::<f32>::try_from(logits.f_contiguous()?.f_view([-1])?)?;
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

/// Year, archive, length, rarity, and whether a paper's labels are of several archives.
fn slices(table: &Papers, rows: &[usize]) -> Vec<Slice> {
    let mut support: HashMap<&str, usize> = HashMap::new();
    for row in (0..table.len()).filter(|&row| table.splits[row] == Split::Train) {
        for category in &table.categories[row] {
            *support.entry(category).or_default() += 1;
        }
    }
    let slice = |name: &str, group: &dyn Fn(usize) -> Option<String>| {
        let groups: Vec<Option<String>> = rows.iter().map(|&row| group(row)).collect();
        let mut names: Vec<String> = groups.iter().flatten().cloned().collect();
        names.sort_unstable();
        names.dedup();
        let find = |group: &Option<String>| {
            let group = group.as_ref()?;
            names.binary_search(group).ok().map(|at| at as i32)
        };
        let of = groups
            .iter()
            .map(|group| find(group).unwrap_or(-1))
            .collect();
        Slice {
            name: name.to_owned(),
            groups: names,
            of,
        }
    };
    let band = |value: usize, bounds: [usize; 3], unit: &str| {
        let [first, second, third] = bounds;
        let (rank, text) = match value {
            value if value < first => (1, format!("below {first}")),
            value if value < second => (2, format!("{first} to {}", second - 1)),
            value if value < third => (3, format!("{second} to {}", third - 1)),
            _ => (4, format!("{third} or more")),
        };
        format!("{rank}: {text} {unit}")
    };
    vec![
        slice("year", &|row| {
            Some(civil(table.submitted[row]).0.to_string())
        }),
        slice("archive", &|row| table.archives[row].clone()),
        slice("length", &|row| {
            let words = table.abstracts[row].split_ascii_whitespace().count();
            Some(band(words, [75, 150, 225], "words"))
        }),
        slice("rarity", &|row| {
            let of = |name: &String| support.get(name.as_str()).copied().unwrap_or(0);
            let rarest = table.categories[row].iter().map(of).min()?;
            Some(band(
                rarest,
                [250, 1000, 4000],
                "training papers of the rarest label",
            ))
        }),
        slice("archives", &|row| {
            let mut archives: Vec<_> = table.categories[row]
                .iter()
                .filter_map(|name| taxonomy::archive_of(name))
                .collect();
            archives.sort_unstable();
            archives.dedup();
            match archives.len() {
                0 => None,
                1 => Some("one".to_owned()),
                _ => Some("several".to_owned()),
            }
        }),
    ]
}

#[cfg(test)]
mod tests;
