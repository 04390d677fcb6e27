//! Binding of `train::logistic`.

use super::enter;
use super::metrics::{to_json, truth_array};
use crate::error::Error;
use crate::options::parse;
use crate::train::logistic;
use crate::train::mlp::Examples;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2};
use pyo3::prelude::*;

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(fit_logistic, module)?)?;
    Ok(())
}

type Fitted<'py> = (Bound<'py, PyArray2<f32>>, Bound<'py, PyArray1<f32>>, String);

/// Weights, biases and the report as JSON.
#[pyfunction]
#[pyo3(signature = (embeddings, labels, options="{}", progress=None))]
fn fit_logistic<'py>(
    py: Python<'py>,
    embeddings: PyReadonlyArray2<'py, f32>,
    labels: &Bound<'py, PyAny>,
    options: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Fitted<'py>> {
    let options = parse::<logistic::Options>(options)?;
    let truth = truth_array(labels)?;
    let (embeddings, truth) = (embeddings.as_array(), truth.as_array());
    let (width, hidden) = (truth.ncols(), embeddings.ncols());
    if truth.nrows() != embeddings.nrows() {
        return Err(Error::shape("labels", [embeddings.nrows()], [truth.nrows()]).into());
    }
    let (weight, bias, report) = enter::work(py, progress, move |observer| {
        let labels: Vec<Vec<u32>> = truth
            .rows()
            .into_iter()
            .map(|row| {
                row.iter()
                    .zip(0..)
                    .filter(|(has, _)| **has != 0)
                    .map(|(_, at)| at)
                    .collect()
            })
            .collect();
        let examples = Examples {
            embeddings,
            labels: &labels,
            width,
        };
        let (linear, report) = logistic::fit(examples, &options, observer)?;
        let weight = Vec::<f32>::try_from(&linear.weight.f_reshape([-1])?)?;
        Ok((
            weight,
            Vec::<f32>::try_from(&linear.bias)?,
            to_json(&report)?,
        ))
    })?;
    Ok((
        weight.into_pyarray(py).reshape([width, hidden])?,
        bias.into_pyarray(py),
        report,
    ))
}
