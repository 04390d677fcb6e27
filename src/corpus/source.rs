//! The snapshot as one stream of bytes, whatever it is packed in.

mod archive;

use super::slices::Slices;
use crate::checksum::Checksum;
use crate::error::{Error, Result};
use crate::observe::Observer;
use crate::pipe::{self, Pipe};
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Largest zstd window taken, log2 of bytes: 128 MiB, zstd's own limit for `--long`.
const WINDOW_LOG: u32 = 27;
const READ_BUFFER: usize = 1 << 18;

/// What a file is packed in, told from its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Bare JSON lines.
    Json,
    /// gzip, of one or more members.
    Gzip,
    /// zstd, of one or more frames.
    Zstd,
    /// A zip archive with one file of JSON lines in it.
    Zip,
}

impl Format {
    /// `json`, `gzip`, `zstd` or `zip`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Zip => "zip",
        }
    }

    /// The format of a file that starts with `head`; the name of a format that is not read.
    fn detect(head: &[u8]) -> Result<Self, &'static str> {
        match head {
            [0x1f, 0x8b, ..] => Ok(Self::Gzip),
            // A zstd frame, or a skippable one in front of it.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Ok(Self::Zstd),
            [b'P', b'K', 3 | 5 | 7, 4 | 6 | 8, ..] => Ok(Self::Zip),
            [b'P', b'A', b'R', b'1', ..] => Err("Parquet"),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Err("bzip2"),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Err("xz"),
            [b'7', b'z', 0xbc, 0xaf, ..] => Err("7-Zip"),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err("UTF-16 text"),
            _ if head.get(257..) == Some(b"ustar") => Err("tar"),
            _ => Ok(Self::Json),
        }
    }
}

/// Bytes that tell the formats apart; the mark of tar stands last.
const HEAD: u64 = 262;

/// A snapshot file, opened.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    file: File,
    head: Vec<u8>,
    format: Format,
    bytes: u64,
    /// Its bytes may be long in coming.
    piped: bool,
}

/// How much of a file has been read, for others to see while it is read.
#[derive(Debug, Default)]
pub struct Meter(AtomicU64);

impl Meter {
    /// Bytes of the file read so far, packed as they are.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts bytes that have been read.
    pub(super) fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Source {
    /// Opens the file at `path` and looks at its first bytes; its name says nothing. Reading a
    /// pipe that stays silent fails once `observer` is cancelled.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be opened, [`Error::Input`] for a directory, an empty file
    /// and formats that are not read.
    pub fn open(path: &Path, observer: &dyn Observer) -> Result<Self> {
        let io = |error| Error::io(path, error);
        let file = pipe::open(path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        if metadata.is_dir() {
            return Err(Error::input(
                path.display(),
                "is a directory; expected the snapshot file",
            ));
        }
        let mut head = Vec::new();
        let piped = !metadata.is_file();
        stream(&file, piped, || observer.cancelled())
            .take(HEAD)
            .read_to_end(&mut head)
            .map_err(io)?;
        if head.is_empty() {
            return Err(Error::input(path.display(), "is empty"));
        }
        let format = Format::detect(&head).map_err(|name| {
            let reason = format!("is {name}; expected JSON lines, bare or in gzip, zstd or zip");
            Error::input(path.display(), reason)
        })?;
        Ok(Self {
            path: path.to_path_buf(),
            file,
            head,
            format,
            bytes: metadata.len(),
            piped,
        })
    }

    /// Where it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is packed in.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Its size, packed as it is; 0 for a pipe.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The blocks of a bare file, which can be read in any order; the source itself for a packed
    /// file or a pipe.
    pub(super) fn into_slices(self, max_line: usize) -> std::result::Result<Slices, Self> {
        if self.format != Format::Json || self.piped {
            return Err(self);
        }
        Ok(Slices::new(self.path, self.file, self.bytes, max_line))
    }

    /// Hands the unpacked bytes to `consume` and gives what it returned with the checksum of the
    /// file as it lies on disk. `meter` tells how far it has come; once `stopped` says true, reading a
    /// pipe that stays silent fails.
    ///
    /// # Errors
    /// What `consume` returns; [`Error::Io`] and [`Error::Input`] (through [`Source::explain`] for
    /// errors that `consume` meets while reading).
    pub fn read<T>(
        self,
        meter: &Meter,
        stopped: impl Fn() -> bool,
        consume: impl FnOnce(&mut dyn Read) -> Result<T>,
    ) -> Result<(T, String)> {
        let Self {
            path,
            file,
            head,
            format,
            piped,
            ..
        } = self;
        if format == Format::Zip {
            return archive::read(&path, file, meter, consume);
        }
        let mut raw = Metered {
            inner: Cursor::new(head).chain(stream(&file, piped, stopped)),
            checksum: Checksum::default(),
            meter,
        };
        let value = match format {
            Format::Gzip => {
                let raw = BufReader::with_capacity(READ_BUFFER, &mut raw);
                consume(&mut flate2::bufread::MultiGzDecoder::new(raw))?
            }
            Format::Zstd => {
                let raw = BufReader::with_capacity(READ_BUFFER, &mut raw);
                let mut decoder = zstd::Decoder::with_buffer(raw)
                    .map_err(|error| Self::explain(&path, format, error))?;
                decoder
                    .window_log_max(WINDOW_LOG)
                    .map_err(|error| Self::explain(&path, format, error))?;
                consume(&mut decoder)?
            }
            Format::Json | Format::Zip => consume(&mut raw)?,
        };
        io::copy(&mut raw, &mut io::sink()).map_err(|error| Error::io(&path, error))?;
        Ok((value, raw.checksum.finish()))
    }

    /// The error for a read that failed: the system's own, or what is wrong with the packed data.
    #[must_use]
    pub fn explain(path: &Path, format: Format, error: io::Error) -> Error {
        let name = format.as_str();
        if error.raw_os_error().is_some() {
            Error::io(path, error)
        } else if error.kind() == io::ErrorKind::UnexpectedEof || is_incomplete(&error) {
            Error::input(
                path.display(),
                format!("the {name} data ends early: the file is truncated"),
            )
        } else if is_too_wide(&error) {
            let most = (1 << WINDOW_LOG) >> 20;
            let reason = format!(
                "its zstd window is larger than the {most} MiB that are read; pack it anew: \
                 zstd -dc --long=31 FILE | zstd --long={WINDOW_LOG} -o NEW"
            );
            Error::input(path.display(), reason)
        } else {
            Error::input(
                path.display(),
                format!("the {name} data is damaged: {error}"),
            )
        }
    }
}

fn stream<'f>(file: &'f File, piped: bool, stopped: impl Fn() -> bool + 'f) -> Box<dyn Read + 'f> {
    if piped {
        Box::new(Pipe::new(file, stopped))
    } else {
        Box::new(file)
    }
}

fn is_incomplete(error: &io::Error) -> bool {
    error.to_string().contains("incomplete frame")
}

/// zstd's refusal of a sound frame whose window is beyond [`WINDOW_LOG`].
fn is_too_wide(error: &io::Error) -> bool {
    error.to_string().contains("requires too much memory")
}

/// Hashes and counts what is read through it.
struct Metered<'m, R> {
    inner: R,
    checksum: Checksum,
    meter: &'m Meter,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.checksum.update(&buffer[..read]);
        self.meter.add(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
