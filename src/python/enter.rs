//! The one door out of the GIL: runs a stage on its own thread while this one forwards
//! progress to Python and hears Ctrl-C.

use crate::error::{Error, Result};
use crate::observe::{self, Observer, Progress};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

/// How often signals are looked at; Ctrl-C must stop a stage within a second.
const POLL: Duration = Duration::from_millis(50);

#[derive(Default)]
struct Watch {
    stop: AtomicBool,
    // Only the newest point matters: a slow callback must not pile them up.
    latest: Mutex<Option<Progress>>,
}

impl Observer for Watch {
    fn progress(&self, progress: &Progress) {
        if let Ok(mut latest) = self.latest.lock() {
            *latest = Some(progress.clone());
        }
    }
    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn forward(py: Python<'_>, callback: &Py<PyAny>, progress: &Progress) -> PyResult<()> {
    let event = PyDict::new(py);
    event.set_item("stage", progress.stage)?;
    event.set_item("done", progress.done)?;
    event.set_item("total", progress.total)?;
    event.set_item("unit", progress.unit)?;
    for (name, value) in &progress.figures {
        event.set_item(*name, *value)?;
    }
    callback.call1(py, (event,))?;
    Ok(())
}

/// The process in which rayon's and libtorch's threads are, once they are: threads do not survive
/// a fork, and without them work would wait for ever.
static PROCESS: OnceLock<u32> = OnceLock::new();

/// Fails in a process that was forked after threads had been started.
pub(super) fn check_process() -> Result<()> {
    match PROCESS.get() {
        Some(process) if *process != std::process::id() => Err(Error::Forked),
        _ => Ok(()),
    }
}

/// Says that this process has started threads.
pub(super) fn claim_process() {
    PROCESS.get_or_init(std::process::id);
}

/// [`run`] for what starts such threads.
pub(super) fn work<T: Send>(
    py: Python<'_>,
    callback: Option<Py<PyAny>>,
    job: impl FnOnce(&dyn Observer) -> Result<T> + Send,
) -> PyResult<T> {
    check_process()?;
    run(py, callback, |observer| {
        claim_process();
        job(observer)
    })
}

/// Runs `job` with the GIL released. Progress goes to `callback` as a dict; Ctrl-C, or an
/// exception from the callback, cancels the job, waits for it and is then raised. The job starts no
/// threads that outlive it.
pub(super) fn run<T: Send>(
    py: Python<'_>,
    callback: Option<Py<PyAny>>,
    job: impl FnOnce(&dyn Observer) -> Result<T> + Send,
) -> PyResult<T> {
    let watch = Watch::default();
    std::thread::scope(|scope| {
        let (sender, mut receiver) = mpsc::channel();
        let observer = &watch;
        scope.spawn(move || {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                observe::watched(|| job(observer))
            }));
            let _ = sender.send(result);
        });
        let mut raised: Option<PyErr> = None;
        let result = loop {
            let received;
            (received, receiver) = py.detach(move || (receiver.recv_timeout(POLL), receiver));
            let newest = watch
                .latest
                .lock()
                .ok()
                .and_then(|mut latest| latest.take());
            if raised.is_none() {
                let heard = py
                    .check_signals()
                    .and_then(|()| match (&callback, &newest) {
                        (Some(callback), Some(progress)) => forward(py, callback, progress),
                        _ => Ok(()),
                    });
                if let Err(error) = heard {
                    watch.stop.store(true, Ordering::Relaxed);
                    raised = Some(error);
                }
            }
            match received {
                Ok(result) => break result,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    break Ok(Err(Error::Torch(
                        "the stage's thread ended without a result".into(),
                    )));
                }
            }
        };
        if let Some(error) = raised {
            return Err(error);
        }
        match result {
            Ok(result) => result.map_err(PyErr::from),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
