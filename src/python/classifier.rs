//! `Classifier`, what it answers, and the packaging of a model.

use super::enter;
use crate::error::{Error, Result};
use crate::infer::classifier::{Classifier, Scores};
use crate::infer::options::Ranking;
use crate::infer::prediction::{Category, Prediction};
use crate::infer::{explain, files};
use crate::model::package as packaging;
use crate::options::parse;
use numpy::{IntoPyArray, PyArray1, PyArray2};
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

/// One category, or archive, of a prediction.
#[pyclass(name = "Category", module = "arxiv_core._core", frozen)]
struct PyCategory {
    inner: Category,
}

#[pymethods]
impl PyCategory {
    /// Canonical name: `cs.LG`, or `cs` at archive level.
    #[getter]
    fn category(&self) -> &str {
        &self.inner.category
    }

    /// The name as people read it: `Machine Learning`.
    #[getter]
    fn name(&self) -> &'static str {
        self.inner.name
    }

    /// Calibrated probability, or share where a distribution was asked for.
    #[getter]
    fn probability(&self) -> f32 {
        self.inner.probability
    }

    /// Whether the probability reaches the label's threshold.
    #[getter]
    fn assigned(&self) -> bool {
        self.inner.assigned
    }

    /// The probability from which the label is assigned; None for an archive, and for a category
    /// that the model does not know.
    #[getter]
    fn threshold(&self) -> Option<f32> {
        self.inner.threshold
    }

    fn __repr__(&self) -> String {
        let Category {
            category,
            name,
            probability,
            assigned,
            ..
        } = &self.inner;
        let assigned = if *assigned { "True" } else { "False" };
        format!(
            "Category(category={category:?}, name={name:?}, probability={probability:.4}, assigned={assigned})"
        )
    }
}

/// What is said about one paper.
#[pyclass(name = "Prediction", module = "arxiv_core._core", frozen)]
pub(super) struct PyPrediction {
    categories: Vec<Py<PyCategory>>,
    truncated: bool,
}

impl PyPrediction {
    pub(super) fn new(py: Python<'_>, prediction: Prediction) -> PyResult<Self> {
        let Prediction {
            categories,
            truncated,
        } = prediction;
        let categories = categories
            .into_iter()
            .map(|inner| Py::new(py, PyCategory { inner }))
            .collect::<PyResult<_>>()?;
        Ok(Self {
            categories,
            truncated,
        })
    }
}

#[pymethods]
impl PyPrediction {
    /// Best first.
    #[getter]
    fn categories(&self, py: Python<'_>) -> Vec<Py<PyCategory>> {
        self.categories
            .iter()
            .map(|category| category.clone_ref(py))
            .collect()
    }

    /// Whether the text was longer than the model reads.
    #[getter]
    fn truncated(&self) -> bool {
        self.truncated
    }

    fn __repr__(&self) -> String {
        let categories: Vec<String> = self
            .categories
            .iter()
            .map(|category| category.get().__repr__())
            .collect();
        let truncated = if self.truncated { "True" } else { "False" };
        format!(
            "Prediction(categories=[{}], truncated={truncated})",
            categories.join(", ")
        )
    }
}

/// Probabilities [papers, labels], and per paper whether its text was cut.
type PyScores<'py> = (Bound<'py, PyArray2<f32>>, Bound<'py, PyArray1<bool>>);

/// A model directory on its encoder; may be used by several threads at once.
#[pyclass(name = "Classifier", module = "arxiv_core._core", frozen)]
pub(super) struct PyClassifier {
    pub(super) inner: Arc<Classifier>,
}

#[pymethods]
impl PyClassifier {
    /// Loads a model directory; `encoder_dir` is its encoder where that is not inside.
    #[staticmethod]
    #[pyo3(signature = (model_dir, encoder_dir=None, device="auto", dtype="f32"))]
    fn load(
        py: Python<'_>,
        model_dir: PathBuf,
        encoder_dir: Option<PathBuf>,
        device: &str,
        dtype: &str,
    ) -> PyResult<Self> {
        enter::check_process()?;
        let inner =
            py.detach(|| Classifier::load(&model_dir, encoder_dir.as_deref(), device, dtype))?;
        enter::claim_process();
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Canonical categories in the order of the scores' columns.
    #[getter]
    fn labels(&self) -> Vec<String> {
        self.inner.spec().labels.clone()
    }

    /// Per label: the probability from which it is assigned.
    #[getter]
    fn thresholds<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
        self.inner.spec().thresholds.clone().into_pyarray(py)
    }

    /// What the model is and where it came from: a JSON object.
    fn info(&self) -> String {
        self.inner.info().to_string()
    }

    /// Calibrated probabilities [papers, labels], and per paper whether its text was cut.
    #[pyo3(signature = (titles, abstracts, progress=None))]
    fn scores<'py>(
        &self,
        py: Python<'py>,
        titles: Vec<String>,
        abstracts: Vec<String>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<PyScores<'py>> {
        let Scores {
            probabilities,
            truncated,
        } = enter::work(py, progress, |observer| {
            self.inner.scores(&titles, &abstracts, observer)
        })?;
        Ok((probabilities.into_pyarray(py), truncated.into_pyarray(py)))
    }

    /// Predictions for papers, in their order.
    #[pyo3(signature = (titles, abstracts, options="{}", declared=None, progress=None))]
    fn classify(
        &self,
        py: Python<'_>,
        titles: Vec<String>,
        abstracts: Vec<String>,
        options: &str,
        declared: Option<Vec<Option<String>>>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Vec<PyPrediction>> {
        let options = Ranking::parse(options)?;
        let declared = declared.unwrap_or_default();
        let predictions = enter::work(py, progress, |observer| {
            self.inner
                .classify(&titles, &abstracts, &declared, &options, observer)
        })?;
        predictions
            .into_iter()
            .map(|prediction| PyPrediction::new(py, prediction))
            .collect()
    }

    /// Which parts of a paper speak for its categories: a JSON object.
    #[pyo3(signature = (title, r#abstract, options="{}", progress=None))]
    fn explain(
        &self,
        py: Python<'_>,
        title: &str,
        r#abstract: &str,
        options: &str,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let options = explain::Options::parse(options)?;
        enter::work(py, progress, |observer| {
            to_json(&self.inner.explain(title, r#abstract, &options, observer)?)
        })
    }

    /// Classifies every paper of a file into another; returns a JSON summary.
    #[pyo3(signature = (input, output, options="{}", progress=None))]
    fn classify_file(
        &self,
        py: Python<'_>,
        input: &str,
        output: &str,
        options: &str,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let options = files::Options::parse(options)?;
        enter::work(py, progress, |observer| {
            let summary = files::classify_file(&self.inner, input, output, &options, observer)?;
            to_json(&summary)
        })
    }

    fn __repr__(&self) -> String {
        let (spec, encoder) = (self.inner.spec(), self.inner.encoder());
        format!(
            "Classifier(labels={}, encoder={:?}, max_length={}, device={:?}, dtype={:?})",
            spec.labels.len(),
            spec.encoder.name,
            spec.max_length,
            encoder.device(),
            encoder.dtype()
        )
    }
}

/// Copies a verified model directory to hand on; returns a JSON summary.
#[pyfunction]
#[pyo3(signature = (model_dir, out, options="{}", progress=None))]
fn package(
    py: Python<'_>,
    model_dir: PathBuf,
    out: PathBuf,
    options: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    let options: packaging::Options = parse(options)?;
    enter::run(py, progress, |observer| {
        let summary = packaging::package(&model_dir, &out, &options, observer)?;
        to_json(&summary)
    })
}

/// (field, start, end, title, abstract).
type PyVariant = (&'static str, usize, usize, String, String);

/// Papers to score for an explanation, each without one part.
#[pyfunction]
#[pyo3(signature = (title, r#abstract, options="{}"))]
fn variants(title: &str, r#abstract: &str, options: &str) -> PyResult<Vec<PyVariant>> {
    let options = explain::Options::parse(options)?;
    let variants = explain::variants(title, r#abstract, &options);
    Ok(variants
        .into_iter()
        .map(|explain::Variant { span, title, text }| {
            (span.field.name(), span.start, span.end, title, text)
        })
        .collect())
}

pub(super) fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::input("summary", error))
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyCategory>()?;
    module.add_class::<PyClassifier>()?;
    module.add_class::<PyPrediction>()?;
    module.add_function(wrap_pyfunction!(package, module)?)?;
    module.add_function(wrap_pyfunction!(variants, module)?)?;
    Ok(())
}
