//! Named arrays of a head ↔ a safetensors file.

use crate::error::{Error, Result};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor};

/// A safetensors file being read.
pub(super) struct Reader {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
        SafeTensors::deserialize(&bytes).map_err(|error| Error::model(path, error))?;
        Ok(Self {
            path: path.to_path_buf(),
            bytes,
        })
    }

    pub(super) fn error(&self, reason: impl std::fmt::Display) -> Error {
        Error::model(&self.path, reason)
    }

    fn view<'a>(&self, file: &SafeTensors<'a>, name: &str) -> Result<TensorView<'a>> {
        file.tensor(name)
            .map_err(|_| self.error(format_args!("weight {name}: missing")))
    }

    fn file(&self) -> Result<SafeTensors<'_>> {
        SafeTensors::deserialize(&self.bytes).map_err(|error| self.error(error))
    }

    /// The shape of `name`.
    pub(super) fn shape(&self, name: &str) -> Result<Vec<usize>> {
        Ok(self.view(&self.file()?, name)?.shape().to_vec())
    }

    /// `name` as f32 on the CPU; stored as f32, f16 or bf16.
    pub(super) fn floats(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let file = self.file()?;
        let view = self.view(&file, name)?;
        let kind = match view.dtype() {
            Dtype::F32 => Kind::Float,
            Dtype::F16 => Kind::Half,
            Dtype::BF16 => Kind::BFloat16,
            other => {
                return Err(
                    self.error(format_args!("weight {name}: type {other:?} is not a float"))
                );
            }
        };
        self.check(name, view.shape(), shape)?;
        let size: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
        let tensor = Tensor::f_from_data_size(view.data(), &size, kind)?.f_to_kind(Kind::Float)?;
        if i64::try_from(tensor.f_isfinite()?.f_all()?)? == 0 {
            return Err(self.error(format_args!(
                "weight {name}: holds a value that is not finite"
            )));
        }
        Ok(tensor)
    }

    /// `name`, whose elements are of `dtype`, as little-endian bytes.
    pub(super) fn bytes(&self, name: &str, shape: &[usize], dtype: Dtype) -> Result<Vec<u8>> {
        let file = self.file()?;
        let view = self.view(&file, name)?;
        if view.dtype() != dtype {
            return Err(self.error(format_args!(
                "weight {name}: expected type {dtype:?}, got {:?}",
                view.dtype()
            )));
        }
        self.check(name, view.shape(), shape)?;
        Ok(view.data().to_vec())
    }

    fn check(&self, name: &str, got: &[usize], expected: &[usize]) -> Result<()> {
        if got == expected {
            Ok(())
        } else {
            Err(self.error(format_args!(
                "weight {name}: expected shape {expected:?}, got {got:?}"
            )))
        }
    }
}

/// A safetensors file being written.
#[derive(Default)]
pub(super) struct Writer {
    arrays: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
}

impl Writer {
    /// Adds `tensor` in the precision `kind`.
    pub(super) fn floats(
        &mut self,
        name: impl Into<String>,
        tensor: &Tensor,
        kind: Kind,
    ) -> Result<()> {
        let dtype = if kind == Kind::Half {
            Dtype::F16
        } else {
            Dtype::F32
        };
        let tensor = tensor
            .f_detach()?
            .f_to_device(Device::Cpu)?
            .f_to_kind(kind)?
            .f_contiguous()?;
        let count = tensor.numel();
        let mut bytes = vec![0_u8; count * kind.elt_size_in_bytes()];
        tensor.f_copy_data_u8(&mut bytes, count)?;
        let shape = tensor.size().iter().map(|&size| size as usize).collect();
        self.arrays.push((name.into(), dtype, shape, bytes));
        Ok(())
    }

    /// Adds an array of little-endian bytes.
    pub(super) fn bytes(&mut self, name: &str, dtype: Dtype, shape: Vec<usize>, bytes: Vec<u8>) {
        self.arrays.push((name.to_owned(), dtype, shape, bytes));
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let mut views = Vec::with_capacity(self.arrays.len());
        for (name, dtype, shape, bytes) in &self.arrays {
            let view = TensorView::new(*dtype, shape.clone(), bytes)
                .map_err(|error| Error::model(path, format!("weight {name}: {error}")))?;
            views.push((name.as_str(), view));
        }
        let file =
            safetensors::serialize(views, None).map_err(|error| Error::model(path, error))?;
        std::fs::write(path, file).map_err(|source| Error::io(path, source))
    }
}
