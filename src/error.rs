//! The one error enum. Every variant names the value and the place that caused it,
//! and maps to exactly one Python exception class (`src/python/errors.rs`).

use std::path::{Path, PathBuf};

/// `Result` with the crate's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong, with the place in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Reading or writing a file failed. Python: `OSError` (`FileNotFoundError` where nothing is there).
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file's content is not what it must be. Python: `arxiv_core.InputError`.
    #[error("{place}: {reason}")]
    Input {
        /// File and, where known, line and field: `papers.jsonl:17: field "title"`.
        place: String,
        /// What is wrong, with the value.
        reason: String,
    },
    /// An option has a value that cannot be used. Python: `arxiv_core.OptionError`.
    #[error("option {name} = {value}: {reason}")]
    Option {
        /// The option's name as the caller wrote it.
        name: String,
        /// The value given.
        value: String,
        /// Why it cannot be used, and what can.
        reason: String,
    },
    /// A model directory or one of its files cannot be used. Python: `arxiv_core.ModelError`.
    #[error("model {}: {reason}", path.display())]
    Model {
        /// The model's directory or the file inside it.
        path: PathBuf,
        /// The weight, key or hash and what is wrong with it.
        reason: String,
    },
    /// Two arrays that must fit do not. Python: `arxiv_core.ShapeError`.
    #[error("{name}: expected shape {expected}, got {got}")]
    Shape {
        /// The array's name.
        name: String,
        /// The shape it must have.
        expected: String,
        /// The shape it has.
        got: String,
    },
    /// Training cannot go on. Python: `arxiv_core.FitError`.
    #[error("fitting {what}: {reason}")]
    Fit {
        /// Head, threshold or calibration being fitted.
        what: String,
        /// Why it stopped.
        reason: String,
    },
    /// The device asked for is not there. Python: `arxiv_core.DeviceError`.
    #[error("device {device}: {reason}")]
    Device {
        /// The device as written.
        device: String,
        /// Why it cannot be used.
        reason: String,
    },
    /// libtorch refused an operation. Python: `arxiv_core.TorchError`.
    #[error("libtorch: {0}")]
    Torch(String),
    /// This process was forked from one that had worked already: its threads stayed behind.
    /// Python: `arxiv_core.ForkError`.
    #[error(
        "forked after work in the parent process, whose threads stayed behind; start processes with the method \"spawn\" or \"forkserver\", or load models after the fork"
    )]
    Forked,
    /// As many requests are under way as may be. Python: `arxiv_core.OverloadedError`.
    #[error("{capacity} requests are under way, which is as many as may be; try again later")]
    Overloaded {
        /// Requests that may be under way.
        capacity: usize,
    },
    /// A request's time was over before it could be answered. Python: `arxiv_core.DeadlineError`.
    #[error("not answered in time: its deadline passed after {seconds:.3} s")]
    Deadline {
        /// How long it had waited.
        seconds: f64,
    },
    /// The engine drains and takes no more requests. Python: `arxiv_core.StoppingError`.
    #[error("the engine is stopping and takes no more requests")]
    Stopping,
    /// The live engine itself failed. Python: `arxiv_core.EngineError`.
    #[error("engine: {0}")]
    Engine(String),
    /// The caller asked to stop. Python: `KeyboardInterrupt`.
    #[error("stopped on request")]
    Interrupted,
}

impl Error {
    /// An [`Error::Io`] at `path`.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Io {
            path: path.as_ref().to_path_buf(),
            source,
        }
    }

    /// An [`Error::Input`] at `place`.
    pub fn input(place: impl std::fmt::Display, reason: impl std::fmt::Display) -> Self {
        Self::Input {
            place: place.to_string(),
            reason: reason.to_string(),
        }
    }

    /// An [`Error::Option`].
    pub fn option(
        name: impl std::fmt::Display,
        value: impl std::fmt::Display,
        reason: impl std::fmt::Display,
    ) -> Self {
        Self::Option {
            name: name.to_string(),
            value: value.to_string(),
            reason: reason.to_string(),
        }
    }

    /// The same error, an option's name inside `group`: `folds` → `calibration.folds`.
    #[must_use]
    pub fn in_group(self, group: &str) -> Self {
        match self {
            Self::Option {
                name,
                value,
                reason,
            } => Self::Option {
                name: format!("{group}.{name}"),
                value,
                reason,
            },
            other => other,
        }
    }

    /// An [`Error::Model`] at `path`.
    pub fn model(path: impl AsRef<Path>, reason: impl std::fmt::Display) -> Self {
        Self::Model {
            path: path.as_ref().to_path_buf(),
            reason: reason.to_string(),
        }
    }

    /// An [`Error::Shape`].
    pub fn shape(
        name: impl std::fmt::Display,
        expected: impl std::fmt::Debug,
        got: impl std::fmt::Debug,
    ) -> Self {
        Self::Shape {
            name: name.to_string(),
            expected: format!("{expected:?}"),
            got: format!("{got:?}"),
        }
    }

    /// An [`Error::Fit`].
    pub fn fit(what: impl std::fmt::Display, reason: impl std::fmt::Display) -> Self {
        Self::Fit {
            what: what.to_string(),
            reason: reason.to_string(),
        }
    }
}

#[cfg(feature = "torch")]
impl From<tch::TchError> for Error {
    fn from(error: tch::TchError) -> Self {
        // libtorch appends its C++ backtrace; the first line is the message.
        let text = error.to_string();
        Self::Torch(text.lines().next().unwrap_or_default().to_owned())
    }
}
