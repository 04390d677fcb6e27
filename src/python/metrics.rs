//! Bindings of the room `metrics`: numpy arrays are read where they lie.

use super::enter;
use crate::error::{Error, Result};
use crate::metrics::tally::{Counts, Tally};
use crate::metrics::{Scored, calibration, compare, precision, reliability, report, thresholds};
use crate::options::parse;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use serde::Serialize;

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(evaluate_scores, module)?)?;
    module.add_function(wrap_pyfunction!(compare_scores, module)?)?;
    module.add_function(wrap_pyfunction!(f1_scores, module)?)?;
    module.add_function(wrap_pyfunction!(average_precision, module)?)?;
    module.add_function(wrap_pyfunction!(reliability_scores, module)?)?;
    module.add_function(wrap_pyfunction!(fit_thresholds, module)?)?;
    module.add_function(wrap_pyfunction!(fit_calibration, module)?)?;
    module.add_function(wrap_pyfunction!(calibrate, module)?)?;
    Ok(())
}

pub(super) fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::input("report", error))
}

/// Scores `[n, L]` beside truth `[n, L]` (bool or uint8), both C-contiguous.
struct Pair<'py> {
    scores: PyReadonlyArray2<'py, f32>,
    truth: PyReadonlyArray2<'py, u8>,
}

impl<'py> Pair<'py> {
    fn new(scores: PyReadonlyArray2<'py, f32>, truth: &Bound<'py, PyAny>) -> PyResult<Self> {
        Ok(Self {
            scores,
            truth: truth_array(truth)?,
        })
    }

    /// The slices and the number of labels; fails where the shapes differ.
    fn slices(&self) -> Result<(&[f32], &[u8], usize)> {
        let (scores, truth) = (self.scores.as_array(), self.truth.as_array());
        if scores.dim() != truth.dim() {
            return Err(Error::shape("truth", scores.dim(), truth.dim()));
        }
        let layout = |name: &str| Error::shape(name, "C-contiguous", "another layout");
        let labels = scores.dim().1;
        let scores = self.scores.as_slice().map_err(|_| layout("scores"))?;
        let truth = self.truth.as_slice().map_err(|_| layout("truth"))?;
        Ok((scores, truth, labels))
    }
}

/// A 0/1 matrix given as uint8 or bool; bool is viewed as uint8, not copied.
pub(super) fn truth_array<'py>(truth: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArray2<'py, u8>> {
    if truth.cast::<PyArray2<bool>>().is_ok() {
        return truth.call_method1("view", ("uint8",))?.extract();
    }
    truth.extract()
}

fn contiguous<'a, T: numpy::Element>(
    name: &str,
    array: &'a PyReadonlyArray1<'_, T>,
) -> Result<&'a [T]> {
    array
        .as_slice()
        .map_err(|_| Error::shape(name, "C-contiguous", "another layout"))
}

/// All figures of probabilities at per-label thresholds, as JSON.
#[pyfunction]
#[pyo3(signature = (probabilities, truth, thresholds, primary=None, options="{}"))]
fn evaluate_scores(
    py: Python<'_>,
    probabilities: PyReadonlyArray2<'_, f32>,
    truth: &Bound<'_, PyAny>,
    thresholds: PyReadonlyArray1<'_, f32>,
    primary: Option<PyReadonlyArray1<'_, i32>>,
    options: &str,
) -> PyResult<String> {
    let options = parse::<report::Options>(options)?;
    let pair = Pair::new(probabilities, truth)?;
    let (scores, truth, labels) = pair.slices()?;
    let thresholds = contiguous("thresholds", &thresholds)?;
    let primary = primary
        .as_ref()
        .map(|array| contiguous("primary", array))
        .transpose()?;
    enter::work(py, None, |observer| {
        let scored = Scored::probabilities(scores, truth, labels)?;
        let report = report::report(&scored, thresholds, primary, &options, observer)?;
        to_json(&report)
    })
}

/// Two models' probabilities of the same papers compared by paired bootstrap, as JSON.
#[pyfunction]
#[pyo3(signature = (probabilities_a, thresholds_a, probabilities_b, thresholds_b, truth, options="{}"))]
fn compare_scores(
    py: Python<'_>,
    probabilities_a: PyReadonlyArray2<'_, f32>,
    thresholds_a: PyReadonlyArray1<'_, f32>,
    probabilities_b: PyReadonlyArray2<'_, f32>,
    thresholds_b: PyReadonlyArray1<'_, f32>,
    truth: &Bound<'_, PyAny>,
    options: &str,
) -> PyResult<String> {
    let options = parse::<compare::Options>(options)?;
    let a = Pair::new(probabilities_a, truth)?;
    let b = Pair::new(probabilities_b, truth)?;
    let (scores_a, truth, labels) = a.slices()?;
    let (scores_b, ..) = b.slices()?;
    let thresholds_a = contiguous("thresholds_a", &thresholds_a)?;
    let thresholds_b = contiguous("thresholds_b", &thresholds_b)?;
    enter::work(py, None, |observer| {
        let a = Scored::probabilities(scores_a, truth, labels)?;
        let b = Scored::probabilities(scores_b, truth, labels)?;
        let comparison =
            compare::compare((&a, thresholds_a), (&b, thresholds_b), &options, observer)?;
        to_json(&comparison)
    })
}

#[derive(Serialize)]
struct F1 {
    /// Mean of precision, recall and F1 over all labels, those without positives too.
    macro_all: [f64; 3],
    labels: Vec<[f64; 3]>,
}

/// Precision, recall and F1 of each label at its threshold, and their mean over all labels, as
/// JSON.
#[pyfunction]
fn f1_scores(
    py: Python<'_>,
    scores: PyReadonlyArray2<'_, f32>,
    truth: &Bound<'_, PyAny>,
    thresholds: PyReadonlyArray1<'_, f32>,
) -> PyResult<String> {
    let pair = Pair::new(scores, truth)?;
    let (scores, truth, labels) = pair.slices()?;
    let thresholds = contiguous("thresholds", &thresholds)?;
    enter::work(py, None, |_| {
        let tally = Tally::new(&Scored::new(scores, truth, labels)?, thresholds, None)?;
        let each: Vec<[f64; 3]> = tally
            .label_counts(|_| 1)
            .into_iter()
            .map(Counts::scores)
            .collect();
        let mean = |at: usize| each.iter().map(|scores| scores[at]).sum::<f64>() / labels as f64;
        to_json(&F1 {
            macro_all: [mean(0), mean(1), mean(2)],
            labels: each,
        })
    })
}

/// Average precision of each label, and of all pairs as one ranking.
#[pyfunction]
fn average_precision<'py>(
    py: Python<'py>,
    scores: PyReadonlyArray2<'py, f32>,
    truth: &Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyArray1<f64>>, f64)> {
    let pair = Pair::new(scores, truth)?;
    let (scores, truth, labels) = pair.slices()?;
    let (each, micro) = enter::work(py, None, |_| {
        let scored = Scored::new(scores, truth, labels)?;
        Ok((
            precision::average_precisions(&scored),
            precision::micro_average_precision(&scored),
        ))
    })?;
    Ok((each.into_pyarray(py), micro))
}

/// Calibration error, Brier score and log loss, pooled and per label, as JSON.
#[pyfunction]
#[pyo3(signature = (probabilities, truth, bins=reliability::BINS))]
fn reliability_scores(
    py: Python<'_>,
    probabilities: PyReadonlyArray2<'_, f32>,
    truth: &Bound<'_, PyAny>,
    bins: usize,
) -> PyResult<String> {
    let pair = Pair::new(probabilities, truth)?;
    let (scores, truth, labels) = pair.slices()?;
    enter::work(py, None, |_| {
        reliability::check_bins(bins)?;
        let scored = Scored::probabilities(scores, truth, labels)?;
        to_json(&reliability::reliability(&scored, bins))
    })
}

/// One threshold per label, and the report as JSON.
#[pyfunction]
#[pyo3(signature = (probabilities, truth, options="{}"))]
fn fit_thresholds<'py>(
    py: Python<'py>,
    probabilities: PyReadonlyArray2<'py, f32>,
    truth: &Bound<'py, PyAny>,
    options: &str,
) -> PyResult<(Bound<'py, PyArray1<f32>>, String)> {
    let options = parse::<thresholds::Options>(options)?;
    let pair = Pair::new(probabilities, truth)?;
    let (scores, truth, labels) = pair.slices()?;
    let (fitted, report) = enter::work(py, None, |observer| {
        let scored = Scored::probabilities(scores, truth, labels)?;
        let (fitted, report) = thresholds::fit(&scored, &options, observer)?;
        Ok((fitted, to_json(&report)?))
    })?;
    Ok((fitted.into_pyarray(py), report))
}

type Fitted<'py> = (Bound<'py, PyArray1<f32>>, Bound<'py, PyArray1<f32>>, String);

/// Scale and bias per label, and the report as JSON.
#[pyfunction]
#[pyo3(signature = (logits, truth, options="{}"))]
fn fit_calibration<'py>(
    py: Python<'py>,
    logits: PyReadonlyArray2<'py, f32>,
    truth: &Bound<'py, PyAny>,
    options: &str,
) -> PyResult<Fitted<'py>> {
    let options = parse::<calibration::Options>(options)?;
    let pair = Pair::new(logits, truth)?;
    let (logits, truth, labels) = pair.slices()?;
    let (fitted, report) = enter::work(py, None, |observer| {
        let scored = Scored::new(logits, truth, labels)?;
        let (fitted, report) = calibration::fit(&scored, &options, observer)?;
        Ok((fitted, to_json(&report)?))
    })?;
    Ok((
        fitted.scale.into_pyarray(py),
        fitted.bias.into_pyarray(py),
        report,
    ))
}

/// `sigmoid(scale · logit + bias)` of every logit.
#[pyfunction]
fn calibrate<'py>(
    py: Python<'py>,
    logits: PyReadonlyArray2<'py, f32>,
    scale: PyReadonlyArray1<'py, f32>,
    bias: PyReadonlyArray1<'py, f32>,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let calibration = calibration::Calibration {
        scale: contiguous("scale", &scale)?.to_vec(),
        bias: contiguous("bias", &bias)?.to_vec(),
    };
    let array = logits.as_array();
    let (papers, labels) = array.dim();
    for (name, values) in [("scale", &calibration.scale), ("bias", &calibration.bias)] {
        if values.len() != labels {
            return Err(Error::shape(name, [labels], [values.len()]).into());
        }
    }
    let mut values: Vec<f32> = array.iter().copied().collect();
    let values = enter::work(py, None, move |_| {
        calibration.apply(&mut values)?;
        Ok(values)
    })?;
    values.into_pyarray(py).reshape([papers, labels])
}
