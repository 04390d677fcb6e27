//! What an input holds, seen from its first bytes, and the stream to read it from.

use super::{Record, STANDARD, csv, json, parquet};
use crate::error::{Error, Result};
use crate::observe::Observer;
use crate::pipe::{self, Pipe};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A stream of records. The inner error is one record's, after which the next can be read;
/// the outer one is the file's.
pub(super) trait Source {
    fn next(&mut self) -> Result<Option<Result<Record>>>;
    /// How many records there will be: exact at the end, before it a guess from the bytes
    /// read so far; none where the input's size is not known.
    fn expected(&self) -> Option<u64>;
}

/// A text stream, its place in messages and its position among the file's bytes.
pub(super) struct Text<'a> {
    pub(super) place: String,
    pub(super) stream: Box<dyn BufRead + 'a>,
    meter: Meter,
    /// Bytes read for the record under way, see [`Text::begin_record`].
    taken: usize,
}

/// A record longer than this is not a paper; without a bound one line, or one quotation mark
/// that is never closed, could fill the memory.
pub(super) const LONGEST: usize = 64 << 20;

/// Bytes read so far of a file's bytes, both as they lie on the disk.
#[derive(Clone)]
struct Meter {
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

struct Metered<R> {
    inner: R,
    meter: Meter,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.meter.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Text<'_> {
    /// How many records there will be when `records` have been read.
    pub(super) fn expected(&self, records: u64, ended: bool) -> Option<u64> {
        if ended {
            return Some(records);
        }
        let read = self.meter.read.load(Ordering::Relaxed).max(1);
        let total = self.meter.total?.max(read);
        Some((records as u128 * u128::from(total) / u128::from(read)) as u64)
    }

    /// Starts counting a record's bytes for the reader that takes them through [`Read`].
    pub(super) fn begin_record(&mut self) {
        self.taken = 0;
    }

    pub(super) fn fail(&self, source: io::Error) -> Error {
        // A damaged archive is the input's fault, not the system's.
        match source.kind() {
            io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::UnexpectedEof => Error::input(&self.place, source),
            _ if source.raw_os_error().is_none() => Error::input(&self.place, source),
            _ => Error::io(&self.place, source),
        }
    }
}

impl Read for Text<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.taken += read;
        if self.taken > LONGEST {
            let reason = format!("a record longer than {} MiB", LONGEST >> 20);
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        Ok(read)
    }
}

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const PARQUET: &[u8] = b"PAR1";

/// Opens `input`, a path or `-`. Once `observer` is cancelled, a stream that stays silent fails.
pub(super) fn open<'a>(input: &str, observer: &'a dyn Observer) -> Result<Box<dyn Source + 'a>> {
    let meter = Meter {
        read: Arc::default(),
        total: None,
    };
    if input == STANDARD {
        let place = "standard input";
        return text(place, input, standard_input(place, observer)?, meter);
    }
    let path = Path::new(input);
    let fail = |source| Error::io(path, source);
    let mut file = pipe::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if metadata.is_dir() {
        return Err(fail(io::ErrorKind::IsADirectory.into()));
    }
    // A pipe's bytes cannot be read twice; its content is looked at in the stream itself.
    if metadata.is_file() {
        let mut magic = [0; 4];
        let read = fill(&mut file, &mut magic).map_err(fail)?;
        if &magic[..read] == PARQUET {
            return Ok(Box::new(parquet::Rows::open(input, file)?));
        }
        io::Seek::rewind(&mut file).map_err(fail)?;
        let meter = Meter {
            total: Some(metadata.len()),
            ..meter
        };
        return text(input, input, Box::new(file), meter);
    }
    text(
        input,
        input,
        Box::new(Pipe::new(file, || observer.cancelled())),
        meter,
    )
}

#[cfg(unix)]
fn standard_input<'a>(place: &str, observer: &'a dyn Observer) -> Result<Box<dyn Read + 'a>> {
    let stream =
        Pipe::standard_input(|| observer.cancelled()).map_err(|source| Error::io(place, source))?;
    Ok(Box::new(stream))
}

#[cfg(not(unix))]
fn standard_input<'a>(_: &str, _: &'a dyn Observer) -> Result<Box<dyn Read + 'a>> {
    Ok(Box::new(io::stdin()))
}

fn text<'a>(
    place: &str,
    name: &str,
    raw: Box<dyn Read + 'a>,
    meter: Meter,
) -> Result<Box<dyn Source + 'a>> {
    let mut raw = BufReader::with_capacity(
        1 << 18,
        Metered {
            inner: raw,
            meter: meter.clone(),
        },
    );
    let text = |stream| Text {
        place: place.to_owned(),
        stream,
        meter,
        taken: 0,
    };
    let fail = |source| Error::io(place, source);
    let head = raw.fill_buf().map_err(fail)?;
    let stream: Box<dyn BufRead + 'a> = if head.starts_with(GZIP) {
        Box::new(BufReader::with_capacity(
            1 << 18,
            flate2::bufread::MultiGzDecoder::new(raw),
        ))
    } else if head.starts_with(ZSTD) {
        let decoder = zstd::Decoder::with_buffer(raw).map_err(fail)?;
        Box::new(BufReader::with_capacity(1 << 18, decoder))
    } else if head.starts_with(PARQUET) {
        return Err(Error::input(
            place,
            "Parquet is read from its end: give a file, not a stream",
        ));
    } else {
        Box::new(raw)
    };
    let mut text = text(stream);
    let csv = is_csv(name)
        || match text.stream.fill_buf() {
            Ok(head) => has_header(head),
            Err(source) => return Err(text.fail(source)),
        };
    if csv {
        Ok(Box::new(csv::Rows::open(text)?))
    } else {
        json::open(text)
    }
}

/// Whether the name, before any ending of an archive, says CSV.
fn is_csv(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
    name.ends_with(".csv")
}

/// Whether a text begins with a CSV header as it must be, and not with an object or an array.
fn has_header(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let line = line.trim_start_matches('\u{feff}');
    if line.trim_start().starts_with(['{', '[']) {
        return false;
    }
    let has = |wanted: &str| {
        line.split(',')
            .any(|name| name.trim().trim_matches('"').trim() == wanted)
    };
    has("title") && has("abstract")
}

fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}
