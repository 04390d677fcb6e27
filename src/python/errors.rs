//! The exception tree, and the one place where a Rust error becomes a Python exception.

use crate::error::Error;
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyKeyboardInterrupt, PyOSError};
use pyo3::prelude::*;

create_exception!(
    arxiv_core,
    ArxivCoreError,
    PyException,
    "Base of every error this library raises on its own."
);
create_exception!(
    arxiv_core,
    InputError,
    ArxivCoreError,
    "A file's content is not what it must be; names file, line and field."
);
create_exception!(
    arxiv_core,
    OptionError,
    ArxivCoreError,
    "An option has a value that cannot be used."
);
create_exception!(
    arxiv_core,
    ModelError,
    ArxivCoreError,
    "A model directory or one of its files cannot be used."
);
create_exception!(
    arxiv_core,
    ShapeError,
    ArxivCoreError,
    "Two arrays that must fit do not."
);
create_exception!(
    arxiv_core,
    FitError,
    ArxivCoreError,
    "Training cannot go on."
);
create_exception!(
    arxiv_core,
    DeviceError,
    ArxivCoreError,
    "The device asked for is not there."
);
create_exception!(
    arxiv_core,
    TorchError,
    ArxivCoreError,
    "libtorch refused an operation."
);

create_exception!(
    arxiv_core,
    ForkError,
    ArxivCoreError,
    "The process was forked from one in which this library had worked."
);
create_exception!(
    arxiv_core,
    OverloadedError,
    ArxivCoreError,
    "As many requests are under way as may be."
);
create_exception!(
    arxiv_core,
    DeadlineError,
    ArxivCoreError,
    "A request's time was over before it could be answered."
);
create_exception!(
    arxiv_core,
    StoppingError,
    ArxivCoreError,
    "The engine is stopping and takes no more requests."
);
create_exception!(
    arxiv_core,
    EngineError,
    ArxivCoreError,
    "The live engine itself failed."
);

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Io { path, source } => match source.raw_os_error() {
                // OSError(errno, text, filename) picks FileNotFoundError and its siblings itself.
                Some(code) => PyOSError::new_err((code, source.to_string(), path)),
                None if source.kind() == std::io::ErrorKind::NotFound => {
                    pyo3::exceptions::PyFileNotFoundError::new_err(message)
                }
                None => PyOSError::new_err(message),
            },
            Error::Input { .. } => InputError::new_err(message),
            Error::Option { .. } => OptionError::new_err(message),
            Error::Model { .. } => ModelError::new_err(message),
            Error::Shape { .. } => ShapeError::new_err(message),
            Error::Fit { .. } => FitError::new_err(message),
            Error::Device { .. } => DeviceError::new_err(message),
            Error::Torch(_) => TorchError::new_err(message),
            Error::Forked => ForkError::new_err(message),
            Error::Overloaded { .. } => OverloadedError::new_err(message),
            Error::Deadline { .. } => DeadlineError::new_err(message),
            Error::Stopping => StoppingError::new_err(message),
            Error::Engine(_) => EngineError::new_err(message),
            Error::Interrupted => PyKeyboardInterrupt::new_err(message),
        }
    }
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    for (name, class) in [
        ("ArxivCoreError", py.get_type::<ArxivCoreError>()),
        ("InputError", py.get_type::<InputError>()),
        ("OptionError", py.get_type::<OptionError>()),
        ("ModelError", py.get_type::<ModelError>()),
        ("ShapeError", py.get_type::<ShapeError>()),
        ("FitError", py.get_type::<FitError>()),
        ("DeviceError", py.get_type::<DeviceError>()),
        ("TorchError", py.get_type::<TorchError>()),
        ("ForkError", py.get_type::<ForkError>()),
        ("OverloadedError", py.get_type::<OverloadedError>()),
        ("DeadlineError", py.get_type::<DeadlineError>()),
        ("StoppingError", py.get_type::<StoppingError>()),
        ("EngineError", py.get_type::<EngineError>()),
    ] {
        module.add(name, class)?;
    }
    Ok(())
}
