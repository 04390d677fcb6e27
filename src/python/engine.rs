//! The live engine for asyncio: answers are laid aside by the engine's threads, which never take
//! the GIL; a descriptor becomes readable, and the event loop fetches all that are there.

use super::classifier::{PyClassifier, PyPrediction, to_json};
use super::enter;
use crate::error::{Error, Result};
use crate::infer::classifier::Classifier;
use crate::infer::decision::{Limits, decide};
use crate::infer::engine::{Answer, Done, Engine, Options, Ticket, Timing, Work};
use crate::infer::explain;
use crate::infer::options::Ranking;
use crate::infer::prediction::resolve;
use numpy::PyArray1;
use pyo3::prelude::*;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

type Told = Done<Answer>;

/// Answers that nobody has fetched yet, and the end of a pipe that says so.
struct Outbox {
    done: Mutex<Vec<Told>>,
    bell: UnixStream,
}

impl Outbox {
    fn put(&self, mut done: Vec<Told>) {
        let mut waiting = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = waiting.is_empty();
        waiting.append(&mut done);
        drop(waiting);
        if silent && let Err(error) = (&self.bell).write(&[0]) {
            log::error!("the event loop cannot be told of answers: {error}");
        }
    }
}

/// What a request got.
#[pyclass(name = "Answer", module = "arxiv_core._core", frozen)]
struct PyAnswer {
    classifier: Arc<Classifier>,
    answer: Answer,
    timing: Timing,
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

/// Single requests from many callers, answered in batches.
#[pyclass(name = "Engine", module = "arxiv_core._core", frozen)]
struct PyEngine {
    inner: Engine<Arc<Classifier>>,
    outbox: Arc<Outbox>,
    heard: UnixStream,
}

#[pymethods]
impl PyEngine {
    /// Starts an engine around a loaded classifier.
    #[new]
    #[pyo3(signature = (classifier, options="{}"))]
    fn new(classifier: &PyClassifier, options: &str) -> PyResult<Self> {
        enter::check_process()?;
        let options = Options::parse(options)?;
        let (heard, bell) = pipe()?;
        let outbox = Arc::new(Outbox {
            done: Mutex::default(),
            bell,
        });
        let sink = Arc::clone(&outbox);
        let inner = Engine::start(
            Arc::clone(&classifier.inner),
            &options,
            Box::new(move |done| sink.put(done)),
        )?;
        enter::claim_process();
        Ok(Self {
            inner,
            outbox,
            heard,
        })
    }

    /// A descriptor that is readable when there are answers to collect.
    fn fileno(&self) -> i32 {
        self.heard.as_raw_fd()
    }

    /// Accepts a paper, whose declared primary category must exist; returns the request's number.
    #[pyo3(signature = (title, text, declared=None, timeout=None))]
    fn classify(
        &self,
        title: String,
        text: String,
        declared: Option<&str>,
        timeout: Option<f64>,
    ) -> PyResult<Ticket> {
        // What the caller got wrong is said before the encoder's work.
        declared.map(resolve).transpose()?;
        self.submit(Work::Paper { title, text }, timeout)
    }

    /// Accepts a text to embed as it is; returns the request's number.
    #[pyo3(signature = (text, timeout=None))]
    fn embed(&self, text: String, timeout: Option<f64>) -> PyResult<Ticket> {
        self.submit(Work::Text(text), timeout)
    }

    /// Forgets a request; false where it is no longer under way.
    fn cancel(&self, ticket: Ticket) -> bool {
        self.inner.cancel(ticket)
    }

    /// Forgets a request whose deadline has passed; false where it is no longer under way.
    fn expire(&self, ticket: Ticket) -> bool {
        self.inner.expire(ticket)
    }

    /// What has become of requests since the last call: their numbers with an `Answer` or an
    /// exception.
    fn collect(&self, py: Python<'_>) -> PyResult<Vec<(Ticket, Py<PyAny>)>> {
        self.listen()?;
        let mut done = self
            .outbox
            .done
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let done = std::mem::take(&mut *done);
        done.into_iter()
            .map(|Done { ticket, result }| {
                let told = match result {
                    Ok((answer, timing)) => {
                        let classifier = Arc::clone(self.inner.model());
                        let answer = PyAnswer {
                            classifier,
                            answer,
                            timing,
                        };
                        Py::new(py, answer)?.into_any()
                    }
                    Err(error) => PyErr::from(error).into_value(py).into_any(),
                };
                Ok((ticket, told))
            })
            .collect()
    }

    /// Accepts no more requests and waits for those under way; false where some are left after
    /// `timeout` seconds.
    fn drain(&self, py: Python<'_>, timeout: f64) -> PyResult<bool> {
        let limit = seconds("timeout", timeout)?;
        Ok(py.detach(|| self.inner.drain(limit)))
    }

    /// Requests under way.
    #[getter]
    fn depth(&self) -> usize {
        self.inner.depth()
    }

    /// What has happened so far: a JSON object of counts and histograms.
    fn counters(&self) -> PyResult<String> {
        Ok(to_json(&self.inner.counters())?)
    }
}

impl Drop for PyEngine {
    fn drop(&mut self) {
        // The engine's threads may want the GIL, to log, before they end.
        Python::attach(|py| py.detach(|| self.inner.stop()));
    }
}

impl PyEngine {
    fn submit(&self, work: Work, timeout: Option<f64>) -> PyResult<Ticket> {
        enter::check_process()?;
        let within = timeout.map(|timeout| seconds("timeout", timeout));
        Ok(self.inner.submit(work, within.transpose()?)?)
    }

    /// Takes the bell's bytes, so that it rings again.
    fn listen(&self) -> Result<()> {
        let mut bytes = [0; 64];
        loop {
            match (&self.heard).read(&mut bytes) {
                Ok(64) => {}
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::io("the engine's pipe", error)),
            }
        }
    }
}

fn pipe() -> Result<(UnixStream, UnixStream)> {
    let io = |error| Error::io("the engine's pipe", error);
    let (heard, bell) = UnixStream::pair().map_err(io)?;
    heard.set_nonblocking(true).map_err(io)?;
    bell.set_nonblocking(true).map_err(io)?;
    Ok((heard, bell))
}

fn seconds(name: &str, value: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(value).map_err(|error| Error::option(name, value, error))
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyAnswer>()?;
    module.add_class::<PyEngine>()?;
    Ok(())
}
