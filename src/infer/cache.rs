//! Embeddings on disk, so that a text is embedded once.
//!
//! One folder per key (what decides an embedding), holding `key.json` for people and append-only
//! segments. A segment is written beside its name, synced and renamed: a kill loses at most the
//! segment in the making, and several processes may write at once. Layout of `NAME.seg`,
//! little-endian:
//!
//! ```text
//! magic "ARXEMB01" · hidden u32 · rows u32 · rows × text hash u128 (xxh3) ·
//! rows × hidden f32 · xxh3-64 of everything before
//! ```

use crate::error::{Error, Result};
use crate::scratch::Pending;
use ndarray::{Array2, ArrayView2};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use twox_hash::{XxHash3_64, XxHash3_128};

const MAGIC: &[u8; 8] = b"ARXEMB01";
const HEADER: usize = 16;

/// The hash a text is filed under.
pub fn text_hash(text: &str) -> u128 {
    XxHash3_128::oneshot(text.as_bytes())
}

/// The embeddings filed under one key.
pub struct Cache {
    folder: PathBuf,
    hidden: usize,
    segments: Vec<PathBuf>,
    // Text hash → segment and row in it.
    places: HashMap<u128, (u32, u32)>,
}

impl Cache {
    /// Opens the cache for `key` under `folder`, making it where it is not there. `description`
    /// is written to `key.json`. Segments that cannot be read are passed over with a warning.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open(
        folder: &Path,
        key: &str,
        description: &serde_json::Value,
        hidden: usize,
    ) -> Result<Self> {
        let folder = folder.join(key);
        std::fs::create_dir_all(&folder).map_err(|source| Error::io(&folder, source))?;
        let note = folder.join("key.json");
        if !note.exists() {
            put(&note, format!("{description:#}\n").as_bytes())?;
        }
        let mut cache = Self {
            folder,
            hidden,
            segments: Vec::new(),
            places: HashMap::new(),
        };
        let mut names = Vec::new();
        for entry in
            std::fs::read_dir(&cache.folder).map_err(|source| Error::io(&cache.folder, source))?
        {
            let path = entry
                .map_err(|source| Error::io(&cache.folder, source))?
                .path();
            if path.extension().is_some_and(|extension| extension == "seg") {
                names.push(path);
            }
        }
        names.sort();
        for path in names {
            match hashes(&path, hidden) {
                Ok(hashes) => cache.index(path, &hashes),
                Err(error) => log::warn!("embedding cache: {error}; its texts are embedded again"),
            }
        }
        Ok(cache)
    }

    /// Texts in the cache.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether no text is in the cache.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether the text with this hash is in the cache.
    pub fn contains(&self, hash: u128) -> bool {
        self.places.contains_key(&hash)
    }

    fn index(&mut self, path: PathBuf, hashes: &[u128]) {
        let segment = self.segments.len() as u32;
        self.segments.push(path);
        for (row, &hash) in hashes.iter().enumerate() {
            self.places.entry(hash).or_insert((segment, row as u32));
        }
    }

    /// Appends a segment: `embeddings` `[rows, hidden]` of the texts with `hashes`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Shape`].
    pub fn append(&mut self, hashes: &[u128], embeddings: ArrayView2<'_, f32>) -> Result<()> {
        if embeddings.dim() != (hashes.len(), self.hidden) {
            return Err(Error::shape(
                "embeddings",
                (hashes.len(), self.hidden),
                embeddings.dim(),
            ));
        }
        if hashes.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(HEADER + hashes.len() * (16 + 4 * self.hidden) + 8);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(self.hidden as u32).to_le_bytes());
        bytes.extend_from_slice(&(hashes.len() as u32).to_le_bytes());
        for hash in hashes {
            bytes.extend_from_slice(&hash.to_le_bytes());
        }
        for value in embeddings {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        bytes.extend_from_slice(&XxHash3_64::oneshot(&bytes).to_le_bytes());
        // Named by its content: two processes never write different bytes to one name.
        let path = self
            .folder
            .join(format!("{:032x}.seg", XxHash3_128::oneshot(&bytes)));
        put(&path, &bytes)?;
        self.index(path, hashes);
        Ok(())
    }

    /// Copies the embedding of each hash that is in the cache into its row of `out`
    /// `[hashes, hidden]`; returns the rows that are not. Each segment is read once, whole,
    /// and checked.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn fill(&mut self, hashes: &[u128], out: &mut Array2<f32>) -> Result<Vec<usize>> {
        let mut missing = Vec::new();
        let mut wanted: Vec<Vec<(usize, usize)>> = vec![Vec::new(); self.segments.len()];
        for (row, hash) in hashes.iter().enumerate() {
            match self.places.get(hash) {
                Some(&(segment, place)) => wanted[segment as usize].push((row, place as usize)),
                None => missing.push(row),
            }
        }
        for (segment, wanted) in wanted
            .iter()
            .enumerate()
            .filter(|(_, wanted)| !wanted.is_empty())
        {
            let path = &self.segments[segment];
            let bytes = match whole(path) {
                Ok(bytes) => bytes,
                Err(error) => {
                    log::warn!("embedding cache: {error}; its texts are embedded again");
                    // Found again at every start, it would hide what is written in its place.
                    if matches!(error, Error::Input { .. }) {
                        let _ = std::fs::remove_file(path);
                    }
                    self.places.retain(|_, place| place.0 as usize != segment);
                    missing.extend(wanted.iter().map(|&(row, _)| row));
                    continue;
                }
            };
            let rows = u32::from_le_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]) as usize;
            let vectors = &bytes[HEADER + 16 * rows..];
            for &(row, place) in wanted {
                let vector = &vectors[place * 4 * self.hidden..(place + 1) * 4 * self.hidden];
                for (to, from) in out.row_mut(row).iter_mut().zip(vector.chunks_exact(4)) {
                    *to = f32::from_le_bytes([from[0], from[1], from[2], from[3]]);
                }
            }
        }
        missing.sort_unstable();
        Ok(missing)
    }
}

/// Writes `bytes` to `path`, whole or not at all.
fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let io = |source| Error::io(path, source);
    let (mut file, pending) = Pending::beside(path)?;
    file.write_all(bytes).map_err(io)?;
    file.sync_all().map_err(io)?;
    pending.publish(&file, path)
}

/// The text hashes of a segment whose header and size are right.
fn hashes(path: &Path, hidden: usize) -> Result<Vec<u128>> {
    let io = |source| Error::io(path, source);
    let mut file = std::fs::File::open(path).map_err(io)?;
    let size = file.metadata().map_err(io)?.len();
    let mut header = [0; HEADER];
    file.read_exact(&mut header).map_err(io)?;
    let width = u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize;
    let rows = u32::from_le_bytes([header[12], header[13], header[14], header[15]]) as usize;
    let expected = (HEADER + rows * (16 + 4 * width) + 8) as u64;
    if &header[..8] != MAGIC || width != hidden || size != expected {
        return Err(Error::input(
            path.display(),
            "not a whole segment of this cache",
        ));
    }
    let mut bytes = vec![0; rows * 16];
    file.read_exact(&mut bytes).map_err(io)?;
    let (hashes, _) = bytes.as_chunks::<16>();
    Ok(hashes
        .iter()
        .map(|hash| u128::from_le_bytes(*hash))
        .collect())
}

/// A segment's bytes, once its checksum is found right.
fn whole(path: &Path) -> Result<Vec<u8>> {
    let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
    let (body, sum) = bytes.split_at(bytes.len().saturating_sub(8));
    if body.len() < HEADER || sum != XxHash3_64::oneshot(body).to_le_bytes() {
        return Err(Error::input(path.display(), "checksum is wrong"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use serde_json::json;

    fn open(folder: &Path) -> Cache {
        Cache::open(folder, "key", &json!({"why": "test"}), 2).unwrap()
    }

    fn segments(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder.join("key"))
            .unwrap()
            .map(|entry| entry.unwrap().path());
        entries
            .filter(|path| path.extension().is_some_and(|extension| extension == "seg"))
            .collect()
    }

    #[test]
    fn embeddings_survive_reopening_and_missing_rows_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut cache = open(folder.path());
        cache
            .append(&[1, 2], array![[1.0, 2.0], [3.0, 4.0]].view())
            .unwrap();
        cache.append(&[3], array![[5.0, 6.0]].view()).unwrap();
        let mut cache = open(folder.path());
        assert_eq!(cache.len(), 3);
        let mut out = Array2::zeros((4, 2));
        assert_eq!(cache.fill(&[3, 9, 1, 3], &mut out).unwrap(), [1]);
        assert_eq!(out, array![[5.0, 6.0], [0.0, 0.0], [1.0, 2.0], [5.0, 6.0]]);
    }

    #[test]
    fn a_cut_segment_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path())
            .append(&[1, 2], array![[1.0, 2.0], [3.0, 4.0]].view())
            .unwrap();
        let path = segments(folder.path()).remove(0);
        let bytes = std::fs::read(&path).unwrap();
        for length in 0..bytes.len() {
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert!(open(folder.path()).is_empty());
        }
    }

    #[test]
    fn a_changed_segment_is_embedded_again() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path())
            .append(&[1], array![[1.0, 2.0]].view())
            .unwrap();
        let path = segments(folder.path()).remove(0);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[HEADER + 16] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let mut cache = open(folder.path());
        let mut out = Array2::zeros((1, 2));
        assert_eq!(cache.fill(&[1], &mut out).unwrap(), [0]);
        assert!(!cache.contains(1));
        assert!(open(folder.path()).is_empty());
    }

    #[test]
    fn leftovers_of_a_kill_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        open(folder.path());
        std::fs::write(folder.path().join("key/.tmpABC"), b"ARXEMB01 half").unwrap();
        assert!(open(folder.path()).is_empty());
    }
}
