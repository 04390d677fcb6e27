//! The checkpoint of a fine-tuning: one safetensors file, whose metadata say of what and where it
//! is. So weights, moments and step are of one moment whenever the run is killed.

use super::run::{Run, State};
use super::{Epoch, Options};
use crate::checksum;
use crate::error::{Error, Result};
use crate::model::checkpoint::Checkpoint;
use crate::model::directory::{ENCODER, TOKENIZER};
use crate::model::manifest::sha256_file;
use crate::model::tensors::{self, File, Stored};
use crate::observe::Observer;
use crate::text::TEMPLATE_VERSION;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use tch::{Device, Tensor};

/// The file in its folder.
const FILE: &str = "finetune.safetensors";

/// What decides the weights that a fine-tuning comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Identity(BTreeMap<String, Value>);

impl Identity {
    pub(super) fn of(
        papers: &Path,
        checkpoint: &Checkpoint,
        device: Device,
        options: &Options,
        observer: &dyn Observer,
    ) -> Result<Self> {
        let file = |name: &str| sha256_file(&checkpoint.directory.join(name));
        let decisive = Options {
            checkpoint_dir: None,
            checkpoint_seconds: 0,
            device: String::new(),
            ..options.clone()
        };
        let Value::Object(mut all) = json!(decisive) else {
            return Err(Error::option("options", json!(decisive), "not an object"));
        };
        all.insert("papers".into(), checksum::file(papers, observer)?.into());
        all.insert("encoder".into(), file(ENCODER)?.into());
        all.insert("tokenizer".into(), file(TOKENIZER)?.into());
        all.insert("config.json".into(), file("config.json")?.into());
        all.insert("pooling".into(), checkpoint.pooling.name().into());
        all.insert("prompt".into(), checkpoint.tokenizer.prompt().into());
        all.insert("lowercase".into(), checkpoint.do_lower_case.into());
        all.insert("template".into(), TEMPLATE_VERSION.into());
        all.insert("gpu".into(), device.is_cuda().into());
        Ok(Self(all.into_iter().collect()))
    }

    /// sha256 of the encoder's weights.
    pub(super) fn encoder(&self) -> &str {
        let found = self.0.get("encoder").and_then(Value::as_str);
        found.unwrap_or_default()
    }

    /// What is another in `other`.
    fn differing(&self, other: &Self) -> String {
        let keys = self.0.keys().chain(other.0.keys());
        let mut keys: Vec<&str> = keys
            .filter(|key| self.0.get(*key) != other.0.get(*key))
            .map(String::as_str)
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys.join(", ")
    }
}

/// [`State`] in JSON: sums as their bits, since a number read back may differ in the last one.
#[derive(Serialize, Deserialize)]
struct Place {
    identity: Identity,
    step: usize,
    sum: u64,
    epochs: Vec<[u64; 2]>,
    best: bool,
}

/// Writes the checkpoint of `run` into `folder`, which is made.
pub(super) fn save(folder: &Path, identity: &Identity, run: &Run<'_>) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
    let place = Place {
        identity: identity.clone(),
        step: run.state.step,
        sum: run.state.sum.to_bits(),
        epochs: run
            .state
            .epochs
            .iter()
            .map(|epoch| [epoch.loss, epoch.validation_loss].map(f64::to_bits))
            .collect(),
        best: run.best.is_some(),
    };
    let stored = sections(run)
        .map(|(name, tensor)| (name, Stored::Floats(tensor)))
        .collect();
    let metadata = BTreeMap::from([("place", json!(place).to_string())]);
    tensors::write(&folder.join(FILE), &stored, &metadata)
}

/// Every tensor of `run` that is stored, by its name in the file.
fn sections<'a>(run: &'a Run<'_>) -> impl Iterator<Item = (String, &'a Tensor)> {
    let weights = run.parameters.iter().map(|one| &one.tensor);
    let best = run.best.iter().flatten();
    let names = || run.parameters.iter().map(|one| &one.name);
    let named = |section: &'static str| move |name: &String| format!("{section}/{name}");
    let weights = names().map(named("weight")).zip(weights);
    let first = names().map(named("first")).zip(&run.optimizer.first);
    let second = names().map(named("second")).zip(&run.optimizer.second);
    let best = names().map(named("best")).zip(best);
    weights.chain(first).chain(second).chain(best)
}

/// Brings `run` to where the checkpoint in `folder` was written, if there is one of it; of
/// another run, or damaged, it is left alone with a warning.
pub(super) fn load(folder: &Path, identity: &Identity, run: &mut Run<'_>) -> Result<()> {
    let path = folder.join(FILE);
    if !path.is_file() {
        return Ok(());
    }
    let anew = |reason: String| log::warn!("{}: {reason}: starting anew", path.display());
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error @ Error::Input { .. }) => {
            log::warn!("{error}: starting anew");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let place = file.metadata("place").unwrap_or_default();
    let place: Place = match serde_json::from_str(place) {
        Ok(place) => place,
        Err(error) => {
            anew(format!("no checkpoint of this version ({error})"));
            return Ok(());
        }
    };
    if place.identity != *identity {
        let differing = identity.differing(&place.identity);
        anew(format!(
            "the checkpoint of another run ({differing} differ)"
        ));
        return Ok(());
    }
    if place.best {
        let empty = |one: &Tensor| Ok(one.f_detach()?.f_to_device(Device::Cpu)?.f_zeros_like()?);
        let tensors = run.parameters.iter().map(|one| empty(&one.tensor));
        run.best = Some(tensors.collect::<Result<_>>()?);
    }
    for (name, tensor) in sections(run) {
        file.copy_to(&name, tensor)?;
    }
    run.state = State {
        step: place.step,
        sum: f64::from_bits(place.sum),
        epochs: place
            .epochs
            .iter()
            .map(|bits| bits.map(f64::from_bits))
            .map(|[loss, validation_loss]| Epoch {
                loss,
                validation_loss,
            })
            .collect(),
    };
    log::info!("{}: goes on after step {}", path.display(), run.state.step);
    Ok(())
}

/// Removes the checkpoint, and its folder where nothing else is in it.
pub(super) fn remove(folder: &Path) -> Result<()> {
    let path = folder.join(FILE);
    std::fs::remove_file(&path).map_err(|source| Error::io(&path, source))?;
    // Someone else's files keep it there.
    let _ = std::fs::remove_dir(folder);
    Ok(())
}
