//! Bindings: the only room that names pyo3. Each file exposes one room: it converts the
//! arguments, calls [`enter::run`] or [`enter::work`] (GIL released, Ctrl-C heard), and converts back.

#[cfg(unix)]
mod answer;
mod classifier;
mod corpus;
mod encoder;
#[cfg(unix)]
mod engine;
mod enter;
mod errors;
mod logistic;
mod metrics;
mod stages;
mod text;
mod threads;

use pyo3::prelude::*;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // Levels are asked for anew at each message: a program may set them after its first call.
    let logger = pyo3_log::Logger::new(module.py(), pyo3_log::Caching::Loggers)?;
    // Fails where this process has a logger already, which then stays.
    logger.install().ok();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    #[cfg(unix)]
    answer::register(module)?;
    classifier::register(module)?;
    corpus::register(module)?;
    encoder::register(module)?;
    #[cfg(unix)]
    engine::register(module)?;
    errors::register(module)?;
    logistic::register(module)?;
    metrics::register(module)?;
    stages::register(module)?;
    text::register(module)?;
    threads::register(module)?;
    Ok(())
}
