//! The stage `train`: papers and their embeddings → a model directory.
//!
//! The head is fitted to the papers of the split `train`. Calibration and thresholds are fitted
//! to papers that the head was not fitted to: those of the split `validation` and, where asked
//! for, a share of `train` that is held out. A refit then fits the head once more, to all of
//! them.

mod options;
mod summary;
mod table;

use self::table::Corpus;
use super::rows::divide;
use super::space::Space;
use crate::corpus::papers::Papers;
use crate::corpus::taxonomy::LABEL_SPACE_VERSION;
use crate::error::{Error, Result};
use crate::metrics::{Scored, calibration, thresholds};
use crate::model::directory::Draft;
use crate::model::embeddings::{self, Metadata};
use crate::model::head::Head;
use crate::model::manifest::sha256_file;
use crate::model::package::put_encoder;
use crate::model::spec::{Calibration, EncoderSpec, FORMAT_VERSION, Spec};
use crate::observe::Observer;
use crate::text::TEMPLATE_VERSION;
use std::path::Path;

pub use self::options::{Encoder, Kind, Options, check};
pub use self::summary::{Counts, FitReport, Summary};

/// Fits head, calibration and thresholds and writes a model directory to `out`.
///
/// `embeddings` is the file that `embed` wrote for `papers`. The same inputs, options, number of
/// threads and kind of processor give the same files. In a refit, a label most of whose papers the
/// first fit did not see takes the calibration and the threshold of all labels.
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
    let table = Papers::read(papers, None, None, observer)?;
    let (vectors, made) = embeddings::read(embeddings)?;
    if vectors.nrows() != table.len() {
        return Err(Error::shape("embeddings", [table.len()], [vectors.nrows()]));
    }
    made.check_papers(embeddings, papers, observer)?;
    if made.template_version != TEMPLATE_VERSION {
        return Err(Error::input(
            embeddings.display(),
            format!(
                "made with text template {}; this version's is {TEMPLATE_VERSION}: embed again",
                made.template_version
            ),
        ));
    }
    if let Some(asked) = options.max_length.filter(|asked| *asked != made.max_length) {
        let reason = format!(
            "the embeddings are of {} tokens: embed again",
            made.max_length
        );
        return Err(Error::option("max_length", asked, reason));
    }
    if let Some(asked) = options.dtype.as_ref().filter(|asked| **asked != made.dtype) {
        let reason = format!("the embeddings are of {}: embed again", made.dtype);
        return Err(Error::option("dtype", asked, reason));
    }
    let (fitted, held) = divide(&table, options.holdout, options.seed);
    let all = options.refit.then(|| [fitted.as_slice(), &held].concat());
    let counted = all.as_deref().unwrap_or(&fitted);
    let space = Space::new(&table, counted, options.min_papers)?;
    let corpus = Corpus {
        table: &table,
        vectors: &vectors,
        space: &space,
    };
    if held.is_empty() {
        return Err(Error::fit("thresholds", "the split validation is empty"));
    }
    // What the first fit hardly saw it cannot calibrate for the second.
    let unlearned: Vec<usize> = corpus
        .counts(&fitted)
        .iter()
        .zip(&space.counts)
        .enumerate()
        .filter(|(_, (first, last))| 2 * **first < **last)
        .map(|(label, _)| label)
        .collect();
    let draft = Draft::new(out)?;
    let (head, fit) = corpus.fit(&fitted, options, observer)?;
    let mut spec = spec(&head, &space, &made, &options.encoder);
    let head = stored(&head, &draft, &spec)?;
    let mut scores = corpus.logits(&head, &held, observer)?;
    let truth = corpus.truth(&held);
    let calibration = if options.calibrate {
        observer.report("calibrate", 0, 0, "labels");
        let scored = Scored::new(&scores, &truth, space.names.len())?;
        let (mut pair, report) = calibration::fit(&scored, &options.calibration, observer)
            .map_err(|error| error.in_group("calibration"))?;
        for &label in &unlearned {
            [pair.scale[label], pair.bias[label]] = report.common.map(|value| value as f32);
        }
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
    let (mut chosen, thresholds) = thresholds::fit(&scored, &options.thresholds, observer)
        .map_err(|error| error.in_group("thresholds"))?;
    for &label in &unlearned {
        chosen[label] = thresholds.global;
    }
    spec.thresholds = chosen;
    let mut refit = None;
    if let Some(all) = &all {
        let (head, report) = corpus.fit(all, options, observer)?;
        spec.head = head.spec();
        stored(&head, &draft, &spec)?;
        refit = Some(report);
    }
    let data = papers.with_file_name("manifest.json");
    let data = if data.is_file() {
        Some(sha256_file(&data)?)
    } else {
        None
    };
    if let Some(encoder) = &options.encoder.directory {
        put_encoder(&draft, &mut spec.encoder, encoder, observer)?;
    }
    let directory = draft.finish(&spec, data.as_deref())?;
    let size =
        |name: &String| std::fs::metadata(directory.path().join(name)).map_or(0, |file| file.len());
    Ok(Summary {
        options: options.clone(),
        papers: Counts {
            fit: fitted.len(),
            validation: held.len(),
            refit: all.map(|rows| rows.len()),
        },
        labels: space
            .names
            .iter()
            .cloned()
            .zip(space.counts.iter().copied())
            .collect(),
        left_out: space.left_out.clone(),
        fit,
        refit,
        calibration,
        thresholds,
        bytes: directory.manifest().files.keys().map(size).sum(),
    })
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
            tokenizer_sha256: Some(made.tokenizer_sha256.clone()),
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
