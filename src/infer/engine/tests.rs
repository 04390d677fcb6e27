use super::*;
use crate::error::Error;
use std::cell::Cell;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Condvar, Mutex};

thread_local! {
    /// Whether the model failed on this thread.
    static FAILED: Cell<bool> = const { Cell::new(false) };
}

/// Answers a text with its length; some texts have it do something else. A thread on which it
/// failed once is of no more use.
struct Lengths {
    open: Arc<(Mutex<bool>, Condvar)>,
    batches: Arc<Mutex<Vec<usize>>>,
}

impl Model for Lengths {
    type Work = &'static str;
    type Ready = &'static str;
    type Answer = usize;

    fn prepare(&self, work: &'static str) -> Result<&'static str> {
        match work {
            "refused" => Err(Error::input("text", "refused")),
            "trap" => panic!("stepped on {work}"),
            _ => Ok(work),
        }
    }

    fn length(&self, ready: &&'static str) -> usize {
        ready.len()
    }

    fn run(&self, batch: &[&'static str]) -> Result<Vec<usize>> {
        let (open, bell) = &*self.open;
        drop(bell.wait_while(open.lock().unwrap(), |open| !*open));
        self.batches.lock().unwrap().push(batch.len());
        assert!(!FAILED.get(), "failed before");
        FAILED.set(batch.contains(&"bomb"));
        assert!(!FAILED.get(), "stepped on a bomb");
        Ok(batch.iter().map(|text| text.len()).collect())
    }

    fn batch(&self) -> (usize, Layout) {
        (100, Layout::Packed)
    }
}

/// An engine whose encoder waits until it is let go.
struct Stand {
    engine: Engine<Lengths>,
    told: Receiver<Done<usize>>,
    open: Arc<(Mutex<bool>, Condvar)>,
    batches: Arc<Mutex<Vec<usize>>>,
}

const SOON: Duration = Duration::from_secs(20);

impl Stand {
    fn new(capacity: usize) -> Self {
        let open = Arc::new((Mutex::new(true), Condvar::new()));
        let batches = Arc::default();
        let model = Lengths {
            open: Arc::clone(&open),
            batches: Arc::clone(&batches),
        };
        let (sender, told) = channel();
        let sink = move |done: Vec<Done<usize>>| {
            for one in done {
                let _ = sender.send(one);
            }
        };
        let options = Options {
            capacity,
            ..Options::default()
        };
        Self {
            engine: Engine::start(model, &options, Box::new(sink)).unwrap(),
            told,
            open,
            batches,
        }
    }

    fn close(&self) {
        *self.open.0.lock().unwrap() = false;
    }

    fn open(&self) {
        *self.open.0.lock().unwrap() = true;
        self.open.1.notify_all();
    }

    /// Has the encoder begin a batch that it does not end before it is let go.
    fn hold(&self) -> Ticket {
        self.close();
        let ticket = self.submit("held");
        while self.engine.shared.queue.tokenized_or_waiting() > 0 {
            std::thread::yield_now();
        }
        ticket
    }

    fn submit(&self, text: &'static str) -> Ticket {
        self.engine.submit(text, None).unwrap()
    }

    fn next(&self) -> Done<usize> {
        self.told.recv_timeout(SOON).unwrap()
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.open();
    }
}

#[test]
fn every_request_gets_its_own_answer() {
    let stand = Stand::new(64);
    let texts = ["a", "bb", "ccc", "dddd"];
    let tickets: Vec<Ticket> = texts.iter().map(|text| stand.submit(text)).collect();
    let mut told: Vec<Done<usize>> = texts.iter().map(|_| stand.next()).collect();
    told.sort_by_key(|done| done.ticket);
    for ((done, ticket), text) in told.into_iter().zip(tickets).zip(texts) {
        assert_eq!(done.ticket, ticket);
        assert_eq!(done.result.unwrap().0, text.len());
    }
}

#[test]
fn what_came_while_a_batch_ran_runs_together() {
    let stand = Stand::new(64);
    stand.hold();
    for _ in 0..9 {
        stand.submit("ten tokens");
    }
    while stand.engine.shared.queue.ready() < 9 {
        std::thread::yield_now();
    }
    stand.open();
    for _ in 0..10 {
        stand.next().result.unwrap();
    }
    assert_eq!(*stand.batches.lock().unwrap(), [1, 9]);
    let counters = stand.engine.counters();
    assert_eq!(counters.answered, 10);
    assert!((counters.batch_tokens.sum - 94.0).abs() < 1e-9);
}

#[test]
fn one_more_than_may_be_under_way_is_refused_at_once() {
    let stand = Stand::new(2);
    stand.hold();
    stand.submit("second");
    let error = stand.engine.submit("third", None).unwrap_err();
    assert!(
        matches!(error, Error::Overloaded { capacity: 2 }),
        "{error}"
    );
    assert_eq!(stand.engine.counters().refused, 1);
    stand.open();
    stand.next().result.unwrap();
    stand.next().result.unwrap();
    stand.submit("fourth");
    stand.next().result.unwrap();
}

#[test]
fn a_request_whose_time_is_over_is_told_and_not_run() {
    let stand = Stand::new(64);
    stand.hold();
    let late = stand.engine.submit("late", Some(Duration::ZERO)).unwrap();
    let soon = stand
        .engine
        .submit("soon", Some(Duration::from_millis(1)))
        .unwrap();
    std::thread::sleep(Duration::from_millis(5));
    stand.open();
    let mut ended = Vec::new();
    for _ in 0..3 {
        let Done { ticket, result } = stand.next();
        if let Err(Error::Deadline { .. }) = result {
            ended.push(ticket);
        }
    }
    ended.sort_unstable();
    assert_eq!(ended, [late, soon]);
    assert_eq!(*stand.batches.lock().unwrap(), [1]);
    assert_eq!(stand.engine.counters().late, 2);
}

#[test]
fn of_a_cancelled_request_nothing_is_done_or_told() {
    let stand = Stand::new(64);
    let held = stand.hold();
    let waiting = stand.submit("waiting");
    assert!(stand.engine.cancel(waiting));
    assert!(!stand.engine.cancel(waiting));
    assert!(stand.engine.cancel(held));
    assert_eq!(stand.engine.depth(), 0);
    stand.open();
    let after = stand.submit("after");
    assert_eq!(stand.next().ticket, after);
    assert_eq!(*stand.batches.lock().unwrap(), [1, 1]);
    let counters = stand.engine.counters();
    assert_eq!((counters.cancelled, counters.late), (2, 0));
}

#[test]
fn whoever_expires_is_forgotten_and_counts_as_late() {
    let stand = Stand::new(64);
    let held = stand.hold();
    let waiting = stand.submit("waiting");
    assert!(stand.engine.expire(waiting));
    assert!(!stand.engine.expire(waiting));
    stand.open();
    assert_eq!(stand.next().ticket, held);
    assert!(!stand.engine.expire(held));
    let counters = stand.engine.counters();
    assert_eq!((counters.cancelled, counters.late), (0, 1));
}

#[test]
fn a_panic_costs_its_own_request_alone() {
    let stand = Stand::new(64);
    for culprit in ["bomb", "trap"] {
        stand.hold();
        stand.submit("before");
        let guilty = stand.submit(culprit);
        stand.submit("after");
        stand.open();
        let mut failed = Vec::new();
        for _ in 0..4 {
            let Done { ticket, result } = stand.next();
            match result {
                Ok(_) => assert_ne!(ticket, guilty),
                Err(error) => {
                    assert!(error.to_string().contains("stepped on"), "{error}");
                    failed.push(ticket);
                }
            }
        }
        assert_eq!(failed, [guilty]);
    }
    assert_eq!(stand.engine.counters().failed, 2);
}

#[test]
fn a_thread_on_which_the_model_failed_runs_no_other_batch() {
    let stand = Stand::new(64);
    for _ in 0..3 {
        stand.submit("bomb");
        let error = stand.next().result.unwrap_err();
        assert!(error.to_string().contains("stepped on"), "{error}");
        stand.submit("after");
        stand.next().result.unwrap();
    }
}

#[test]
fn a_request_that_cannot_be_tokenized_gets_the_reason() {
    let stand = Stand::new(64);
    stand.submit("refused");
    let error = stand.next().result.unwrap_err();
    assert!(matches!(error, Error::Input { .. }), "{error}");
}

#[test]
fn draining_answers_what_is_under_way_and_accepts_nothing_more() {
    let stand = Stand::new(64);
    stand.hold();
    stand.submit("second");
    assert!(!stand.engine.drain(Duration::from_millis(1)));
    let error = stand.engine.submit("third", None).unwrap_err();
    assert!(matches!(error, Error::Stopping), "{error}");
    stand.open();
    assert!(stand.engine.drain(SOON));
    // The sink has been told of both by then.
    assert!(stand.told.try_recv().unwrap().result.is_ok());
    assert!(stand.told.try_recv().unwrap().result.is_ok());
}

#[test]
fn a_dropped_engine_ends_its_threads() {
    let stand = Stand::new(64);
    let model = Arc::downgrade(&stand.engine.shared);
    drop(stand);
    assert!(model.upgrade().is_none());
}

#[test]
fn options_that_cannot_be_used_are_named() {
    for (options, name) in [
        (r#"{"capacity": 0}"#, "capacity"),
        (r#"{"tokenizer_threads": 0}"#, "tokenizer_threads"),
        (r#"{"batch_tokens": 0}"#, "batch_tokens"),
        (r#"{"max_wait": -1}"#, "max_wait"),
        (r#"{"max_wait": 61}"#, "max_wait"),
        (r#"{"patience": 1}"#, "patience"),
    ] {
        let error = Options::parse(options).unwrap_err();
        assert!(
            matches!(&error, Error::Option { name: got, .. } if got == name),
            "{error}"
        );
    }
    assert_eq!(Options::parse("{}").unwrap().capacity, 512);
}
