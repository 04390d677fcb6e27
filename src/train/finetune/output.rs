//! The tuned encoder's directory: the files of the one it came from, other weights, and a record
//! of how they came about.

use super::Summary;
use super::resume::Identity;
use crate::error::{Error, Result};
use crate::model::bert::Bert;
use crate::model::checkpoint::Checkpoint;
use crate::model::config::read;
use crate::model::directory::{ENCODER, encoder_files, settle};
use crate::model::manifest::sha256_file;
use crate::scratch;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::Path;

/// The record; it also tells a directory that may be replaced from any other.
const RECORD: &str = "finetune.json";

#[derive(Serialize, Deserialize)]
struct Record {
    identity: Identity,
    summary: Summary,
}

/// What is known of the encoder in `out`, where it is the one that is asked for.
///
/// # Errors
/// [`Error::Io`]; [`Error::Input`] where `out` holds something else than a tuned encoder.
pub(super) fn finished(out: &Path, identity: &Identity) -> Result<Option<Summary>> {
    if !out.exists() {
        return Ok(None);
    }
    let mut entries = std::fs::read_dir(out).map_err(|source| Error::io(out, source))?;
    if entries.next().is_none() {
        return Ok(None);
    }
    let file = out.join(RECORD);
    if !file.is_file() {
        let reason = "there is something here that is no tuned encoder; it is left alone";
        return Err(Error::input(out.display(), reason));
    }
    // A record of another version says nothing of use.
    let Ok(found) = read::<Record>(&file) else {
        return Ok(None);
    };
    let weights = out.join(ENCODER);
    let same = found.identity == *identity
        && weights.is_file()
        && sha256_file(&weights)? == found.summary.encoder_sha256;
    Ok(same.then_some(found.summary))
}

/// Writes the encoder to `out`; its hash is entered into `summary`.
pub(super) fn write(
    out: &Path,
    checkpoint: &Checkpoint,
    bert: &Bert,
    identity: &Identity,
    summary: &mut Summary,
) -> Result<()> {
    let absolute = std::path::absolute(out).map_err(|source| Error::io(out, source))?;
    let parent = absolute
        .parent()
        .ok_or_else(|| Error::input(out.display(), "not a place for a directory"))?;
    std::fs::create_dir_all(parent).map_err(|source| Error::io(parent, source))?;
    let temporary =
        scratch::folder(parent, ".encoder-").map_err(|source| Error::io(parent, source))?;
    let here = temporary.path();
    for name in encoder_files(&checkpoint.directory) {
        let (from, to) = (checkpoint.directory.join(name), here.join(name));
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
        }
        match name {
            ENCODER => bert.write(&to)?,
            "config.json" => put(&to, &in_f32(read(&from)?))?,
            _ => {
                std::fs::copy(&from, &to).map_err(|source| Error::io(&from, source))?;
            }
        }
    }
    summary.encoder_sha256 = sha256_file(&here.join(ENCODER))?;
    let record = Record {
        identity: identity.clone(),
        summary: summary.clone(),
    };
    put(&here.join(RECORD), &record)?;
    settle(here, &absolute)
}

/// transformers loads weights in the type that the configuration names.
fn in_f32(mut config: Map<String, Value>) -> Map<String, Value> {
    for key in ["dtype", "torch_dtype"] {
        if let Some(value) = config.get_mut(key) {
            *value = "float32".into();
        }
    }
    config
}

fn put<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| Error::model(path, error))?;
    bytes.push(b'\n');
    std::fs::write(path, bytes).map_err(|source| Error::io(path, source))
}
