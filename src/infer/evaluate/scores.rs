//! Every probability that was measured, for those who want to look at single papers.

use crate::error::{Error, Result};
use crate::scratch;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use std::io::Write;
use std::path::Path;

/// Writes `probabilities` and `truth`, both `[papers, width]` row-major, to `path`, whole or not at
/// all.
///
/// # Errors
/// [`Error::Io`].
pub(super) fn write(path: &Path, probabilities: &[f32], truth: &[u8], width: usize) -> Result<()> {
    let io = |source| Error::io(path, source);
    let format = |error: safetensors::SafeTensorError| io(std::io::Error::other(error));
    let shape = vec![truth.len() / width.max(1), width];
    let bytes: Vec<u8> = probabilities
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    let views = [
        ("probabilities", Dtype::F32, bytes.as_slice()),
        ("truth", Dtype::U8, truth),
    ]
    .into_iter()
    .map(|(name, dtype, data)| Ok((name, TensorView::new(dtype, shape.clone(), data)?)))
    .collect::<std::result::Result<Vec<_>, _>>()
    .map_err(format)?;
    let whole = safetensors::serialize(views, None).map_err(format)?;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
    let mut file = scratch::file(folder, ".scores-").map_err(io)?;
    file.write_all(&whole).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    file.persist(path).map_err(|error| io(error.error))?;
    Ok(())
}
