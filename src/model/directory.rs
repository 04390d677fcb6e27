//! A model directory: written in one step, verified before it is used.

use super::head::FEATURES;
use super::manifest::{MANIFEST, Manifest, check_name};
use super::spec::{HeadSpec, Spec};
use crate::error::{Error, Result};
use crate::scratch;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The file that holds the [`Spec`].
pub const CLASSIFIER: &str = "classifier.json";

/// The file that holds the head's weights.
pub const HEAD: &str = "head.safetensors";

/// The weights of an encoder, in a model directory or in one of its own.
pub const ENCODER: &str = "model.safetensors";

/// Its tokenizer.
pub const TOKENIZER: &str = "tokenizer.json";

/// What a local encoder consists of.
pub const ENCODER_FILES: [&str; 3] = ["config.json", ENCODER, TOKENIZER];

/// What sentence-transformers keeps beside them: how vectors are pooled, where texts are cut, and
/// what is put before them.
pub const ENCODER_OPTIONS: [&str; 4] = [
    "modules.json",
    "1_Pooling/config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
];

/// What transformers and sentence-transformers read besides, where an encoder has it.
const ENCODER_EXTRAS: [&str; 3] = [
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
];

/// The files that the encoder in `directory` consists of; of those that it may lack, those it has.
pub fn encoder_files(directory: &Path) -> Vec<&'static str> {
    let there = |name: &&&str| directory.join(name).is_file();
    let others = ENCODER_OPTIONS.iter().chain(&ENCODER_EXTRAS).filter(there);
    ENCODER_FILES.iter().chain(others).copied().collect()
}

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
    /// [`Error::Io`]; [`Error::Model`] where `target` holds a file that is not of a model and so
    /// must not go when it is replaced.
    pub fn new(target: impl AsRef<Path>) -> Result<Self> {
        let target = target.as_ref();
        if target.exists() {
            let mut entries =
                std::fs::read_dir(target).map_err(|source| Error::io(target, source))?;
            if entries.next().is_some() {
                replaceable(target)?;
            }
        }
        // What a link points to is replaced, not the link.
        let absolute = target
            .canonicalize()
            .or_else(|_| std::path::absolute(target))
            .map_err(|source| Error::io(target, source))?;
        let parent = absolute
            .parent()
            .ok_or_else(|| Error::model(target, "not a place for a directory"))?;
        std::fs::create_dir_all(parent).map_err(|source| Error::io(parent, source))?;
        let temporary =
            scratch::folder(parent, ".model-").map_err(|source| Error::io(parent, source))?;
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
        settle(here, &self.target)?;
        Ok(Directory {
            path: self.target.clone(),
            spec: spec.clone(),
            manifest,
        })
    }
}

/// Moves the directory `here`, a hidden one beside `target`, to the target's place.
///
/// # Errors
/// [`Error::Io`]; the target is then as it was, or [`Error::Model`] says where it is.
pub(crate) fn settle(here: &Path, target: &Path) -> Result<()> {
    let fail = |source| Error::io(target, source);
    if !target.exists() {
        return std::fs::rename(here, target).map_err(fail);
    }
    // A directory cannot be renamed over one that holds files: the old one steps aside beside the
    // new one, and comes back if the new one cannot move.
    let aside = scratch::folder(here.parent().unwrap_or(here), ".old-").map_err(fail)?;
    let old = aside.path().join("model");
    std::fs::rename(target, &old).map_err(fail)?;
    if let Err(source) = std::fs::rename(here, target) {
        if std::fs::rename(&old, target).is_err() {
            let kept = aside.keep().join("model");
            let reason = format!("cannot be replaced: {source}; it is at {}", kept.display());
            return Err(Error::model(target, reason));
        }
        return Err(fail(source));
    }
    Ok(())
}

/// Fails unless `target` is a model and nothing else: whatever else lay there would be lost.
fn replaceable(target: &Path) -> Result<()> {
    let keep = |file: &Path| {
        let reason = "there is something here that is not of a model; it is left alone";
        Err(Error::model(file, reason))
    };
    let Ok(manifest) = Manifest::read(target) else {
        return keep(target);
    };
    if !manifest.lists(CLASSIFIER) {
        return keep(target);
    }
    let found = Manifest::of(target, None)?;
    match found.files.keys().find(|name| !manifest.lists(name)) {
        Some(name) => keep(&target.join(name)),
        None => Ok(()),
    }
}

fn json<T: serde::Serialize>(path: &Path, value: &T) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| Error::model(path, error))?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests;
