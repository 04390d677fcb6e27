//! Room `corpus`: the stage `prepare`, the papers table and the taxonomy.

use super::enter;
use crate::checksum;
use crate::corpus::options::PrepareOptions;
use crate::corpus::papers::{self, Split};
use crate::corpus::statistics;
use crate::corpus::taxonomy::{self, Resolution};
use crate::error::{Error, Result};
use crate::text;
use pyo3::prelude::*;
use std::path::PathBuf;

/// Prepares the snapshot at `source` into the folder `out_dir`; gives the manifest as JSON.
#[pyfunction]
#[pyo3(signature = (source, out_dir, options = "{}", progress = None))]
fn prepare(
    py: Python<'_>,
    source: PathBuf,
    out_dir: PathBuf,
    options: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let options = PrepareOptions::from_json(options)?;
    enter::run(py, progress, |observer| {
        let manifest = crate::corpus::prepare::prepare(&source, &out_dir, &options, observer)?;
        json(&manifest)
    })
}

/// The checksum of a file, as a manifest has its source's and embeddings their table's.
#[pyfunction]
#[pyo3(name = "checksum")]
fn file_checksum(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    enter::run(py, None, |observer| checksum::file(&path, observer))
}

/// arXiv's taxonomy as a JSON list of {category, name, group, archive, active, aliases}.
#[pyfunction]
#[pyo3(name = "taxonomy")]
fn taxonomy_json() -> PyResult<String> {
    let rows: Vec<_> = taxonomy::categories()
        .map(|row| {
            serde_json::json!({
                "category": row.id,
                "name": row.name,
                "group": row.group,
                "archive": row.archive,
                "active": row.active(),
                "canonical": row.label().map(|label| label.name()),
                "aliases": taxonomy::aliases_of(row.id),
            })
        })
        .collect();
    Ok(json(&rows)?)
}

/// The canonical label of `category`; `None` for a bare legacy archive.
#[pyfunction]
#[pyo3(signature = (category, /))]
fn canonical(category: &str) -> PyResult<Option<&'static str>> {
    match taxonomy::resolve(category) {
        Resolution::Label(label) => Ok(Some(label.name())),
        Resolution::Legacy => Ok(None),
        Resolution::Unknown => Err(Error::input(
            "category",
            format!("\"{category}\" is not in arXiv's taxonomy"),
        )
        .into()),
    }
}

/// What is in a papers table: counts over time and by category, co-occurrence, lengths; as JSON.
#[pyfunction]
#[pyo3(signature = (papers, progress = None))]
fn paper_statistics(
    py: Python<'_>,
    papers: PathBuf,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    enter::run(py, progress, |observer| {
        json(&statistics::statistics(&papers, observer)?)
    })
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::input("JSON", error))
}

/// Rows of a papers table.
#[pyclass(frozen, module = "arxiv_core._core")]
struct Papers(papers::Papers);

#[pymethods]
impl Papers {
    /// Reads a papers table: the rows of `split` (all without one), at most the first `limit`.
    #[staticmethod]
    #[pyo3(signature = (path, split = None, limit = None))]
    fn read(
        py: Python<'_>,
        path: PathBuf,
        split: Option<&str>,
        limit: Option<usize>,
    ) -> PyResult<Self> {
        let unknown =
            |name: &str| Error::option("split", name, "expected train, validation or test");
        let split = split
            .map(|name| Split::from_name(name).ok_or_else(|| unknown(name)))
            .transpose()?;
        let papers = enter::run(py, None, |observer| {
            papers::Papers::read(&path, split, limit, observer)
        })?;
        Ok(Self(papers))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    #[getter]
    fn ids(&self) -> &[String] {
        &self.0.ids
    }

    #[getter]
    fn titles(&self) -> &[String] {
        &self.0.titles
    }

    #[getter]
    fn abstracts(&self) -> &[String] {
        &self.0.abstracts
    }

    #[getter]
    fn categories(&self) -> &[Vec<String>] {
        &self.0.categories
    }

    #[getter]
    fn primaries(&self) -> Vec<Option<&str>> {
        self.0.primaries.iter().map(Option::as_deref).collect()
    }

    #[getter]
    fn archives(&self) -> Vec<Option<&str>> {
        self.0.archives.iter().map(Option::as_deref).collect()
    }

    #[getter]
    fn submitted(&self) -> &[i32] {
        &self.0.submitted
    }

    #[getter]
    fn splits(&self) -> Vec<&'static str> {
        self.0.splits.iter().map(|split| split.name()).collect()
    }

    /// The text a model reads of each paper.
    fn texts(&self, py: Python<'_>) -> Vec<String> {
        py.detach(|| {
            let rows = self.0.titles.iter().zip(&self.0.abstracts);
            rows.map(|(title, summary)| text::template(title, summary))
                .collect()
        })
    }
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(prepare, module)?)?;
    module.add_function(wrap_pyfunction!(file_checksum, module)?)?;
    module.add_function(wrap_pyfunction!(canonical, module)?)?;
    module.add_function(wrap_pyfunction!(taxonomy_json, module)?)?;
    module.add_function(wrap_pyfunction!(paper_statistics, module)?)?;
    module.add_class::<Papers>()?;
    Ok(())
}
