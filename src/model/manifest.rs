//! `manifest.json`: the SHA-256 of every file of a directory, checked before use.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path};

/// The manifest's own file name; the only file that it does not list.
pub const MANIFEST: &str = "manifest.json";

/// The version of `manifest.json` this crate writes and reads.
pub const MANIFEST_VERSION: u32 = 1;

/// What a directory holds and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`MANIFEST_VERSION`].
    pub format_version: u32,
    /// Version of the code that wrote the directory.
    pub code_version: String,
    /// SHA-256 of the manifest of the data that the model was fitted on, where known.
    pub data_manifest: Option<String>,
    /// Relative path (with `/`) → SHA-256 in lower-case hex.
    pub files: BTreeMap<String, String>,
}

impl Manifest {
    /// Hashes every file below `directory`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Model`] for a name that is not UTF-8 or for a link.
    pub fn of(directory: &Path, data_manifest: Option<&str>) -> Result<Self> {
        let mut files = BTreeMap::new();
        collect(directory, "", &mut files)?;
        files.remove(MANIFEST);
        Ok(Self {
            format_version: MANIFEST_VERSION,
            code_version: env!("CARGO_PKG_VERSION").to_owned(),
            data_manifest: data_manifest.map(ToOwned::to_owned),
            files,
        })
    }

    /// Reads `directory`'s manifest and believes it.
    ///
    /// # Errors
    /// [`Error::Io`] where there is none; [`Error::Model`] where it is not of this version.
    pub fn read(directory: &Path) -> Result<Self> {
        let path = directory.join(MANIFEST);
        let bytes = std::fs::read(&path).map_err(|source| Error::io(&path, source))?;
        let manifest: Self =
            serde_json::from_slice(&bytes).map_err(|error| Error::model(&path, error))?;
        if manifest.format_version != MANIFEST_VERSION {
            return Err(Error::model(
                &path,
                format!(
                    "format_version {}; this version reads {MANIFEST_VERSION}",
                    manifest.format_version
                ),
            ));
        }
        Ok(manifest)
    }

    /// Reads `directory`'s manifest and checks every file that it lists.
    ///
    /// # Errors
    /// As [`Manifest::read`]; [`Error::Model`] naming the first file that is missing or changed.
    pub fn verify(directory: &Path) -> Result<Self> {
        let manifest = Self::read(directory)?;
        let path = directory.join(MANIFEST);
        for (name, expected) in &manifest.files {
            check_name(name)
                .map_err(|reason| Error::model(&path, format!("{name:?}: {reason}")))?;
            let file = directory.join(name);
            if !file.is_file() {
                return Err(Error::model(
                    &file,
                    "the file is missing that manifest.json lists",
                ));
            }
            let got = sha256_file(&file)?;
            if got != *expected {
                return Err(Error::model(
                    &file,
                    format!(
                        "its content is not what manifest.json lists (sha256 {got}, listed {expected})"
                    ),
                ));
            }
        }
        Ok(manifest)
    }

    /// Whether `name` is listed.
    #[must_use]
    pub fn lists(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }
}

/// SHA-256 of a file, in lower-case hex.
///
/// # Errors
/// [`Error::Io`].
pub fn sha256_file(path: &Path) -> Result<String> {
    let fail = |source| Error::io(path, source);
    let mut file = File::open(path).map_err(fail)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer).map_err(fail)?;
        if read == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&buffer[..read]);
    }
}

/// SHA-256 of `bytes`, in lower-case hex.
#[must_use]
pub fn sha256_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Says why `hash` is not a SHA-256 in lower-case hex.
pub(super) fn check_hash(hash: &str) -> std::result::Result<(), String> {
    let digits = hash
        .bytes()
        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if hash.len() == 64 && digits {
        Ok(())
    } else {
        Err(format!("{hash:?} is not 64 lower-case hex digits"))
    }
}

/// A listed name must stay inside the directory.
pub(super) fn check_name(name: &str) -> std::result::Result<(), &'static str> {
    let inside = Path::new(name)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || !inside || name.contains('\\') {
        Err("not a relative path inside the directory")
    } else {
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn collect(directory: &Path, prefix: &str, files: &mut BTreeMap<String, String>) -> Result<()> {
    let fail = |source| Error::io(directory, source);
    for entry in std::fs::read_dir(directory).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let path = entry.path();
        let name = entry.file_name();
        let name = name
            .to_str()
            .ok_or_else(|| Error::model(&path, "the file's name is not UTF-8"))?;
        let name = format!("{prefix}{name}");
        let kind = entry.file_type().map_err(fail)?;
        if kind.is_dir() {
            collect(&path, &format!("{name}/"), files)?;
        } else if kind.is_file() {
            files.insert(name, sha256_file(&path)?);
        } else {
            return Err(Error::model(&path, "neither a file nor a directory"));
        }
    }
    Ok(())
}
