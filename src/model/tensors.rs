//! Tensors ↔ a safetensors file (<https://github.com/huggingface/safetensors#format>), one at a
//! time: a file of weights is large, and need not be in memory once more to be written.

use crate::error::{Error, Result};
use crate::scratch::Pending;
use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};
use std::collections::{BTreeMap, HashMap};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor};

/// What is written under a name.
pub(crate) enum Stored<'a> {
    /// A tensor of f32 on any device.
    Floats(&'a Tensor),
    /// Values of f32, of a shape.
    Values(Vec<usize>, &'a [f32]),
    /// Little-endian bytes of another file's.
    Bytes(Dtype, Vec<usize>, &'a [u8]),
}

impl Stored<'_> {
    fn about(&self) -> (Dtype, Vec<usize>, usize) {
        match self {
            Self::Floats(tensor) => {
                let shape = tensor.size().iter().map(|&size| size as usize).collect();
                (Dtype::F32, shape, tensor.numel() * size_of::<f32>())
            }
            Self::Values(shape, values) => (Dtype::F32, shape.clone(), size_of_val(*values)),
            Self::Bytes(dtype, shape, bytes) => (*dtype, shape.clone(), bytes.len()),
        }
    }
}

/// Writes `tensors` and `metadata` to `path`, whole or not at all; the same tensors give the same
/// bytes.
///
/// # Errors
/// [`Error::Io`], [`Error::Torch`].
pub(crate) fn write(
    path: &Path,
    tensors: &BTreeMap<String, Stored<'_>>,
    metadata: &BTreeMap<&str, String>,
) -> Result<()> {
    let io = |source| Error::io(path, source);
    // Wide elements first: each then lies at a multiple of its size.
    let mut order: Vec<(&String, &Stored<'_>)> = tensors.iter().collect();
    order.sort_by_key(|(_, stored)| std::cmp::Reverse(stored.about().0));
    let mut header = serde_json::Map::new();
    header.insert("__metadata__".to_owned(), serde_json::json!(metadata));
    let mut end = 0;
    for (name, stored) in &order {
        let (dtype, shape, bytes) = stored.about();
        let start = end;
        end += bytes;
        let about =
            serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": [start, end]});
        header.insert((*name).clone(), about);
    }
    let mut header = serde_json::Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');

    let (file, pending) = Pending::beside(path)?;
    let mut file = BufWriter::with_capacity(1 << 20, file);
    file.write_all(&(header.len() as u64).to_le_bytes())
        .map_err(io)?;
    file.write_all(&header).map_err(io)?;
    for (_, stored) in order {
        match stored {
            Stored::Bytes(.., bytes) => file.write_all(bytes).map_err(io)?,
            Stored::Values(_, values) => {
                for value in *values {
                    file.write_all(&value.to_le_bytes()).map_err(io)?;
                }
            }
            Stored::Floats(tensor) => {
                let tensor = tensor
                    .f_detach()?
                    .f_to_device(Device::Cpu)?
                    .f_to_kind(Kind::Float)?
                    .f_contiguous()?;
                let mut bytes = vec![0_u8; tensor.numel() * size_of::<f32>()];
                tensor.f_copy_data_u8(&mut bytes, tensor.numel())?;
                file.write_all(&bytes).map_err(io)?;
            }
        }
    }
    let file = file.into_inner().map_err(|error| io(error.into_error()))?;
    file.sync_all().map_err(io)?;
    pending.publish(&file, path)
}

/// A file that [`write`] wrote.
pub(crate) struct File {
    path: PathBuf,
    bytes: Mmap,
    metadata: HashMap<String, String>,
}

impl File {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Input`] where it is no safetensors file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let io = |source| Error::io(path, source);
        let file = std::fs::File::open(path).map_err(io)?;
        // SAFETY: the mapping is read-only and the file is written whole under another name and
        // then renamed; a file changed in place while it is read is outside of what can be
        // guarded against.
        let bytes = unsafe { Mmap::map(&file) }.map_err(io)?;
        let wrong = |error| Error::input(path.display(), error);
        SafeTensors::deserialize(&bytes).map_err(wrong)?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(wrong)?;
        Ok(Self {
            path: path.to_path_buf(),
            metadata: header.metadata().clone().unwrap_or_default(),
            bytes,
        })
    }

    /// The metadata called `key`.
    pub(crate) fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// Copies the tensor called `name` into `target`, which has its shape.
    ///
    /// # Errors
    /// [`Error::Input`] where it is missing or of another shape or type; [`Error::Torch`].
    pub(crate) fn copy_to(&self, name: &str, target: &Tensor) -> Result<()> {
        let wrong = |reason: &str| Error::input(self.path.display(), format!("{name}: {reason}"));
        let tensors =
            SafeTensors::deserialize(&self.bytes).map_err(|error| wrong(&error.to_string()))?;
        let view = tensors.tensor(name).map_err(|_| wrong("missing"))?;
        let shape: Vec<i64> = view.shape().iter().map(|&size| size as i64).collect();
        if view.dtype() != Dtype::F32 || shape != target.size() {
            return Err(wrong("another shape or type"));
        }
        let stored = Tensor::f_from_data_size(view.data(), &shape, Kind::Float)?;
        let _guard = tch::no_grad_guard();
        target.shallow_clone().f_copy_(&stored)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_the_bytes_are_the_same_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let floats = Tensor::from_slice(&[1.5_f32, -2.0, 0.0]).view([3, 1]);
        let ids = 7_i64.to_le_bytes();
        let tensors = BTreeMap::from([
            ("a".to_owned(), Stored::Floats(&floats)),
            ("b".to_owned(), Stored::Bytes(Dtype::I64, vec![1], &ids)),
            (
                "d".to_owned(),
                Stored::Values(vec![3, 1], &[1.5, -2.0, 0.0]),
            ),
        ]);
        let metadata = BTreeMap::from([("format", "pt".to_owned())]);
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        write(&one, &tensors, &metadata).unwrap();
        write(&two, &tensors, &metadata).unwrap();
        assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
        let file = File::open(&one).unwrap();
        assert_eq!(file.metadata("format"), Some("pt"));
        let read = Tensor::zeros([3, 1], (Kind::Float, Device::Cpu));
        file.copy_to("a", &read).unwrap();
        assert_eq!(read, floats);
        let _ = read.shallow_clone().zero_();
        file.copy_to("d", &read).unwrap();
        assert_eq!(read, floats);
        assert!(file.copy_to("a", &read.view([1, 3])).is_err());
        assert!(file.copy_to("b", &read).is_err());
        assert!(file.copy_to("c", &read).is_err());
    }
}
