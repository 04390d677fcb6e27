//! Bindings of the stages `train` and `evaluate`, of fine-tuning, and of what compares two evaluations.

use super::enter;
use super::metrics::to_json;
use crate::corpus::split::Split;
use crate::error::Error;
use crate::infer::comparison;
use crate::infer::evaluate as measure;
use crate::metrics::compare;
use crate::options::parse;
use crate::train::finetune as tuning;
use crate::train::stage;
use pyo3::prelude::*;
use std::path::PathBuf;

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(finetune, module)?)?;
    module.add_function(wrap_pyfunction!(train, module)?)?;
    module.add_function(wrap_pyfunction!(check_train, module)?)?;
    module.add_function(wrap_pyfunction!(evaluate, module)?)?;
    module.add_function(wrap_pyfunction!(compare_files, module)?)?;
    Ok(())
}

/// Tunes an encoder to the papers' categories and writes its directory; returns a JSON summary.
#[pyfunction]
#[pyo3(signature = (papers, encoder_dir, out_dir, options="{}", progress=None))]
fn finetune(
    py: Python<'_>,
    papers: PathBuf,
    encoder_dir: PathBuf,
    out_dir: PathBuf,
    options: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    enter::work(py, progress, |observer| {
        let options: tuning::Options = parse(options)?;
        to_json(&tuning::finetune(
            &papers,
            &encoder_dir,
            &out_dir,
            &options,
            observer,
        )?)
    })
}

/// Fails where `train` would refuse the options.
#[pyfunction]
fn check_train(options: &str) -> PyResult<()> {
    let options: stage::Options = parse(options)?;
    Ok(stage::check(&options)?)
}

/// Fits head, calibration and thresholds and writes a model directory; returns a JSON summary.
#[pyfunction]
#[pyo3(signature = (papers, embeddings, out_dir, options="{}", progress=None))]
fn train(
    py: Python<'_>,
    papers: PathBuf,
    embeddings: PathBuf,
    out_dir: PathBuf,
    options: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    enter::work(py, progress, |observer| {
        let options: stage::Options = parse(options)?;
        to_json(&stage::train(
            &papers,
            &embeddings,
            &out_dir,
            &options,
            observer,
        )?)
    })
}

/// Scores a model on one split of a papers table; returns the figures as JSON.
#[pyfunction]
#[pyo3(signature = (papers, embeddings, model_dir, split="test", options="{}", progress=None))]
fn evaluate(
    py: Python<'_>,
    papers: PathBuf,
    embeddings: Option<PathBuf>,
    model_dir: PathBuf,
    split: &str,
    options: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    enter::work(py, progress, |observer| {
        let split = Split::from_name(split)
            .ok_or_else(|| Error::option("split", split, "must be train, validation or test"))?;
        let options: measure::Options = parse(options)?;
        let embeddings = embeddings.as_deref();
        to_json(&measure::evaluate(
            &papers, embeddings, &model_dir, split, &options, observer,
        )?)
    })
}

/// Compares two evaluated models by the files of scores that `evaluate` wrote; returns JSON.
#[pyfunction]
#[pyo3(signature = (scores_a, scores_b, options="{}", progress=None))]
fn compare_files(
    py: Python<'_>,
    scores_a: PathBuf,
    scores_b: PathBuf,
    options: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    enter::work(py, progress, |observer| {
        let options: compare::Options = parse(options)?;
        to_json(&comparison::compare_files(
            &scores_a, &scores_b, &options, observer,
        )?)
    })
}
