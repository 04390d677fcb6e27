//! A copy of a model directory to hand on, on its own or with its encoder inside.

use super::directory::{Directory, Draft, ENCODER, TOKENIZER, encoder_files};
use super::manifest::sha256_file;
use super::spec::EncoderSpec;
use crate::error::{Error, Result};
use crate::observe::Observer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a caller may choose; crosses from Python as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Put the encoder inside, so that the directory is all that is needed.
    pub self_contained: bool,
    /// Where the encoder is that `classifier.json` names; needed to put it inside.
    pub encoder_dir: Option<PathBuf>,
    /// Texts to put beside the model, by file name: `README.md`, `metrics.json`.
    pub texts: BTreeMap<String, String>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The directory.
    pub package: PathBuf,
    /// Labels of the model.
    pub labels: usize,
    /// Bytes of all its files.
    pub bytes: u64,
    /// Whether the encoder is inside.
    pub self_contained: bool,
    /// Relative path → SHA-256.
    pub files: BTreeMap<String, String>,
}

/// Copies the model in `model` to `out`, verified before and after; `out` appears whole or
/// not at all, and a model that lies there is replaced. An encoder that lies in `model`
/// already stays inside.
///
/// # Errors
/// As [`Directory::open`] for both; [`Error::Option`] where the encoder is to be inside and
/// nobody says where it is; [`Error::Model`] where it is not the one that the model names.
pub fn package(
    model: &Path,
    out: &Path,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Summary> {
    let source = Directory::open(model)?;
    let mut spec = source.spec().clone();
    let draft = Draft::new(out)?;
    for name in source.manifest().files.keys() {
        observer.check()?;
        draft.copy(name, &source.path().join(name))?;
    }
    if options.self_contained && !spec.encoder.is_local() {
        let Some(encoder) = &options.encoder_dir else {
            return Err(Error::option(
                "encoder_dir",
                "null",
                format!("where is the encoder {:?}?", spec.encoder.name),
            ));
        };
        put_encoder(&draft, &mut spec.encoder, encoder, observer)?;
    }
    for (name, text) in &options.texts {
        draft.write(name, text.as_bytes())?;
    }
    let written = draft.finish(&spec, source.manifest().data_manifest.as_deref())?;
    let files = written.manifest().files.clone();
    let mut bytes = 0;
    for name in files.keys() {
        let path = written.path().join(name);
        bytes += std::fs::metadata(&path)
            .map_err(|source| Error::io(&path, source))?
            .len();
    }
    Ok(Summary {
        package: written.path().to_path_buf(),
        labels: spec.labels.len(),
        bytes,
        self_contained: spec.encoder.is_local(),
        files,
    })
}

/// Puts the encoder in `directory`, which must be the one that `encoder` names, into the model
/// that is being written.
///
/// # Errors
/// As [`check_encoder`]; [`Error::Interrupted`].
pub fn put_encoder(
    draft: &Draft,
    encoder: &mut EncoderSpec,
    directory: &Path,
    observer: &dyn Observer,
) -> Result<()> {
    check_encoder(encoder, directory)?;
    for name in encoder_files(directory) {
        observer.check()?;
        draft.copy(name, &directory.join(name))?;
    }
    encoder.source = EncoderSpec::LOCAL.to_owned();
    Ok(())
}

/// Checks that the encoder in `directory` is the one that `encoder` names.
///
/// # Errors
/// [`Error::Io`]; [`Error::Model`] with both hashes.
pub fn check_encoder(encoder: &EncoderSpec, directory: &Path) -> Result<()> {
    let files = [
        (ENCODER, Some(&encoder.sha256)),
        (TOKENIZER, encoder.tokenizer_sha256.as_ref()),
    ];
    for (name, wanted) in files {
        let Some(wanted) = wanted else { continue };
        let path = directory.join(name);
        let got = sha256_file(&path)?;
        if got != *wanted {
            let reason = format!(
                "not of {:?}, the model's encoder: sha256 {got}, not {wanted}",
                encoder.name
            );
            return Err(Error::model(path, reason));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::directory::{CLASSIFIER, HEAD, tests::spec};
    use crate::observe::Silent;

    /// A model on a named encoder, and that encoder: `(place, model, encoder)`.
    fn model() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let (model, encoder) = (place.path().join("model"), place.path().join("encoder"));
        let draft = Draft::new(&model).unwrap();
        draft.write(HEAD, b"head").unwrap();
        draft.write("README.md", b"the model").unwrap();
        draft.finish(&spec(&["cs.AI"]), Some("5e")).unwrap();
        std::fs::create_dir_all(encoder.join("1_Pooling")).unwrap();
        for (name, text) in [
            ("config.json", "{}"),
            ("model.safetensors", "weights"),
            ("tokenizer.json", "{}"),
            ("modules.json", "[]"),
            ("1_Pooling/config.json", "{}"),
            ("README.md", "the encoder"),
        ] {
            std::fs::write(encoder.join(name), text).unwrap();
        }
        (place, model, encoder)
    }

    #[test]
    fn a_copy_is_the_model_with_the_texts_beside_it() {
        let (place, model, _) = model();
        let texts = BTreeMap::from([("metrics.json".to_owned(), "{}".to_owned())]);
        let options = Options {
            texts,
            ..Options::default()
        };
        let summary = package(&model, &place.path().join("out"), &options, &Silent).unwrap();
        let out = Directory::open(&summary.package).unwrap();
        assert_eq!(out.spec(), Directory::open(&model).unwrap().spec());
        assert_eq!(out.manifest().data_manifest.as_deref(), Some("5e"));
        let names: Vec<_> = summary.files.keys().map(String::as_str).collect();
        assert_eq!(names, ["README.md", CLASSIFIER, HEAD, "metrics.json"]);
        assert!(!summary.self_contained);
    }

    #[test]
    fn a_self_contained_copy_holds_its_encoder_and_keeps_its_own_card() {
        let (place, model, encoder) = model();
        let options = Options {
            self_contained: true,
            encoder_dir: Some(encoder),
            ..Options::default()
        };
        let out = place.path().join("out");
        assert!(
            package(&model, &out, &options, &Silent)
                .unwrap()
                .self_contained
        );
        let inside = Directory::open(&out).unwrap();
        assert!(inside.spec().encoder.is_local());
        assert!(inside.manifest().lists("1_Pooling/config.json"));
        assert_eq!(
            std::fs::read_to_string(out.join("README.md")).unwrap(),
            "the model"
        );
        // Once inside, it stays inside, and needs no directory to come from.
        let again = Options {
            self_contained: true,
            ..Options::default()
        };
        assert!(
            package(&out, &place.path().join("again"), &again, &Silent)
                .unwrap()
                .self_contained
        );
    }

    #[test]
    fn another_encoder_is_refused() {
        let (place, model, encoder) = model();
        std::fs::write(encoder.join(ENCODER), "others").unwrap();
        let options = Options {
            self_contained: true,
            encoder_dir: Some(encoder),
            ..Options::default()
        };
        let out = place.path().join("out");
        let error = package(&model, &out, &options, &Silent)
            .unwrap_err()
            .to_string();
        assert!(error.contains("all-MiniLM-L6-v2"), "{error}");
        assert!(!out.exists());
    }

    #[test]
    fn an_encoder_that_nobody_gives_is_asked_for() {
        let (place, model, _) = model();
        let options = Options {
            self_contained: true,
            ..Options::default()
        };
        let error = package(&model, &place.path().join("out"), &options, &Silent).unwrap_err();
        assert!(matches!(error, Error::Option { .. }), "{error}");
    }

    #[test]
    fn an_encoder_with_another_tokenizer_is_refused() {
        let (_place, _, encoder) = model();
        let mut wanted = spec(&["cs.AI"]).encoder;
        wanted.tokenizer_sha256 = Some(sha256_file(&encoder.join(TOKENIZER)).unwrap());
        check_encoder(&wanted, &encoder).unwrap();
        std::fs::write(encoder.join(TOKENIZER), "[]").unwrap();
        let error = check_encoder(&wanted, &encoder).unwrap_err().to_string();
        assert!(error.contains(TOKENIZER), "{error}");
    }
}
