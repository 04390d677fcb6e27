//! Bindings: the only room that names pyo3. Each file exposes one room: it converts the
//! arguments, calls [`enter::run`] (GIL released, Ctrl-C heard), and converts back.

mod classifier;
mod corpus;
mod encoder;
mod enter;
mod errors;
mod logistic;
mod metrics;
mod stages;
mod text;

use pyo3::prelude::*;

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    pyo3_log::try_init().ok();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    classifier::register(module)?;
    corpus::register(module)?;
    encoder::register(module)?;
    errors::register(module)?;
    logistic::register(module)?;
    metrics::register(module)?;
    stages::register(module)?;
    text::register(module)?;
    Ok(())
}
