//! Predictions to JSON Lines, CSV or Parquet; a file appears under its name when it is whole.

mod parquet;
mod text;

use self::parquet::Parquet;
use self::text::{Csv, Lines, Stream};
use super::{Answer, STANDARD};
use crate::error::{Error, Result};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Takes answers in order; nothing is at the output's place before `finish`.
pub(super) trait Sink {
    fn write(&mut self, answers: Vec<Answer>) -> Result<()>;
    fn finish(self: Box<Self>) -> Result<()>;
}

/// Opens `output`, a path or `-` (JSON Lines), without touching what lies there.
pub(super) fn create(output: &str) -> Result<Box<dyn Sink>> {
    if output == STANDARD {
        let stream = Stream::Plain(Box::new(io::stdout()));
        return Ok(Box::new(Lines {
            target: Target {
                path: output.into(),
                file: None,
            },
            stream,
        }));
    }
    let name = output.to_ascii_lowercase();
    let ends = |ending: &str| name.ends_with(ending);
    let (stem, archive) = match () {
        () if ends(".gz") => (name.trim_end_matches(".gz"), Archive::Gzip),
        () if ends(".zst") => (name.trim_end_matches(".zst"), Archive::Zstd),
        () => (name.as_str(), Archive::None),
    };
    let kind = match () {
        () if stem.ends_with(".jsonl") || stem.ends_with(".ndjson") => Kind::Lines,
        () if stem.ends_with(".csv") => Kind::Csv,
        () if ends(".parquet") => Kind::Parquet,
        () => {
            let reason =
                "must end in .jsonl, .csv (each also with .gz or .zst) or .parquet, or be -";
            return Err(Error::option("output", output, reason));
        }
    };
    let target = Target::create(Path::new(output))?;
    Ok(match kind {
        Kind::Lines => Box::new(Lines {
            stream: Stream::open(&target, archive)?,
            target,
        }),
        Kind::Csv => Box::new(Csv::open(target, archive)?),
        Kind::Parquet => Box::new(Parquet::open(target)?),
    })
}

enum Kind {
    Lines,
    Csv,
    Parquet,
}

#[derive(Clone, Copy)]
enum Archive {
    None,
    Gzip,
    Zstd,
}

/// The place of an output, and the file beside it that will take it; none for a stream.
struct Target {
    path: PathBuf,
    file: Option<NamedTempFile>,
}

impl Target {
    fn create(path: &Path) -> Result<Self> {
        let fail = |source| Error::io(path, source);
        if path.is_dir() {
            return Err(fail(io::ErrorKind::IsADirectory.into()));
        }
        let absolute = std::path::absolute(path).map_err(fail)?;
        let parent = absolute.parent().unwrap_or(&absolute);
        let mut builder = tempfile::Builder::new();
        builder.prefix(".predictions-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder
            .tempfile_in(parent)
            .map_err(|source| Error::io(parent, source))?;
        Ok(Self {
            path: path.to_path_buf(),
            file: Some(file),
        })
    }

    fn handle(&self) -> Result<File> {
        match &self.file {
            Some(file) => file
                .as_file()
                .try_clone()
                .map_err(|source| self.fail(source)),
            None => Err(self.fail(io::ErrorKind::Unsupported.into())),
        }
    }

    fn fail(&self, source: io::Error) -> Error {
        Error::io(&self.path, source)
    }

    fn commit(self) -> Result<()> {
        if let Some(file) = self.file {
            file.as_file()
                .sync_all()
                .map_err(|source| Error::io(&self.path, source))?;
            file.persist(&self.path)
                .map_err(|error| Error::io(&self.path, error.error))?;
        }
        Ok(())
    }
}
