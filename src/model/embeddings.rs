//! The embeddings file: safetensors with one array `embeddings`, f32 `[papers, hidden]`, rows in
//! the papers table's order, and what made them in its metadata.

use crate::checksum;
use crate::error::{Error, Result};
use crate::observe::Observer;
use crate::scratch::Pending;
use memmap2::Mmap;
use ndarray::Array2;
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

/// What made an embeddings file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Of the papers table: see [`crate::checksum`].
    pub papers_checksum: String,
    /// sha256 of the encoder's `model.safetensors`, in hex.
    pub encoder_sha256: String,
    /// sha256 of the encoder's `tokenizer.json`, in hex.
    pub tokenizer_sha256: String,
    /// Version of the template that joined title and abstract.
    pub template_version: u32,
    /// Tokens after which texts were cut.
    pub max_length: usize,
    /// `mean`, `cls` or `max`, with `+normalize` where vectors have length one.
    pub pooling: String,
    /// Precision of the computation: `f32` or `bf16`.
    pub dtype: String,
}

const NAME: &str = "embeddings";

impl Metadata {
    /// Checks that the embeddings at `path` are those of the papers table at `papers`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Input`] where they are another table's; [`Error::Interrupted`].
    pub fn check_papers(&self, path: &Path, papers: &Path, observer: &dyn Observer) -> Result<()> {
        if checksum::file(papers, observer)? == self.papers_checksum {
            return Ok(());
        }
        let reason = format!(
            "made for another papers table than {}; embed again",
            papers.display()
        );
        Err(Error::input(path.display(), reason))
    }

    fn to_map(&self) -> HashMap<String, String> {
        HashMap::from([
            ("papers_checksum".to_owned(), self.papers_checksum.clone()),
            ("encoder_sha256".to_owned(), self.encoder_sha256.clone()),
            ("tokenizer_sha256".to_owned(), self.tokenizer_sha256.clone()),
            (
                "template_version".to_owned(),
                self.template_version.to_string(),
            ),
            ("max_length".to_owned(), self.max_length.to_string()),
            ("pooling".to_owned(), self.pooling.clone()),
            ("dtype".to_owned(), self.dtype.clone()),
        ])
    }

    fn from_map(map: &HashMap<String, String>, path: &Path) -> Result<Self> {
        let text = |key: &str| {
            map.get(key).cloned().ok_or_else(|| {
                let reason = format!("metadata {key}: missing; embed the papers again");
                Error::input(path.display(), reason)
            })
        };
        let number = |key: &str| {
            let value = text(key)?;
            value.parse::<usize>().map_err(|_| {
                Error::input(
                    path.display(),
                    format!("metadata {key}: {value:?} is not a number"),
                )
            })
        };
        Ok(Self {
            papers_checksum: text("papers_checksum")?,
            encoder_sha256: text("encoder_sha256")?,
            tokenizer_sha256: text("tokenizer_sha256")?,
            template_version: u32::try_from(number("template_version")?).map_err(|error| {
                Error::input(
                    path.display(),
                    format!("metadata template_version: {error}"),
                )
            })?,
            max_length: number("max_length")?,
            pooling: text("pooling")?,
            dtype: text("dtype")?,
        })
    }
}

/// Writes `embeddings` `[papers, hidden]` to `path`, whole or not at all.
///
/// # Errors
/// [`Error::Io`].
pub fn write(path: &Path, embeddings: &Array2<f32>, metadata: &Metadata) -> Result<()> {
    let io = |source| Error::io(path, source);
    // The format's header, written by hand: key order would differ from run to run in the
    // crate's hash map, and the same embeddings must give the same bytes.
    let map: std::collections::BTreeMap<_, _> = metadata.to_map().into_iter().collect();
    let bytes = embeddings.len() * size_of::<f32>();
    let header = serde_json::json!({
        "__metadata__": map,
        NAME: {"dtype": "F32", "shape": embeddings.shape(), "data_offsets": [0, bytes]},
    });
    let mut header = header.to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');

    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(|source| Error::io(folder, source))?;
    let (file, pending) = Pending::beside(path)?;
    let mut file = std::io::BufWriter::with_capacity(1 << 20, file);
    file.write_all(&(header.len() as u64).to_le_bytes())
        .map_err(io)?;
    file.write_all(&header).map_err(io)?;
    for row in embeddings.rows() {
        for value in row {
            file.write_all(&value.to_le_bytes()).map_err(io)?;
        }
    }
    let file = file.into_inner().map_err(|error| io(error.into_error()))?;
    file.sync_all().map_err(io)?;
    pending.publish(&file, path)
}

/// Reads the embeddings file at `path`.
///
/// # Errors
/// [`Error::Io`], or [`Error::Input`] where the file is not what [`write`] writes or a value is not
/// finite.
pub fn read(path: &Path) -> Result<(Array2<f32>, Metadata)> {
    let file = Stored::open(path)?;
    let stored = file.array(path)?;
    let all: Vec<usize> = (0..stored.papers).collect();
    Ok((stored.rows(path, &all)?, stored.metadata))
}

/// Reads `rows` of the embeddings file at `path`, which must be that of a table of `papers`.
///
/// # Errors
/// As [`read`], for values of these rows alone; [`Error::Shape`] for another number of papers.
pub fn read_rows(path: &Path, papers: usize, rows: &[usize]) -> Result<(Array2<f32>, Metadata)> {
    let file = Stored::open(path)?;
    let stored = file.array(path)?;
    if stored.papers != papers {
        return Err(Error::shape("embeddings", [papers], [stored.papers]));
    }
    Ok((stored.rows(path, rows)?, stored.metadata))
}

/// A file whose rows are read where they lie: a stage may need few of them.
struct Stored(Mmap);

struct Rows<'a> {
    metadata: Metadata,
    papers: usize,
    hidden: usize,
    data: &'a [u8],
}

impl Stored {
    fn open(path: &Path) -> Result<Self> {
        let io = |source| Error::io(path, source);
        let file = std::fs::File::open(path).map_err(io)?;
        // SAFETY: the mapping is read-only and the file is written whole under another name and
        // then renamed; a file changed in place while it is read is outside of what can be
        // guarded against.
        unsafe { Mmap::map(&file) }.map(Self).map_err(io)
    }

    fn array(&self, path: &Path) -> Result<Rows<'_>> {
        let wrong = |reason: String| Error::input(path.display(), reason);
        let (_, header) =
            SafeTensors::read_metadata(&self.0).map_err(|error| wrong(error.to_string()))?;
        let metadata =
            Metadata::from_map(header.metadata().as_ref().unwrap_or(&HashMap::new()), path)?;
        let tensors =
            SafeTensors::deserialize(&self.0).map_err(|error| wrong(error.to_string()))?;
        let view = tensors
            .tensor(NAME)
            .map_err(|_| wrong(format!("array {NAME}: missing")))?;
        let (Dtype::F32, &[papers, hidden]) = (view.dtype(), view.shape()) else {
            return Err(wrong(format!("array {NAME}: not f32 with two axes")));
        };
        Ok(Rows {
            metadata,
            papers,
            hidden,
            data: view.data(),
        })
    }
}

impl Rows<'_> {
    fn rows(&self, path: &Path, rows: &[usize]) -> Result<Array2<f32>> {
        let wrong = |reason: String| Error::input(path.display(), reason);
        let width = self.hidden * size_of::<f32>();
        let mut values = Vec::with_capacity(rows.len() * self.hidden);
        for &row in rows {
            let start = values.len();
            let bytes = &self.data[row * width..(row + 1) * width];
            values.extend(
                bytes
                    .chunks_exact(size_of::<f32>())
                    .map(|chunk| f32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]])),
            );
            if !values[start..].iter().all(|value| value.is_finite()) {
                return Err(wrong(format!("row {row}: a value is not finite")));
            }
        }
        Array2::from_shape_vec((rows.len(), self.hidden), values)
            .map_err(|error| wrong(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn metadata() -> Metadata {
        Metadata {
            papers_checksum: "cd".repeat(32),
            encoder_sha256: "ab".repeat(32),
            tokenizer_sha256: "ef".repeat(32),
            template_version: 1,
            max_length: 512,
            pooling: "mean+normalize".to_owned(),
            dtype: "bf16".to_owned(),
        }
    }

    #[test]
    fn what_is_written_is_read_and_the_bytes_are_the_same_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("a/one"), folder.path().join("two"));
        let embeddings = array![[1.0f32, -2.5, 0.0], [f32::MIN_POSITIVE, 4.0, 5.5]];
        write(&one, &embeddings, &metadata()).unwrap();
        write(&two, &embeddings, &metadata()).unwrap();
        assert_eq!(read(&one).unwrap(), (embeddings, metadata()));
        assert_eq!(std::fs::read(one).unwrap(), std::fs::read(two).unwrap());
    }

    #[test]
    fn no_papers_are_a_file_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none");
        write(&path, &Array2::zeros((0, 384)), &metadata()).unwrap();
        assert_eq!(read(&path).unwrap().0.dim(), (0, 384));
    }

    #[test]
    fn a_value_that_is_not_finite_is_named_by_its_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("odd");
        write(&path, &array![[1.0f32], [f32::NAN]], &metadata()).unwrap();
        let message = read(&path).unwrap_err().to_string();
        assert!(
            message.ends_with("row 1: a value is not finite"),
            "{message}"
        );
    }

    #[test]
    fn rows_are_read_in_the_order_asked_for_and_checked_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        write(
            &path,
            &array![[0.0f32, 1.0], [f32::NAN, 3.0], [4.0, 5.0]],
            &metadata(),
        )
        .unwrap();
        let (found, made) = read_rows(&path, 3, &[2, 0]).unwrap();
        assert_eq!((found, made), (array![[4.0, 5.0], [0.0, 1.0]], metadata()));
        assert!(matches!(
            read_rows(&path, 3, &[1]),
            Err(Error::Input { .. })
        ));
        assert!(matches!(
            read_rows(&path, 4, &[0]),
            Err(Error::Shape { .. })
        ));
    }

    #[test]
    fn a_cut_file_is_an_input_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cut");
        write(&path, &Array2::ones((3, 4)), &metadata()).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 5]).unwrap();
        assert!(matches!(read(&path), Err(Error::Input { .. })));
    }
}
