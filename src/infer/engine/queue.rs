//! Requests under way: accepted → tokenized → taken, with their numbers; where the engine's
//! threads wait.

use super::policy::{Decision, Policy, Waiting};
use super::{Model, Ticket};
use crate::error::{Error, Result};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A request at a stage of its way.
pub(super) struct Entry<S> {
    pub accepted: Instant,
    pub deadline: Option<Instant>,
    pub stage: S,
}

impl<S> Entry<S> {
    /// Whether it is too late to answer.
    pub(super) fn late(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

/// A tokenized request.
pub(super) struct Tokenized<R> {
    pub ready: R,
    pub length: usize,
    /// When it was taken to be tokenized, and when that was done.
    pub taken: Instant,
    pub done: Instant,
}

/// What the encoder's thread gets: requests to run, and those whose time is over.
pub(super) struct Batch<R> {
    pub run: Vec<(Ticket, Entry<Tokenized<R>>)>,
    pub late: Vec<(Ticket, Duration)>,
}

#[derive(PartialEq, Clone, Copy)]
enum Phase {
    Open,
    Draining,
    Stopped,
}

struct State<M: Model> {
    phase: Phase,
    next: Ticket,
    /// Whoever is not in here is answered or forgotten.
    under_way: HashSet<Ticket>,
    accepted: VecDeque<(Ticket, Entry<M::Work>)>,
    /// Taken by threads that tokenize.
    tokenizing: usize,
    /// No longer under way, but the sink has not returned yet.
    telling: usize,
    ready: BTreeMap<Ticket, Entry<Tokenized<M::Ready>>>,
}

pub(super) struct Queue<M: Model> {
    capacity: usize,
    /// The policy's clock.
    started: Instant,
    state: Mutex<State<M>>,
    /// Something was accepted.
    more: Condvar,
    /// Something is tokenized.
    encode: Condvar,
    /// Something is no longer under way.
    less: Condvar,
}

impl<M: Model> Queue<M> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            started: Instant::now(),
            state: Mutex::new(State {
                phase: Phase::Open,
                next: 0,
                under_way: HashSet::new(),
                accepted: VecDeque::new(),
                tokenizing: 0,
                telling: 0,
                ready: BTreeMap::new(),
            }),
            more: Condvar::new(),
            encode: Condvar::new(),
            less: Condvar::new(),
        }
    }

    /// Nothing of the model's runs under the lock, so what a panic leaves is whole.
    fn lock(&self) -> MutexGuard<'_, State<M>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, entry: Entry<M::Work>) -> Result<Ticket> {
        let mut state = self.lock();
        if state.phase != Phase::Open {
            return Err(Error::Stopping);
        }
        if state.under_way.len() >= self.capacity {
            let capacity = self.capacity;
            return Err(Error::Overloaded { capacity });
        }
        let ticket = state.next;
        state.next += 1;
        state.under_way.insert(ticket);
        state.accepted.push_back((ticket, entry));
        drop(state);
        self.more.notify_one();
        Ok(ticket)
    }

    /// The next request to tokenize; none once the engine stops.
    pub(super) fn take(&self) -> Option<(Ticket, Entry<M::Work>)> {
        let mut state = self.lock();
        loop {
            if state.phase == Phase::Stopped {
                return None;
            }
            if let Some(next) = state.accepted.pop_front() {
                state.tokenizing += 1;
                return Some(next);
            }
            state = self
                .more
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes back what [`Queue::take`] gave, tokenized; none where that failed.
    pub(super) fn tokenized(&self, ticket: Ticket, entry: Option<Entry<Tokenized<M::Ready>>>) {
        let mut state = self.lock();
        state.tokenizing -= 1;
        if let Some(entry) = entry
            && state.under_way.contains(&ticket)
        {
            state.ready.insert(ticket, entry);
        }
        drop(state);
        self.encode.notify_one();
    }

    /// The next batch, when it is time for it; none once the engine stops.
    pub(super) fn batch(&self, policy: &Policy) -> Option<Batch<M::Ready>> {
        let mut state = self.lock();
        loop {
            if state.phase == Phase::Stopped {
                return None;
            }
            let now = Instant::now();
            let late = state.take_late(now);
            let waiting = state.waiting(self.started);
            let last = state.phase == Phase::Draining
                && state.accepted.is_empty()
                && state.tokenizing == 0;
            let clock = now.saturating_duration_since(self.started);
            let left = match policy.decide(&waiting, clock, last) {
                Decision::Run(chosen) => {
                    let run = state.take_ready(&chosen);
                    return Some(Batch { run, late });
                }
                Decision::Wait(_) if !late.is_empty() => {
                    let run = Vec::new();
                    return Some(Batch { run, late });
                }
                Decision::Wait(left) => left,
            };
            state = match left {
                Some(left) => {
                    let woken = self.encode.wait_timeout(state, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let woken = self.encode.wait(state);
                    woken.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    /// Ends a request that the sink is to be told of; false where it is no longer under way.
    pub(super) fn finish(&self, ticket: Ticket) -> bool {
        let mut state = self.lock();
        let there = state.under_way.remove(&ticket);
        state.telling += usize::from(there);
        there
    }

    /// The sink has been told of so many requests.
    pub(super) fn told(&self, requests: usize) {
        self.lock().telling -= requests;
        self.less.notify_all();
    }

    /// Ends a request without a word; what waits of it is dropped.
    pub(super) fn forget(&self, ticket: Ticket) -> bool {
        let mut state = self.lock();
        state.ready.remove(&ticket);
        // Numbers rise: the place is found without looking at all that wait.
        if let Ok(at) = state
            .accepted
            .binary_search_by_key(&ticket, |(one, _)| *one)
        {
            state.accepted.remove(at);
        }
        let there = state.under_way.remove(&ticket);
        drop(state);
        self.less.notify_all();
        there
    }

    pub(super) fn is_under_way(&self, ticket: Ticket) -> bool {
        self.lock().under_way.contains(&ticket)
    }

    pub(super) fn depth(&self) -> usize {
        self.lock().under_way.len()
    }

    pub(super) fn drain(&self, limit: Duration) -> bool {
        let mut state = self.lock();
        if state.phase == Phase::Open {
            state.phase = Phase::Draining;
        }
        self.encode.notify_all();
        let woken = self
            .less
            .wait_timeout_while(state, limit, |state| !state.is_idle());
        let (state, _) = woken.unwrap_or_else(PoisonError::into_inner);
        state.is_idle()
    }

    pub(super) fn stop(&self) {
        self.lock().phase = Phase::Stopped;
        self.more.notify_all();
        self.encode.notify_all();
    }
}

impl<M: Model> State<M> {
    fn is_idle(&self) -> bool {
        self.under_way.is_empty() && self.telling == 0
    }

    fn waiting(&self, started: Instant) -> Vec<Waiting> {
        let waiting = self.ready.values().map(|entry| Waiting {
            length: entry.stage.length,
            arrived: entry.accepted.saturating_duration_since(started),
        });
        waiting.collect()
    }

    fn take_ready(&mut self, chosen: &[usize]) -> Vec<(Ticket, Entry<Tokenized<M::Ready>>)> {
        let tickets: Vec<Ticket> = self.ready.keys().copied().collect();
        let tickets = chosen.iter().filter_map(|&at| tickets.get(at));
        tickets
            .filter_map(|&ticket| Some((ticket, self.ready.remove(&ticket)?)))
            .collect()
    }

    fn take_late(&mut self, now: Instant) -> Vec<(Ticket, Duration)> {
        let mut late = Vec::new();
        self.ready.retain(|&ticket, entry| {
            if entry.late(now) {
                late.push((ticket, now.saturating_duration_since(entry.accepted)));
            }
            !entry.late(now)
        });
        late
    }
}

#[cfg(test)]
impl<M: Model> Queue<M> {
    /// Requests that the encoder has not taken yet.
    pub(super) fn tokenized_or_waiting(&self) -> usize {
        let state = self.lock();
        state.accepted.len() + state.tokenizing + state.ready.len()
    }

    /// Requests that wait for the encoder.
    pub(super) fn ready(&self) -> usize {
        self.lock().ready.len()
    }
}
