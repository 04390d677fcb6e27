//! How a long stage tells its caller where it is, and learns that it should stop; and how a
//! profiler learns of the threads that work for it.

use crate::error::{Error, Result};
use rayon::{ThreadBuilder, ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use std::sync::OnceLock;

/// A point in a stage's progress.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// What is being done: `read`, `embed`, `fit`, …
    pub stage: &'static str,
    /// Units done so far.
    pub done: u64,
    /// Units in all, 0 where unknown.
    pub total: u64,
    /// The unit: `bytes`, `papers`, `epochs`.
    pub unit: &'static str,
    /// Live figures by name (loss, rate); empty where there are none.
    pub figures: Vec<(&'static str, f64)>,
}

/// Receives progress and answers whether to go on. Called from any thread.
pub trait Observer: Send + Sync {
    /// Takes one point of progress; must return quickly.
    fn progress(&self, progress: &Progress);
    /// True once the caller wants the stage to stop.
    fn cancelled(&self) -> bool;
}

impl dyn Observer + '_ {
    /// [`Error::Interrupted`] once the caller wants the stage to stop.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    pub fn check(&self) -> Result<()> {
        if self.cancelled() {
            Err(Error::Interrupted)
        } else {
            Ok(())
        }
    }

    /// Reports `done` of `total` units without figures.
    pub fn report(&self, stage: &'static str, done: u64, total: u64, unit: &'static str) {
        self.progress(&Progress {
            stage,
            done,
            total,
            unit,
            figures: Vec::new(),
        });
    }
}

/// An observer that hears nothing and never stops a stage.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn progress(&self, _: &Progress) {}
    fn cancelled(&self) -> bool {
        false
    }
}

/// Calls the work it is given, once, on the thread that is to do it.
pub type Around = fn(&mut (dyn FnMut() + Send));

static AROUND: OnceLock<Around> = OnceLock::new();

/// Has the work of every thread that starts from now on called by `around`, so that a profiler
/// which sees only threads of its own kind sees these too. False where this was done before.
pub fn watch_threads(around: Around) -> bool {
    AROUND.set(around).is_ok()
}

/// Does the work of a new thread, seen by who watches.
///
/// # Errors
/// What the work returns; [`Error::Interrupted`] where who watches did not let it be done.
pub fn watched<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let Some(around) = AROUND.get() else {
        return work();
    };
    let (mut work, mut done) = (Some(work), None);
    around(&mut || {
        if let Some(work) = work.take() {
            done = Some(work());
        }
    });
    done.unwrap_or(Err(Error::Interrupted))
}

/// A pool of `threads` watched threads, 0 for as many as there are processors.
///
/// # Errors
/// Threads cannot be had.
pub fn pool(
    threads: usize,
    name: impl FnMut(usize) -> String + 'static,
) -> std::result::Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(name)
        .spawn_handler(spawn)
        .build()
}

/// Starts rayon's common pool with watched threads.
///
/// # Errors
/// The pool has been started already, or threads cannot be had.
pub fn start_common_pool() -> std::result::Result<(), ThreadPoolBuildError> {
    ThreadPoolBuilder::new().spawn_handler(spawn).build_global()
}

fn spawn(thread: ThreadBuilder) -> std::io::Result<()> {
    let mut plain = std::thread::Builder::new();
    if let Some(name) = thread.name() {
        plain = plain.name(name.to_owned());
    }
    if let Some(size) = thread.stack_size() {
        plain = plain.stack_size(size);
    }
    let run = || {
        thread.run();
        Ok(())
    };
    plain.spawn(|| watched(run)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::{pool, watch_threads, watched};
    use std::sync::atomic::{AtomicUsize, Ordering};

    static SEEN: AtomicUsize = AtomicUsize::new(0);

    fn count(work: &mut (dyn FnMut() + Send)) {
        SEEN.fetch_add(1, Ordering::SeqCst);
        work();
    }

    #[test]
    fn every_thread_of_a_pool_is_watched_and_its_work_done_once() {
        assert_eq!(watched(|| Ok(2)).unwrap(), 2);
        assert!(watch_threads(count));
        assert!(!watch_threads(count));
        let before = SEEN.load(Ordering::SeqCst);
        let pool = pool(3, |number| format!("seen-{number}")).unwrap();
        assert_eq!(pool.broadcast(|at| at.index()), [0, 1, 2]);
        assert!(SEEN.load(Ordering::SeqCst) >= before + 3);
        assert_eq!(watched(|| Ok(5)).unwrap(), 5);
    }
}
