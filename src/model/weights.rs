//! `model.safetensors` → tensors on a device, by their checkpoint names.

use crate::error::{Error, Result};
use safetensors::{Dtype, SafeTensors};
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor};

/// The weights of one checkpoint file, read by name.
pub struct Weights {
    path: PathBuf,
    bytes: Vec<u8>,
    prefix: &'static str,
}

impl Weights {
    /// Opens `model.safetensors` at `path`.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Model`] where it is no safetensors file.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
        let tensors =
            SafeTensors::deserialize(&bytes).map_err(|error| Error::model(path, error))?;
        // A BertForX checkpoint has the encoder under `bert.`.
        let nested = tensors.names().iter().any(|name| name.starts_with("bert."));
        let prefix = if nested { "bert." } else { "" };
        Ok(Self {
            path: path.to_path_buf(),
            bytes,
            prefix,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The weight called `name`, which must have `shape`, as `kind` on `device`.
    ///
    /// # Errors
    /// [`Error::Model`] with the name where it is missing, has another shape or no float type.
    pub fn get(&self, name: &str, shape: &[i64], kind: Kind, device: Device) -> Result<Tensor> {
        let name = format!("{}{name}", self.prefix);
        let tensors = SafeTensors::deserialize(&self.bytes)
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
        let tensor = Tensor::f_from_data_size(view.data(), &found, stored)?;
        Ok(tensor.f_to_kind(kind)?.f_to_device(device)?)
    }
}
