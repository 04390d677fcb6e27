//! What a request of the live engine got, and what it means.

use super::classifier::{PyPrediction, to_json};
use crate::error::Error;
use crate::infer::classifier::Classifier;
use crate::infer::decision::{Limits, decide};
use crate::infer::engine::{Answer, Timing};
use crate::infer::explain;
use crate::infer::options::Ranking;
use numpy::PyArray1;
use pyo3::prelude::*;
use std::sync::Arc;

/// What a request got.
#[pyclass(name = "Answer", module = "arxiv_core._core", frozen)]
pub(super) struct PyAnswer {
    classifier: Arc<Classifier>,
    answer: Answer,
    timing: Timing,
}

impl PyAnswer {
    pub(super) fn new(classifier: Arc<Classifier>, answer: Answer, timing: Timing) -> Self {
        Self {
            classifier,
            answer,
            timing,
        }
    }
}

#[pymethods]
impl PyAnswer {
    /// A paper's calibrated probabilities [labels], or a text's embedding [hidden].
    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f32>> {
        PyArray1::from_slice(py, &self.answer.values)
    }

    /// Whether the text was longer than the model reads.
    #[getter]
    fn truncated(&self) -> bool {
        self.answer.truncated
    }

    /// Tokens that the model read.
    #[getter]
    fn tokens(&self) -> usize {
        self.answer.tokens
    }

    /// Seconds of the request's parts, and the requests in its batch.
    #[getter]
    fn timing(&self) -> (f64, f64, f64, f64, usize) {
        let Timing {
            queue,
            tokenize,
            wait,
            run,
            batch,
        } = self.timing;
        (queue, tokenize, wait, run, batch)
    }

    /// SHA-256 of the manifest of the model that answered.
    #[getter]
    fn model(&self) -> &str {
        self.classifier.sha256()
    }

    /// Canonical names of the categories that the model's thresholds assign to the paper.
    fn assigned(&self) -> Vec<&'static str> {
        let ranker = self.classifier.ranker();
        ranker.assigned(&self.answer.values).collect()
    }

    /// What a paper's probabilities say, as `options` ask for.
    #[pyo3(signature = (options="{}", declared=None))]
    fn rank(
        &self,
        py: Python<'_>,
        options: &str,
        declared: Option<&str>,
    ) -> PyResult<PyPrediction> {
        let options = Ranking::parse(options)?;
        let Answer {
            values, truncated, ..
        } = &self.answer;
        let ranker = self.classifier.ranker();
        let prediction = ranker.rank(values, *truncated, declared, &options)?;
        PyPrediction::new(py, prediction)
    }

    /// What a moderator may do with a paper, within `limits`: a JSON object.
    #[pyo3(signature = (declared=None, limits="{}"))]
    fn decide(&self, declared: Option<&str>, limits: &str) -> PyResult<String> {
        let limits = Limits::parse(limits)?;
        let Answer {
            values, truncated, ..
        } = &self.answer;
        let options = Ranking {
            all: true,
            ..Ranking::default()
        };
        let ranker = self.classifier.ranker();
        let all = ranker.rank(values, *truncated, None, &options)?;
        Ok(to_json(&decide(&all, declared, &limits)?)?)
    }

    /// What each part of a paper contributes to its categories, by the answers to the paper without
    /// it, in the order of `variants`: a JSON list.
    #[pyo3(signature = (without, options="{}"))]
    fn explain(&self, without: Vec<Py<PyAnswer>>, options: &str) -> PyResult<String> {
        let options = explain::Options::parse(options)?;
        let mut rows = Vec::with_capacity(without.len());
        for answer in &without {
            let other = answer.get();
            if self.classifier.sha256() != other.classifier.sha256() {
                let reason = "the answers of an explanation are of different models";
                return Err(Error::Engine(reason.to_owned()).into());
            }
            rows.push(other.answer.values.as_slice());
        }
        let ranker = self.classifier.ranker();
        let explained = explain::contributions(ranker, &self.answer.values, &rows, &options)?;
        Ok(to_json(&explained)?)
    }
}

/// Checks the options of `Answer.rank`, so that what is wrong is said before the encoder's work.
#[pyfunction]
fn check_ranking(options: &str) -> PyResult<()> {
    Ranking::parse(options)?;
    Ok(())
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyAnswer>()?;
    module.add_function(wrap_pyfunction!(check_ranking, module)?)
}
