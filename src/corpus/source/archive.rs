//! The zip that Kaggle serves.

use super::{Format, Meter, READ_BUFFER, Source};
use crate::checksum;
use crate::error::{Error, Result};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::sync::atomic::Ordering;

/// As [`Source::read`], for the one file of JSON lines in a zip.
pub(super) fn read<T>(
    path: &Path,
    mut file: File,
    meter: &Meter,
    consume: impl FnOnce(&mut dyn Read) -> Result<T>,
) -> Result<(T, String)> {
    let damaged = |error: zip::result::ZipError| match error {
        zip::result::ZipError::Io(error) => Source::explain(path, Format::Zip, error),
        error => Error::input(path.display(), format!("the zip cannot be read: {error}")),
    };
    let mut archive =
        zip::ZipArchive::new(BufReader::with_capacity(READ_BUFFER, &file)).map_err(damaged)?;
    let files: Vec<String> = archive
        .file_names()
        .filter(|name| !name.ends_with('/') && !name.starts_with("__MACOSX/"))
        .map(str::to_owned)
        .collect();
    let json: Vec<&String> = files
        .iter()
        .filter(|name| name.ends_with(".json") || name.ends_with(".jsonl"))
        .collect();
    let name = match (files.as_slice(), json.as_slice()) {
        ([only], _) => only,
        (_, [only]) => *only,
        _ => {
            let reason = format!(
                "expected one .json file in the zip, found [{}]",
                files.join(", ")
            );
            return Err(Error::input(path.display(), reason));
        }
    };
    let value = {
        let mut member = archive.by_name(name).map_err(damaged)?;
        let (packed, unpacked) = (member.compressed_size(), member.size());
        let mut reader = Scaled {
            inner: &mut member,
            packed,
            unpacked,
            seen: 0,
            meter,
        };
        consume(&mut reader)?
    };
    drop(archive);
    // The archive was read from its end and its middle: the checksum takes a pass of its own.
    file.rewind().map_err(|error| Error::io(path, error))?;
    let checksum = checksum::read(file).map_err(|error| Error::io(path, error))?;
    Ok((value, checksum))
}

/// Counts unpacked bytes as if they were packed ones, evenly.
struct Scaled<'m, R> {
    inner: R,
    packed: u64,
    unpacked: u64,
    seen: u64,
    meter: &'m Meter,
}

impl<R: Read> Read for Scaled<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.seen += read as u64;
        let share = self.seen as f64 / self.unpacked.max(1) as f64;
        self.meter
            .0
            .store((share * self.packed as f64) as u64, Ordering::Relaxed);
        Ok(read)
    }
}
