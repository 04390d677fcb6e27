//! Who asks when. A thread a client: they sleep nearly always.

use crate::client::{Client, Place};
use crate::figures::Answer;
use std::io::Result;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

/// Between two tries to reach a service that is not there.
const PAUSE: Duration = Duration::from_millis(10);

/// Each of `clients` asks again as soon as it is answered.
///
/// # Errors
/// A client's thread cannot be had.
pub fn closed(
    place: &Place,
    requests: &[Vec<u8>],
    clients: usize,
    until: Instant,
) -> Result<Vec<Answer>> {
    let one = |number: usize| {
        let (mut client, mut answers) = (Client::new(place), Vec::new());
        let turns = (number..).step_by(clients);
        for turn in turns {
            let began = Instant::now();
            if began >= until {
                break;
            }
            let status = client.ask(&requests[turn % requests.len()]);
            answers.push(Answer::now(began, status));
            if status == 0 {
                thread::sleep(PAUSE);
            }
        }
        answers
    };
    thread::scope(|scope| {
        let one = &one;
        let begun = |n| Builder::new().spawn_scoped(scope, move || one(n));
        let all: Vec<_> = (0..clients).map(begun).collect::<Result<_>>()?;
        let answers = all.into_iter().map(|client| client.join());
        Ok(answers.flat_map(|told| told.unwrap_or_default()).collect())
    })
}

/// Requests come at random times, as many as are `rate` a second: a Poisson process of which the
/// number of events is known.
///
/// # Errors
/// A client's thread cannot be had.
pub fn open(place: &Place, requests: &[Vec<u8>], rate: f64, until: Instant) -> Result<Vec<Answer>> {
    let start = Instant::now();
    let span = until.duration_since(start);
    let mut chance = Chance(7);
    let count = (rate * span.as_secs_f64()).round() as usize;
    let mut times: Vec<Duration> = (0..count).map(|_| span.mul_f64(chance.draw())).collect();
    times.sort_unstable();

    let answers = Mutex::new(Vec::with_capacity(count));
    let idle = AtomicUsize::new(0);
    let (give, take) = mpsc::channel::<(Instant, usize)>();
    let take = Mutex::new(take);
    let one = || {
        let mut client = Client::new(place);
        loop {
            let next = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok((due, turn)) = next else { return };
            let status = client.ask(&requests[turn % requests.len()]);
            let mut told = answers.lock().unwrap_or_else(PoisonError::into_inner);
            told.push(Answer::now(due, status));
            idle.fetch_add(1, Ordering::SeqCst);
        }
    };
    thread::scope(|scope| {
        for (turn, time) in times.into_iter().enumerate() {
            let due = start + time;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            // A client that is free takes it; where none is, there is one more.
            let free = |idle: usize| idle.checked_sub(1);
            if idle
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, free)
                .is_err()
            {
                Builder::new().spawn_scoped(scope, one)?;
            }
            if give.send((due, turn)).is_err() {
                break;
            }
        }
        drop(give);
        Result::Ok(())
    })?;
    Ok(answers.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>).
struct Chance(u64);

impl Chance {
    /// From 0 to 1, evenly.
    fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn against_the_sink(rate: Option<f64>) -> Vec<Answer> {
        let place = Place {
            address: crate::sink::start().unwrap(),
            path: "/".to_owned(),
        };
        let requests = vec![place.request(b"{}"), place.request(b"[1, 2]")];
        let until = Instant::now() + Duration::from_millis(300);
        match rate {
            Some(rate) => open(&place, &requests, rate, until),
            None => closed(&place, &requests, 3, until),
        }
        .unwrap()
    }

    #[test]
    fn clients_ask_until_it_is_over() {
        let answers = against_the_sink(None);
        assert!(answers.len() > 6, "{}", answers.len());
        assert!(answers.iter().all(|answer| answer.status == 200));
    }

    #[test]
    fn as_many_requests_come_as_the_rate_says() {
        let answers = against_the_sink(Some(200.0));
        assert!((59..=60).contains(&answers.len()), "{}", answers.len());
        assert!(answers.iter().all(|answer| answer.status == 200));
    }

    #[test]
    fn a_service_that_is_not_there_has_status_0() {
        let place = Place {
            address: "127.0.0.1:1".to_owned(),
            path: "/".to_owned(),
        };
        let until = Instant::now() + Duration::from_millis(30);
        let answers = closed(&place, &[place.request(b"")], 1, until).unwrap();
        assert!(!answers.is_empty() && answers.iter().all(|answer| answer.status == 0));
    }
}
