//! Room `text`: cleaning and the template.

use crate::text;
use pyo3::prelude::*;

/// `text` without LaTeX, in one Unicode form and with single spaces; idempotent.
#[pyfunction]
#[pyo3(signature = (text, /))]
fn clean(text: &str) -> String {
    text::clean(text).into_owned()
}

/// The text a model reads for a paper: both parts cleaned, `title. abstract`.
#[pyfunction]
#[pyo3(signature = (title, r#abstract))]
fn template(title: &str, r#abstract: &str) -> String {
    text::template(title, r#abstract)
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("TEMPLATE_VERSION", text::TEMPLATE_VERSION)?;
    module.add_function(wrap_pyfunction!(clean, module)?)?;
    module.add_function(wrap_pyfunction!(template, module)?)?;
    Ok(())
}
