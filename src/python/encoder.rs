//! `Encoder` and the embed stage.

use super::enter;
use crate::error::{Error, Result};
use crate::infer::embed::{embed as embed_papers, embed_texts, open};
use crate::infer::encoder::{BATCH_TOKENS, Encoder, Options};
use crate::model::tensors::{self, Stored};
use crate::tokens::vocabulary;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A sentence encoder.
#[pyclass(name = "Encoder", module = "arxiv_core._core", frozen)]
struct PyEncoder {
    inner: Encoder,
}

#[pymethods]
impl PyEncoder {
    /// Loads a sentence-transformers model directory.
    #[staticmethod]
    #[pyo3(signature = (model_dir, device="auto", dtype="f32", max_length=None))]
    fn load(
        py: Python<'_>,
        model_dir: PathBuf,
        device: &str,
        dtype: &str,
        max_length: Option<usize>,
    ) -> PyResult<Self> {
        let options = Options {
            device: device.to_owned(),
            dtype: dtype.to_owned(),
            max_length,
        };
        enter::check_process()?;
        let inner = py.detach(|| Encoder::load(&model_dir, &options))?;
        enter::claim_process();
        Ok(Self { inner })
    }

    /// Embeddings `[texts, hidden]`, in the order of `texts`; through the cache in `cache_dir`
    /// where one is given.
    #[pyo3(signature = (texts, batch_tokens=BATCH_TOKENS, progress=None, cache_dir=None))]
    fn encode<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<String>,
        batch_tokens: usize,
        progress: Option<Py<PyAny>>,
        cache_dir: Option<PathBuf>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let embeddings = enter::work(py, progress, |observer| match &cache_dir {
            None => self.inner.encode_budgeted(&texts, batch_tokens, observer),
            Some(folder) => {
                let mut cache = open(folder, &self.inner)?;
                let (embeddings, _) = embed_texts(
                    &self.inner,
                    &texts,
                    Some(&mut cache),
                    batch_tokens,
                    observer,
                )?;
                Ok(embeddings)
            }
        })?;
        Ok(embeddings.into_pyarray(py))
    }

    /// Token ids of each text, special tokens included, cut at `max_length`.
    fn token_ids(&self, py: Python<'_>, texts: Vec<String>) -> PyResult<Vec<Vec<u32>>> {
        let tokens = enter::work(py, None, |observer| self.inner.tokenize(&texts, observer))?;
        Ok(tokens.into_iter().map(|tokens| tokens.ids).collect())
    }

    /// Whether each text is longer than the model reads.
    fn truncated<'py>(
        &self,
        py: Python<'py>,
        texts: Vec<String>,
    ) -> PyResult<Bound<'py, PyArray1<bool>>> {
        let truncated = enter::work(py, None, |observer| self.inner.truncated(&texts, observer))?;
        Ok(truncated.into_pyarray(py))
    }

    /// Dimensions of an embedding.
    #[getter]
    fn hidden_size(&self) -> usize {
        self.inner.hidden_size()
    }

    /// Tokens after which a text is cut, special tokens included.
    #[getter]
    fn max_length(&self) -> usize {
        self.inner.max_length()
    }

    /// `cpu` or `cuda:N`.
    #[getter]
    fn device(&self) -> String {
        self.inner.device()
    }

    /// `f32` or `bf16`.
    #[getter]
    fn dtype(&self) -> &'static str {
        self.inner.dtype()
    }

    fn __repr__(&self) -> String {
        let encoder = &self.inner;
        format!(
            "Encoder(hidden_size={}, max_length={}, device={:?}, dtype={:?})",
            encoder.hidden_size(),
            encoder.max_length(),
            encoder.device(),
            encoder.dtype()
        )
    }
}

/// Embeds every row of a papers table through the on-disk cache; returns a JSON summary.
#[pyfunction]
#[pyo3(signature = (papers, model_dir, out, options="{}", progress=None))]
fn embed(
    py: Python<'_>,
    papers: PathBuf,
    model_dir: PathBuf,
    out: PathBuf,
    options: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<String> {
    enter::work(py, progress, |observer| {
        let summary = embed_papers(&papers, &model_dir, &out, options, observer)?;
        to_json(&summary)
    })
}

/// The text of `tokenizer.json` for the `vocab.txt` in `model_dir`, as transformers'
/// `BertTokenizer` builds it.
#[pyfunction]
#[pyo3(signature = (model_dir))]
fn tokenizer_json(py: Python<'_>, model_dir: PathBuf) -> PyResult<String> {
    enter::run(py, None, |_| vocabulary::tokenizer_json(&model_dir))
}

/// Writes contiguous arrays by name as `model.safetensors`.
#[pyfunction]
#[pyo3(signature = (path, weights))]
fn save_weights(
    py: Python<'_>,
    path: PathBuf,
    weights: BTreeMap<String, PyReadonlyArrayDyn<'_, f32>>,
) -> PyResult<()> {
    let mut arrays = Vec::with_capacity(weights.len());
    for (name, array) in &weights {
        let values = array
            .as_slice()
            .map_err(|error| Error::input(format!("weight {name}"), error))?;
        arrays.push((name.clone(), array.shape().to_vec(), values));
    }
    enter::run(py, None, move |_| {
        let stored = |(name, shape, values)| (name, Stored::Values(shape, values));
        let arrays = arrays.into_iter().map(stored).collect();
        // What transformers asks of a file of PyTorch's weights.
        let metadata = BTreeMap::from([("format", "pt".to_owned())]);
        tensors::write(&path, &arrays, &metadata)
    })
}

fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::input("summary", error))
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyEncoder>()?;
    module.add_function(wrap_pyfunction!(embed, module)?)?;
    module.add_function(wrap_pyfunction!(save_weights, module)?)?;
    module.add_function(wrap_pyfunction!(tokenizer_json, module)?)?;
    Ok(())
}
