//! The live engine: single requests from many callers → batches → single answers.
//!
//! A request enters a bounded queue, is tokenized ahead of the encoder on threads of its own, and
//! runs in a batch that the [`policy`] chooses. Its answer goes to the sink, which is called from
//! the engine's threads and must return at once. What has become of a request is told exactly
//! once; of one that was cancelled, nothing is.

mod classifier;
pub mod policy;
mod queue;
mod run;
pub mod telemetry;

#[cfg(test)]
mod tests;

use self::policy::Policy;
use self::queue::{Entry, Queue};
use self::run::ENCODE;
use self::telemetry::{Counters, Telemetry};
use crate::error::{Error, Result};
use crate::observe;
use crate::options::parse;
use crate::tokens::batches::Layout;
use serde::Deserialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use self::classifier::{Answer, Work};

/// What the engine runs. Called from its threads: `prepare` from several at once, `run` from one at a
/// time, which is another after it failed.
pub trait Model: Send + Sync + 'static {
    /// What a request brings.
    type Work: Send;
    /// What waits for the encoder.
    type Ready: Send + Sync;
    /// What a request gets.
    type Answer: Send;

    /// Tokenizes a request.
    ///
    /// # Errors
    /// What is wrong with this request.
    fn prepare(&self, work: Self::Work) -> Result<Self::Ready>;

    /// Tokens of a request.
    fn length(&self, ready: &Self::Ready) -> usize;

    /// Answers to a batch, in its order.
    ///
    /// # Errors
    /// What is wrong with the batch; its requests are then run one by one.
    fn run(&self, batch: &[Self::Ready]) -> Result<Vec<Self::Answer>>;

    /// Tokens that a batch should hold at most, and what rows cost in it.
    fn batch(&self) -> (usize, Layout);
}

/// A request's number: later requests have higher ones.
pub type Ticket = u64;

/// How long the parts of a request took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Timing {
    /// Until a thread took it to tokenize, in seconds.
    pub queue: f64,
    /// Tokenization, in seconds.
    pub tokenize: f64,
    /// Until the encoder took it, in seconds.
    pub wait: f64,
    /// The batch it ran in, in seconds.
    pub run: f64,
    /// Requests in that batch.
    pub batch: usize,
}

/// What has become of a request.
#[derive(Debug)]
pub struct Done<A> {
    /// Which.
    pub ticket: Ticket,
    /// Its answer; [`Error::Deadline`], [`Error::Engine`], or what [`Model`] returned.
    pub result: Result<(A, Timing)>,
}

/// Takes what has become of requests.
pub type Sink<A> = Box<dyn Fn(Vec<Done<A>>) + Send + Sync>;

/// How the engine treats requests; crosses from Python as JSON.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Requests under way at most; one more is refused.
    pub capacity: usize,
    /// Seconds that a request waits at most for others, the encoder being free.
    pub max_wait: f64,
    /// Tokens a batch holds at most; none: what suits the device.
    pub batch_tokens: Option<usize>,
    /// Threads that tokenize.
    pub tokenizer_threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            capacity: 512,
            max_wait: 0.002,
            batch_tokens: None,
            tokenizer_threads: 1,
        }
    }
}

impl Options {
    /// Reads and checks `options`, a JSON object.
    ///
    /// # Errors
    /// [`Error::Option`] naming the key.
    pub fn parse(options: &str) -> Result<Self> {
        let options: Self = parse(options)?;
        let positive = |name: &str, value: usize| match value {
            0 => Err(Error::option(name, 0, "must be at least 1")),
            _ => Ok(()),
        };
        positive("capacity", options.capacity)?;
        positive("tokenizer_threads", options.tokenizer_threads)?;
        positive("batch_tokens", options.batch_tokens.unwrap_or(1))?;
        match options.max_wait {
            0.0..=60.0 => Ok(options),
            other => Err(Error::option(
                "max_wait",
                other,
                "must be from 0 to 60 seconds",
            )),
        }
    }
}

/// What the engine's threads share.
struct Shared<M: Model> {
    model: M,
    policy: Policy,
    queue: Queue<M>,
    sink: Sink<M::Answer>,
    telemetry: Telemetry,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl<M: Model> Shared<M> {
    fn spawn(self: &Arc<Self>, name: String, work: fn(&Arc<Self>)) -> Result<()> {
        let shared = Arc::clone(self);
        let run = move || {
            let watched = observe::watched(|| {
                work(&shared);
                Ok(())
            });
            if let Err(error) = watched {
                log::error!("a thread of the engine did not start: {error}");
            }
        };
        let thread = std::thread::Builder::new().name(name).spawn(run);
        let reason = |error| Error::Engine(format!("cannot start a thread: {error}"));
        let thread = thread.map_err(reason)?;
        let mut threads = self.threads();
        threads.retain(|one| !one.is_finished());
        threads.push(thread);
        Ok(())
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // By itself: whoever joins a thread must not hold what that thread may want.
    fn next_thread(&self) -> Option<JoinHandle<()>> {
        self.threads().pop()
    }
}

/// A model that answers single requests in batches. Dropped, it stops.
pub struct Engine<M: Model> {
    shared: Arc<Shared<M>>,
    /// The process that has its threads.
    process: u32,
}

impl<M: Model> Engine<M> {
    /// Starts the engine's threads.
    ///
    /// # Errors
    /// [`Error::Engine`] where threads cannot be had.
    pub fn start(model: M, options: &Options, sink: Sink<M::Answer>) -> Result<Self> {
        let (budget, layout) = model.batch();
        let shared = Arc::new(Shared {
            policy: Policy {
                budget: options.batch_tokens.unwrap_or(budget),
                max_wait: Duration::from_secs_f64(options.max_wait),
                layout,
            },
            queue: Queue::new(options.capacity),
            model,
            sink,
            telemetry: Telemetry::default(),
            threads: Mutex::default(),
        });
        let engine = Self {
            shared,
            process: std::process::id(),
        };
        for number in 0..options.tokenizer_threads {
            let name = format!("tokenize-{number}");
            engine.shared.spawn(name, Shared::tokenize)?;
        }
        engine.shared.spawn(ENCODE.to_owned(), Shared::encode)?;
        Ok(engine)
    }

    /// Accepts a request; it must be answered `within` this time from now, where that is said.
    ///
    /// # Errors
    /// [`Error::Overloaded`] at once where as many requests are under way as may be;
    /// [`Error::Stopping`] once the engine drains.
    pub fn submit(&self, work: M::Work, within: Option<Duration>) -> Result<Ticket> {
        let now = Instant::now();
        let entry = Entry {
            accepted: now,
            deadline: within.and_then(|within| now.checked_add(within)),
            stage: work,
        };
        let accepted = self.shared.queue.push(entry);
        if matches!(accepted, Err(Error::Overloaded { .. })) {
            self.shared.telemetry.refused();
        }
        accepted
    }

    /// Forgets a request: what is left to do of it is not done, and nothing is told of it. False
    /// where it is no longer under way.
    pub fn cancel(&self, ticket: Ticket) -> bool {
        let cancelled = self.shared.queue.forget(ticket);
        if cancelled {
            self.shared.telemetry.cancelled();
        }
        cancelled
    }

    /// As [`Engine::cancel`], of a request whose deadline has passed.
    pub fn expire(&self, ticket: Ticket) -> bool {
        let late = self.shared.queue.forget(ticket);
        if late {
            self.shared.telemetry.late();
        }
        late
    }

    /// Accepts no more requests and waits for those under way. False where some are left after
    /// `limit`.
    pub fn drain(&self, limit: Duration) -> bool {
        self.shared.queue.drain(limit)
    }

    /// Ends the engine's threads, when they have ended what they are at: a batch that runs is told of,
    /// and of other requests nothing more. In a forked process, which has none of these threads, it
    /// does nothing.
    pub fn stop(&self) {
        if self.process != std::process::id() {
            return;
        }
        self.shared.queue.stop();
        // A thread may start its successor until it has ended.
        while let Some(thread) = self.shared.next_thread() {
            // A sink may drop the engine, on a thread that cannot wait for its own end.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }

    /// Requests under way.
    pub fn depth(&self) -> usize {
        self.shared.queue.depth()
    }

    /// What has happened so far.
    pub fn counters(&self) -> Counters {
        self.shared.telemetry.counters()
    }

    /// What it runs.
    pub fn model(&self) -> &M {
        &self.shared.model
    }
}

impl<M: Model> Drop for Engine<M> {
    fn drop(&mut self) {
        self.stop();
    }
}
