//! What the engine's threads do. A failure of the model, a panic too, is contained here: the
//! request that caused it gets it as an error, and others are run on a thread that has seen none.

use super::queue::{Batch, Entry, Tokenized};
use super::{Done, Model, Shared, Ticket, Timing};
use crate::error::{Error, Result};
use crate::observe;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Name of a thread that encodes.
pub(super) const ENCODE: &str = "encode";

type Ready<M> = Entry<Tokenized<<M as Model>::Ready>>;

impl<M: Model> Shared<M> {
    /// Tokenizes requests until the engine stops.
    pub(super) fn tokenize(self: &Arc<Self>) {
        while let Some((ticket, entry)) = self.queue.take() {
            let taken = Instant::now();
            if entry.late(taken) {
                self.queue.tokenized(ticket, None);
                let waited = taken.saturating_duration_since(entry.accepted);
                self.tell(vec![late(ticket, waited)]);
                continue;
            }
            let (accepted, due) = (entry.accepted, entry.deadline);
            let ready = contained(|| {
                let ready = self.model.prepare(entry.stage)?;
                let length = self.model.length(&ready);
                Ok((ready, length))
            });
            match ready {
                Ok((ready, length)) => {
                    let stage = Tokenized {
                        ready,
                        length,
                        taken,
                        done: Instant::now(),
                    };
                    let entry = Entry {
                        accepted,
                        deadline: due,
                        stage,
                    };
                    self.queue.tokenized(ticket, Some(entry));
                }
                Err(error) => {
                    self.queue.tokenized(ticket, None);
                    let result = Err(error);
                    self.tell(vec![Done { ticket, result }]);
                }
            }
        }
    }

    /// Runs batches until the engine stops, on another thread after each failure of the model: a
    /// library may keep it with the thread that met it. oneDNN's generator of code does: once without
    /// memory, it makes code for no other shape there (`Xbyak::GetError` in `create_kernel`,
    /// <https://github.com/uxlfoundation/oneDNN/blob/main/src/cpu/x64/jit_generator.hpp>).
    pub(super) fn encode(self: &Arc<Self>) {
        let mut failed = false;
        while let Some(Batch { run, late }) = self.queue.batch(&self.policy) {
            let told = late
                .into_iter()
                .map(|(ticket, waited)| self::late(ticket, waited));
            self.tell(told.collect());
            if !run.is_empty() {
                failed |= self.batch(run, failed);
            }
            // Without memory there is no thread either: then it is tried again after the next batch.
            if failed && self.spawn(ENCODE.to_owned(), Self::encode).is_ok() {
                log::warn!("the engine's model failed; it goes on on another thread");
                return;
            }
        }
    }

    /// Runs a batch, on a thread of its own if `apart`; true where the model failed.
    fn batch(&self, batch: Vec<(Ticket, Ready<M>)>, apart: bool) -> bool {
        let began = Instant::now();
        let (mut about, mut ready) = (Vec::new(), Vec::new());
        for (ticket, entry) in batch {
            let Tokenized {
                taken,
                done,
                length,
                ..
            } = entry.stage;
            let timing = Timing {
                queue: seconds(entry.accepted, taken),
                tokenize: seconds(taken, done),
                wait: seconds(done, began),
                ..Timing::default()
            };
            about.push((ticket, timing, length));
            ready.push(entry.stage.ready);
        }
        let ran = if apart {
            self.run_apart(&ready)
        } else {
            self.run(&ready)
        };
        let failed = ran.is_err();
        let answers = match ran {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            // One request must not cost the others their answers.
            Err(error) if ready.len() == 1 => vec![Err(error)],
            Err(_) => {
                let alone = |(at, (ticket, ..)): (usize, &(Ticket, Timing, usize))| {
                    if !self.queue.is_under_way(*ticket) {
                        return Err(Error::Stopping);
                    }
                    let mut answers = self.run_apart(&ready[at..=at])?;
                    answers.pop().ok_or_else(|| miscounted(1, 0))
                };
                about.iter().enumerate().map(alone).collect::<Vec<_>>()
            }
        };
        let run = began.elapsed().as_secs_f64();
        let tokens = about.iter().map(|(_, _, length)| length).sum();
        self.telemetry.batch(about.len(), tokens, run);
        let batch = about.len();
        let told = about.into_iter().zip(answers);
        let told = told.map(|((ticket, timing, _), answer)| {
            let timing = Timing {
                run,
                batch,
                ..timing
            };
            let result = answer.map(|answer| (answer, timing));
            Done { ticket, result }
        });
        self.tell(told.collect());
        failed
    }

    fn run(&self, ready: &[M::Ready]) -> Result<Vec<M::Answer>> {
        let answers = contained(|| self.model.run(ready))?;
        if answers.len() == ready.len() {
            Ok(answers)
        } else {
            Err(miscounted(ready.len(), answers.len()))
        }
    }

    /// As [`Shared::run`], on a thread of its own where there is one to be had.
    fn run_apart(&self, ready: &[M::Ready]) -> Result<Vec<M::Answer>> {
        let panicked = |_| Err(Error::Engine("a thread panicked".to_owned()));
        std::thread::scope(|scope| {
            let run = || observe::watched(|| self.run(ready));
            let thread = std::thread::Builder::new().name(ENCODE.to_owned());
            match thread.spawn_scoped(scope, run) {
                Ok(thread) => thread.join().unwrap_or_else(panicked),
                Err(_) => self.run(ready),
            }
        })
    }

    /// Tells what has become of requests, unless they were cancelled meanwhile.
    fn tell(&self, mut told: Vec<Done<M::Answer>>) {
        told.retain(|done| self.queue.finish(done.ticket));
        for done in &told {
            self.telemetry.answered(&done.result);
        }
        let requests = told.len();
        if requests > 0 {
            (self.sink)(told);
            self.queue.told(requests);
        }
    }
}

fn seconds(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64()
}

fn late<A>(ticket: Ticket, waited: Duration) -> Done<A> {
    let seconds = waited.as_secs_f64();
    Done {
        ticket,
        result: Err(Error::Deadline { seconds }),
    }
}

fn miscounted(expected: usize, got: usize) -> Error {
    Error::Engine(format!("{got} answers to {expected} requests"))
}

/// Has `work` done; a panic is an [`Error::Engine`] with its message.
fn contained<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("without a message");
        log::error!("the engine's model panicked: {message}");
        Err(Error::Engine(format!("the model panicked: {message}")))
    })
}
