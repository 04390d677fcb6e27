//! `model.safetensors` → tensors on a device, by BERT's names for them.

use super::tensors::{self, Stored};
use crate::error::{Error, Result};
use crate::model::architecture::Architecture;
use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor};

/// The weights of one checkpoint file, read by name.
///
/// The file is mapped, not read: f32 weights on the CPU are the file's own pages, so that what
/// is never used (most of the vocabulary) never enters memory, and processes share the rest.
pub struct Weights {
    path: PathBuf,
    file: Mmap,
    architecture: Architecture,
    prefix: &'static str,
    /// Whether layer norms have TensorFlow's names, as in checkpoints converted from there in 2018
    /// and 2019.
    gamma: bool,
}

impl Weights {
    /// Opens `model.safetensors` at `path`, whose names are `architecture`'s. What a task model
    /// holds beside its encoder is never looked at.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Model`] where it is no safetensors file.
    pub fn open(path: &Path, architecture: Architecture) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(|source| Error::io(path, source))?;
        // SAFETY: read-only; a model file changed while it is in use is outside the contract, as
        // for every library that maps safetensors.
        let file = unsafe { Mmap::map(&file) }.map_err(|source| Error::io(path, source))?;
        let tensors = SafeTensors::deserialize(&file).map_err(|error| Error::model(path, error))?;
        let names = tensors.names();
        let prefix = architecture.prefix();
        let nested = names.iter().any(|name| name.starts_with(prefix));
        let gamma = names.iter().any(|name| name.ends_with("LayerNorm.gamma"));
        Ok(Self {
            path: path.to_path_buf(),
            file,
            architecture,
            prefix: if nested { prefix } else { "" },
            gamma,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What this file calls the weight that BERT calls `name`.
    pub fn name(&self, name: &str) -> String {
        let mut own = self.architecture.checkpoint_name(name);
        if self.gamma {
            own = own
                .replace("LayerNorm.weight", "LayerNorm.gamma")
                .replace("LayerNorm.bias", "LayerNorm.beta");
        }
        format!("{}{own}", self.prefix)
    }

    /// Writes the file once more, to `path`, with `replaced` (f32) in place of the weights that
    /// BERT calls so; everything else as it is.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Model`], [`Error::Torch`].
    pub(super) fn rewrite(&self, path: &Path, replaced: &[(String, Tensor)]) -> Result<()> {
        let stored = SafeTensors::deserialize(&self.file)
            .map_err(|error| Error::model(&self.path, error))?;
        let mut tensors: BTreeMap<String, Stored<'_>> = stored
            .iter()
            .map(|(name, view)| {
                let kept = Stored::Bytes(view.dtype(), view.shape().to_vec(), view.data());
                (name.to_owned(), kept)
            })
            .collect();
        for (name, tensor) in replaced {
            tensors.insert(self.name(name), Stored::Floats(tensor));
        }
        // transformers refuses a file that does not say so.
        let metadata = BTreeMap::from([("format", "pt".to_owned())]);
        tensors::write(path, &tensors, &metadata)
    }

    /// The weight that BERT calls `name`, which must have `shape`, as `kind` on `device`.
    ///
    /// # Safety
    /// The tensor may lie in the mapped file: it must not outlive `self`, nor be written to.
    ///
    /// # Errors
    /// [`Error::Model`] with the name where it is missing, has another shape or no float type.
    pub(super) unsafe fn get(
        &self,
        name: &str,
        shape: &[i64],
        kind: Kind,
        device: Device,
    ) -> Result<Tensor> {
        let name = self.name(name);
        let tensors = SafeTensors::deserialize(&self.file)
            .map_err(|error| Error::model(&self.path, error))?;
        let view = tensors
            .tensor(&name)
            .map_err(|_| Error::model(&self.path, format!("weight {name}: missing")))?;
        let found: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
        if found != shape {
            return Err(Error::model(
                &self.path,
                format!("weight {name}: expected shape {shape:?}, got {found:?}"),
            ));
        }
        let stored = match view.dtype() {
            Dtype::F32 => Kind::Float,
            Dtype::F16 => Kind::Half,
            Dtype::BF16 => Kind::BFloat16,
            other => {
                return Err(Error::model(
                    &self.path,
                    format!("weight {name}: type {other:?} is not a float"),
                ));
            }
        };
        let mut strides = vec![1; found.len()];
        for axis in (1..found.len()).rev() {
            strides[axis - 1] = strides[axis] * found[axis];
        }
        let data = view.data().as_ptr();
        if data.align_offset(stored.elt_size_in_bytes()) != 0 {
            return Err(Error::model(
                &self.path,
                format!("weight {name}: not aligned to its type"),
            ));
        }
        // SAFETY: safetensors has checked that shape × type is the view's length, the strides are
        // those of contiguous rows, and the caller keeps the file mapped.
        let tensor = unsafe { Tensor::f_from_blob(data, &found, &strides, stored, Device::Cpu) }?;
        Ok(tensor.f_to_kind(kind)?.f_to_device(device)?)
    }
}
