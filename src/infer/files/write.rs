//! Predictions to JSON Lines, CSV or Parquet; a file appears under its name when it is whole.

mod parquet;
mod text;

use self::parquet::Parquet;
use self::text::{Csv, Lines, Stream};
use super::{Answer, Format, STANDARD};
use crate::error::{Error, Result};
use crate::observe::Observer;
use crate::pipe;
use crate::scratch::Pending;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Takes answers in order; nothing is at the output's place before `finish`.
pub(super) trait Sink {
    fn write(&mut self, answers: Vec<Answer>) -> Result<()>;
    fn finish(self: Box<Self>) -> Result<()>;
}

/// Opens `output`, a path or `-`, without touching what lies there. Its name says what to write
/// where `format` does not; `-` is JSON Lines then.
pub(super) fn create(
    output: &str,
    format: Option<Format>,
    observer: &dyn Observer,
) -> Result<Box<dyn Sink>> {
    let name = output.to_ascii_lowercase();
    let (stem, archive) = match () {
        () if name.ends_with(".gz") => (name.trim_end_matches(".gz"), Archive::Gzip),
        () if name.ends_with(".zst") => (name.trim_end_matches(".zst"), Archive::Zstd),
        () => (name.as_str(), Archive::None),
    };
    let format = match format {
        Some(format) => format,
        None if output == STANDARD => Format::Jsonl,
        None if stem.ends_with(".jsonl") || stem.ends_with(".ndjson") => Format::Jsonl,
        None if stem.ends_with(".csv") => Format::Csv,
        None if name.ends_with(".parquet") => Format::Parquet,
        None => {
            let reason =
                "must end in .jsonl, .csv (each also with .gz or .zst) or .parquet, or be -";
            return Err(Error::option("output", output, reason));
        }
    };
    let target = if [STANDARD, "/dev/stdout", "/dev/fd/1"].contains(&output) {
        Target::standard()
    } else {
        Target::create(Path::new(output))?
    };
    Ok(match format {
        Format::Jsonl => Box::new(Lines {
            stream: Stream::open(&target, archive, observer)?,
            target,
        }),
        Format::Csv => Box::new(Csv::open(target, archive, observer)?),
        Format::Parquet if archive.is_some() => {
            let reason = "Parquet is compressed within: leave .gz and .zst away";
            return Err(Error::option("output", output, reason));
        }
        Format::Parquet => Box::new(Parquet::open(target, observer)?),
    })
}

#[derive(Clone, Copy)]
enum Archive {
    None,
    Gzip,
    Zstd,
}

impl Archive {
    fn is_some(self) -> bool {
        !matches!(self, Self::None)
    }
}

/// The place of an output, and the file beside it that will take it; none for a stream, such as
/// standard output, a named pipe or a device.
struct Target {
    path: PathBuf,
    file: Option<(File, Pending)>,
}

impl Target {
    fn standard() -> Self {
        Self {
            path: STANDARD.into(),
            file: None,
        }
    }

    fn create(path: &Path) -> Result<Self> {
        let fail = |source| Error::io(path, source);
        if path.is_dir() {
            return Err(fail(io::ErrorKind::IsADirectory.into()));
        }
        // A descriptor's file is others' too: it is written into, not replaced.
        let descriptor = ["/dev/fd", "/dev/stderr", "/proc/self/fd"]
            .iter()
            .any(|place| path.starts_with(place));
        if descriptor || path.metadata().is_ok_and(|found| !found.is_file()) {
            return Ok(Self {
                path: path.to_path_buf(),
                file: None,
            });
        }
        // What a link points to is replaced, not the link.
        let absolute = path
            .canonicalize()
            .or_else(|_| std::path::absolute(path))
            .map_err(fail)?;
        let parent = absolute.parent().unwrap_or(&absolute);
        parent
            .metadata()
            .map_err(|source| Error::io(parent, source))?;
        let (file, pending) = Pending::create(parent)?;
        if let Ok(found) = absolute.metadata() {
            let kept = file.set_permissions(found.permissions());
            kept.map_err(|source| Error::io(parent, source))?;
        }
        Ok(Self {
            path: absolute,
            file: Some((file, pending)),
        })
    }

    fn handle(&self, observer: &dyn Observer) -> Result<Box<dyn Write + Send>> {
        let file = match &self.file {
            Some((file, _)) => file.try_clone(),
            None if self.path == Path::new(STANDARD) => return Ok(Box::new(io::stdout())),
            None => pipe::open_to_write(&self.path, || observer.cancelled()),
        };
        Ok(Box::new(file.map_err(|source| self.fail(source))?))
    }

    fn fail(&self, source: io::Error) -> Error {
        Error::io(&self.path, source)
    }

    fn commit(self) -> Result<()> {
        if let Some((file, pending)) = self.file {
            file.sync_all()
                .map_err(|source| Error::io(&self.path, source))?;
            pending.publish(&file, &self.path)?;
        }
        Ok(())
    }
}
