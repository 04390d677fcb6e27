//! What is evaluated: the table that the model knows, and its papers' embeddings.

use super::Options;
use crate::corpus::papers::Papers;
use crate::error::{Error, Result};
use crate::infer::encoder::{self, Encoder};
use crate::model::directory::Directory;
use crate::model::embeddings;
use crate::model::manifest::sha256_file;
use crate::model::package::check_encoder;
use crate::observe::Observer;
use crate::text::template;
use ndarray::Array2;
use std::path::Path;

/// Warns where the table is not the one that the model was fitted to: what is a test paper here
/// may have been a training paper there.
pub(super) fn same_data(papers: &Path, directory: &Directory) -> Result<()> {
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
pub(super) fn embedded(
    papers: &Path,
    table: &Papers,
    rows: &[usize],
    file: &Path,
    directory: &Directory,
    observer: &dyn Observer,
) -> Result<Array2<f32>> {
    let spec = directory.spec();
    let (vectors, made) = embeddings::read_rows(file, table.len(), rows)?;
    made.check_papers(file, papers, observer)?;
    for (name, embedded, expected) in [
        ("encoder", made.encoder_sha256, spec.encoder.sha256.clone()),
        (
            "tokenizer",
            made.tokenizer_sha256.clone(),
            spec.encoder
                .tokenizer_sha256
                .clone()
                .unwrap_or(made.tokenizer_sha256),
        ),
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
    Ok(vectors)
}

/// The rows' embeddings, made now by the model's own encoder.
pub(super) fn encode(
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
