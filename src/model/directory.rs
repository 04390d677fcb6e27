//! A model directory: written in one step, verified before it is used.

use super::head::FEATURES;
use super::manifest::{MANIFEST, Manifest, check_name};
use super::spec::{HeadSpec, Spec};
use crate::error::{Error, Result};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The file that holds the [`Spec`].
pub const CLASSIFIER: &str = "classifier.json";

/// The file that holds the head's weights.
pub const HEAD: &str = "head.safetensors";

/// The weights of an encoder, in a model directory or in one of its own.
pub const ENCODER: &str = "model.safetensors";

/// What a local encoder consists of.
pub const ENCODER_FILES: [&str; 3] = ["config.json", ENCODER, "tokenizer.json"];

/// What sentence-transformers keeps beside them: how vectors are pooled and texts are cut.
pub const ENCODER_OPTIONS: [&str; 3] = [
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
];

/// A verified model directory.
#[derive(Debug, Clone)]
pub struct Directory {
    path: PathBuf,
    spec: Spec,
    manifest: Manifest,
}

impl Directory {
    /// Opens `path`: every file is what `manifest.json` lists, nothing that a model needs is
    /// missing, and `classifier.json` is of this version with lists that fit each other.
    /// Shapes of weights are checked where the weights are loaded.
    ///
    /// # Errors
    /// [`Error::Io`] where `path` is not a directory; [`Error::Model`] naming file and key.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        std::fs::read_dir(path).map_err(|source| Error::io(path, source))?;
        for name in [CLASSIFIER, HEAD, MANIFEST] {
            let file = path.join(name);
            if !file.is_file() {
                return Err(Error::model(
                    &file,
                    "the file is missing: not a model directory",
                ));
            }
        }
        let manifest = Manifest::verify(path)?;
        let file = path.join(CLASSIFIER);
        let bytes = std::fs::read(&file).map_err(|source| Error::io(&file, source))?;
        let spec = Spec::parse(&file, &bytes)?;
        let directory = Self {
            path: path.to_path_buf(),
            spec,
            manifest,
        };
        directory.check()?;
        Ok(directory)
    }

    /// What is needed must be listed: an unlisted file is one that nobody has hashed.
    fn check(&self) -> Result<()> {
        let encoder: &[&str] = if self.spec.encoder.is_local() {
            &ENCODER_FILES
        } else {
            &[]
        };
        let features: &[&str] = match self.spec.head {
            HeadSpec::Hybrid { .. } => &[FEATURES],
            HeadSpec::Linear {} | HeadSpec::Mlp { .. } => &[],
        };
        for name in [CLASSIFIER, HEAD].iter().chain(features).chain(encoder) {
            if !self.manifest.lists(name) {
                return Err(Error::model(
                    self.path.join(name),
                    "manifest.json does not list this file",
                ));
            }
        }
        let unlisted = ENCODER_OPTIONS
            .iter()
            .find(|name| self.path.join(name).exists() && !self.manifest.lists(name));
        if let (true, Some(name)) = (self.spec.encoder.is_local(), unlisted) {
            return Err(Error::model(
                self.path.join(name),
                "manifest.json does not list this file",
            ));
        }
        if self.spec.encoder.is_local()
            && self.manifest.files.get(ENCODER) != Some(&self.spec.encoder.sha256)
        {
            return Err(Error::model(
                self.path.join(ENCODER),
                format!("not the encoder that {CLASSIFIER} names (encoder.sha256)"),
            ));
        }
        Ok(())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its `classifier.json`.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Its `manifest.json`.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The path of `name`, a file that the head cannot do without.
    ///
    /// # Errors
    /// [`Error::Model`] where the manifest does not list it.
    pub fn file(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        if self.manifest.lists(name) {
            Ok(path)
        } else {
            Err(Error::model(
                path,
                "the file is missing or not listed in manifest.json",
            ))
        }
    }
}

/// A model directory being written: a hidden directory beside the target, which takes the
/// target's place in [`Draft::finish`] and vanishes if that is never reached.
#[derive(Debug)]
pub struct Draft {
    target: PathBuf,
    temporary: TempDir,
}

impl Draft {
    /// Starts a directory that will lie at `target`, whose parents are made.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Model`] where `target` holds something that is not a model
    /// directory and so must not be replaced.
    pub fn new(target: impl AsRef<Path>) -> Result<Self> {
        let target = target.as_ref();
        if target.exists() {
            let mut entries =
                std::fs::read_dir(target).map_err(|source| Error::io(target, source))?;
            if entries.next().is_some() && !target.join(MANIFEST).is_file() {
                return Err(Error::model(
                    target,
                    "there is something here that is not a model; it is left alone",
                ));
            }
        }
        let absolute = std::path::absolute(target).map_err(|source| Error::io(target, source))?;
        let parent = absolute
            .parent()
            .ok_or_else(|| Error::model(target, "not a place for a directory"))?;
        std::fs::create_dir_all(parent).map_err(|source| Error::io(parent, source))?;
        let temporary = hidden(".model-")
            .tempdir_in(parent)
            .map_err(|source| Error::io(parent, source))?;
        Ok(Self {
            target: absolute,
            temporary,
        })
    }

    /// Where to write a file called `name` (with `/` for folders, which are made).
    ///
    /// # Errors
    /// [`Error::Model`] for a name that leads out of the directory; [`Error::Io`].
    pub fn file(&self, name: &str) -> Result<PathBuf> {
        let path = self.temporary.path().join(name);
        check_name(name).map_err(|reason| Error::model(&path, reason))?;
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|source| Error::io(parent, source))?;
        }
        Ok(path)
    }

    /// Writes a file called `name`.
    ///
    /// # Errors
    /// As [`Draft::file`].
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.file(name)?;
        std::fs::write(&path, bytes).map_err(|source| Error::io(&path, source))
    }

    /// Copies the file at `source` to `name`.
    ///
    /// # Errors
    /// As [`Draft::file`].
    pub fn copy(&self, name: &str, source: &Path) -> Result<()> {
        let path = self.file(name)?;
        std::fs::copy(source, &path).map_err(|error| Error::io(source, error))?;
        Ok(())
    }

    /// Writes `classifier.json` and `manifest.json`, verifies the whole and moves it to the
    /// target. `data_manifest` is the SHA-256 of the manifest of the data behind the model.
    ///
    /// # Errors
    /// As [`Directory::open`]; the target is then as it was.
    pub fn finish(self, spec: &Spec, data_manifest: Option<&str>) -> Result<Directory> {
        let here = self.temporary.path();
        self.write(CLASSIFIER, &json(&here.join(CLASSIFIER), spec)?)?;
        let manifest = Manifest::of(here, data_manifest)?;
        self.write(MANIFEST, &json(&here.join(MANIFEST), &manifest)?)?;
        Directory::open(here)?;
        // A directory cannot be renamed over one that holds files: the old one steps aside
        // inside the temporary one's parent, and comes back if the new one cannot move.
        let parent = here.parent().unwrap_or(here);
        let fail = |source| Error::io(&self.target, source);
        if self.target.exists() {
            let aside = tempfile::Builder::new()
                .prefix(".old-")
                .tempdir_in(parent)
                .map_err(fail)?;
            let old = aside.path().join("model");
            std::fs::rename(&self.target, &old).map_err(fail)?;
            if let Err(source) = std::fs::rename(here, &self.target) {
                std::fs::rename(&old, &self.target).map_err(fail)?;
                return Err(fail(source));
            }
        } else {
            std::fs::rename(here, &self.target).map_err(fail)?;
        }
        Ok(Directory {
            path: self.target.clone(),
            spec: spec.clone(),
            manifest,
        })
    }
}

/// Temporary directories are made for their owner alone; a model is for every reader that
/// the process's umask allows.
fn hidden(prefix: &str) -> tempfile::Builder<'_, '_> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o777));
    }
    builder
}

fn json<T: serde::Serialize>(path: &Path, value: &T) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| Error::model(path, error))?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::manifest::sha256_bytes;
    use crate::model::spec::{Calibration, EncoderSpec, FORMAT_VERSION, HeadSpec};

    /// A specification over `labels` whose encoder is a named one.
    pub(crate) fn spec(labels: &[&str]) -> Spec {
        Spec {
            format_version: FORMAT_VERSION,
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            label_space_version: crate::corpus::taxonomy::LABEL_SPACE_VERSION,
            head: HeadSpec::Linear {},
            pooling: "mean+normalize".into(),
            template_version: crate::text::TEMPLATE_VERSION,
            max_length: 64,
            calibration: Calibration::identity(labels.len()),
            thresholds: vec![0.5; labels.len()],
            encoder: EncoderSpec {
                source: "minilm".into(),
                name: "all-MiniLM-L6-v2".into(),
                sha256: sha256_bytes(b"weights"),
            },
        }
    }

    fn written(place: &Path, spec: &Spec) -> Result<Directory> {
        let draft = Draft::new(place.join("model"))?;
        draft.write(HEAD, b"head")?;
        if spec.encoder.is_local() {
            for (name, bytes) in
                ENCODER_FILES
                    .iter()
                    .zip([b"config" as &[u8], b"weights", b"tokenizer"])
            {
                draft.write(name, bytes)?;
            }
        }
        draft.finish(spec, Some(&sha256_bytes(b"data")))
    }

    /// The one error of opening a good directory after `change`.
    fn refusal(change: impl FnOnce(&Path)) -> String {
        let place = tempfile::tempdir().unwrap();
        let directory = written(place.path(), &spec(&["cs.AI", "cs.LG"])).unwrap();
        change(directory.path());
        let error = Directory::open(directory.path()).unwrap_err();
        assert!(matches!(error, Error::Model { .. }), "{error}");
        error.to_string()
    }

    /// Rewrites `classifier.json` through `change`, and the manifest with it.
    fn respec(change: impl FnOnce(&mut serde_json::Value)) -> String {
        refusal(|path| {
            let mut value: serde_json::Value =
                serde_json::from_slice(&std::fs::read(path.join(CLASSIFIER)).unwrap()).unwrap();
            change(&mut value);
            std::fs::write(path.join(CLASSIFIER), serde_json::to_vec(&value).unwrap()).unwrap();
            remanifest(path);
        })
    }

    fn remanifest(path: &Path) {
        let manifest = Manifest::of(path, None).unwrap();
        std::fs::write(path.join(MANIFEST), serde_json::to_vec(&manifest).unwrap()).unwrap();
    }

    #[test]
    fn what_is_written_is_what_is_opened() {
        let place = tempfile::tempdir().unwrap();
        let spec = spec(&["cs.AI", "cs.LG"]);
        let directory = written(place.path(), &spec).unwrap();
        let again = Directory::open(directory.path()).unwrap();
        assert_eq!(again.spec(), &spec);
        assert_eq!(
            again.manifest().data_manifest.as_deref(),
            Some(sha256_bytes(b"data").as_str())
        );
        assert_eq!(again.manifest().files[HEAD], sha256_bytes(b"head"));
        assert!(again.file("features.safetensors").is_err());
        let left: Vec<_> = std::fs::read_dir(place.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left, ["model"]);
    }

    #[test]
    fn a_model_is_replaced_by_the_next_and_by_nothing_unfinished() {
        let place = tempfile::tempdir().unwrap();
        written(place.path(), &spec(&["cs.AI"])).unwrap();
        written(place.path(), &spec(&["cs.AI", "cs.LG"])).unwrap();
        drop(Draft::new(place.path().join("model")).unwrap());
        let mut bad = spec(&["cs.CV"]);
        bad.thresholds.clear();
        written(place.path(), &bad).unwrap_err();
        assert_eq!(
            Directory::open(place.path().join("model"))
                .unwrap()
                .spec()
                .labels
                .len(),
            2
        );
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_not_a_model_is_not_replaced() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("thesis.tex"), "years of work").unwrap();
        let error = Draft::new(place.path()).unwrap_err().to_string();
        assert!(error.contains("left alone"), "{error}");
    }

    #[test]
    fn a_file_name_cannot_leave_the_directory() {
        let place = tempfile::tempdir().unwrap();
        let draft = Draft::new(place.path().join("model")).unwrap();
        for name in ["../x", "/x", "a/../../x", ""] {
            assert!(draft.write(name, b"").is_err(), "{name:?}");
        }
        draft.write("1_Pooling/config.json", b"{}").unwrap();
    }

    #[test]
    fn a_changed_file_is_named() {
        let message = refusal(|path| std::fs::write(path.join(HEAD), b"other").unwrap());
        assert!(
            message.contains(HEAD) && message.contains("not what manifest.json lists"),
            "{message}"
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        for name in [HEAD, CLASSIFIER, MANIFEST] {
            let message = refusal(|path| std::fs::remove_file(path.join(name)).unwrap());
            assert!(
                message.contains(name) && message.contains("missing"),
                "{message}"
            );
        }
    }

    #[test]
    fn a_listed_file_outside_is_refused() {
        let message = refusal(|path| {
            let mut manifest = Manifest::of(path, None).unwrap();
            manifest
                .files
                .insert("../../secret".into(), sha256_bytes(b""));
            std::fs::write(path.join(MANIFEST), serde_json::to_vec(&manifest).unwrap()).unwrap();
        });
        assert!(message.contains("not a relative path"), "{message}");
    }

    #[test]
    fn a_file_that_no_manifest_lists_is_not_trusted() {
        let message = refusal(|path| {
            let mut manifest = Manifest::of(path, None).unwrap();
            manifest.files.remove(HEAD);
            std::fs::write(path.join(MANIFEST), serde_json::to_vec(&manifest).unwrap()).unwrap();
        });
        assert!(message.contains("does not list"), "{message}");
    }

    #[test]
    fn a_damaged_manifest_is_named() {
        let message = refusal(|path| std::fs::write(path.join(MANIFEST), b"{").unwrap());
        assert!(message.contains(MANIFEST), "{message}");
    }

    #[test]
    fn label_lists_must_fit() {
        let long = respec(|spec| spec["labels"].as_array_mut().unwrap().push("cs.CV".into()));
        assert!(long.contains("thresholds: 2 for 3 labels"), "{long}");
        let short = respec(|spec| drop(spec["labels"].as_array_mut().unwrap().pop()));
        assert!(short.contains("thresholds: 2 for 1 labels"), "{short}");
        let twice = respec(|spec| spec["labels"][1] = "cs.AI".into());
        assert!(
            twice.contains("cs.AI") && twice.contains("twice"),
            "{twice}"
        );
        let none = respec(|spec| spec["labels"] = serde_json::json!([]));
        assert!(none.contains("labels: the list is empty"), "{none}");
    }

    #[test]
    fn labels_and_texts_are_of_the_versions_that_this_crate_speaks() {
        let alias = respec(|spec| spec["labels"][1] = "math.IT".into());
        assert!(
            alias.contains("math.IT") && alias.contains("cs.IT"),
            "{alias}"
        );
        let unknown = respec(|spec| spec["labels"][1] = "cs.XX".into());
        assert!(unknown.contains("cs.XX"), "{unknown}");
        let space = respec(|spec| spec["label_space_version"] = 99.into());
        assert!(space.contains("label_space_version 99"), "{space}");
        let template = respec(|spec| spec["template_version"] = 99.into());
        assert!(template.contains("template_version 99"), "{template}");
    }

    #[test]
    fn numbers_must_be_usable() {
        let threshold = respec(|spec| spec["thresholds"][1] = 1.5.into());
        assert!(threshold.contains("1.5 for cs.LG"), "{threshold}");
        let calibration = respec(|spec| {
            spec["calibration"] = serde_json::json!({"scale": [1.0], "bias": [0.0, 0.0]});
        });
        assert!(
            calibration.contains("calibration.scale: 1 for 2 labels"),
            "{calibration}"
        );
        let length = respec(|spec| spec["max_length"] = 0.into());
        assert!(length.contains("max_length"), "{length}");
        let hash = respec(|spec| spec["encoder"]["sha256"] = "abc".into());
        assert!(hash.contains("encoder.sha256"), "{hash}");
    }

    #[test]
    fn another_format_or_an_unknown_key_is_named() {
        let version = respec(|spec| {
            spec["format_version"] = 99.into();
            spec["novelty"] = 1.into();
        });
        assert!(version.contains("format_version 99"), "{version}");
        let key = respec(|spec| spec["novelty"] = 1.into());
        assert!(key.contains("novelty"), "{key}");
        let head = respec(|spec| spec["head"]["kind"] = "oracle".into());
        assert!(head.contains("oracle"), "{head}");
        let missing = respec(|spec| drop(spec.as_object_mut().unwrap().remove("pooling")));
        assert!(missing.contains("pooling"), "{missing}");
    }

    #[test]
    fn a_local_encoder_is_whole_and_the_one_named() {
        let place = tempfile::tempdir().unwrap();
        let mut local = spec(&["cs.AI"]);
        local.encoder.source = EncoderSpec::LOCAL.into();
        let directory = written(place.path(), &local).unwrap();
        for name in ENCODER_FILES {
            let kept = std::fs::read(directory.path().join(name)).unwrap();
            std::fs::remove_file(directory.path().join(name)).unwrap();
            remanifest(directory.path());
            let error = Directory::open(directory.path()).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
            std::fs::write(directory.path().join(name), kept).unwrap();
        }
        std::fs::write(directory.path().join(ENCODER), b"others").unwrap();
        remanifest(directory.path());
        let error = Directory::open(directory.path()).unwrap_err().to_string();
        assert!(error.contains("encoder.sha256"), "{error}");
    }
}
