//! Shows the threads of Rust to a profiler that knows only Python's.

use crate::observe;
use pyo3::prelude::*;

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(show_threads, module)?)
}

/// Makes every thread that Rust starts from now on one of Python's threads too: it has a thread
/// state, by which py-spy finds its native stack, and does not hold the GIL. False where rayon's
/// common threads had been started before, which then stay unseen.
#[pyfunction]
fn show_threads(py: Python<'_>) -> bool {
    observe::watch_threads(as_pythons);
    // Each of the new threads waits for the GIL.
    py.detach(|| observe::start_common_pool().is_ok())
}

fn as_pythons(work: &mut (dyn FnMut() + Send)) {
    Python::attach(|py| py.detach(work));
}
