//! The live engine for asyncio: answers are laid aside by the engine's threads, which never take
//! the GIL; a descriptor becomes readable, and the event loop fetches all that are there.

use super::answer::PyAnswer;
use super::classifier::{PyClassifier, to_json};
use super::enter;
use crate::error::{Error, Result};
use crate::infer::classifier::Classifier;
use crate::infer::engine::{Answer, Done, Engine, Options, Ticket, Work};
use crate::infer::prediction::resolve;
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

    fn take(&self) -> Vec<Told> {
        std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner))
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
        self.outbox
            .take()
            .into_iter()
            .map(|Done { ticket, result }| {
                let told = match result {
                    Ok((answer, timing)) => {
                        let classifier = Arc::clone(self.inner.model());
                        Py::new(py, PyAnswer::new(classifier, answer, timing))?.into_any()
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
    module.add_class::<PyEngine>()?;
    Ok(())
}
