//! Which of the waiting requests run next, and when. Pure: time goes in as a number, so that the
//! policy is tested without a clock or a model.

use crate::tokens::batches::Layout;
use std::time::Duration;

/// A request that waits for the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Tokens of its text.
    pub length: usize,
    /// When it was accepted, on the caller's clock.
    pub arrived: Duration,
}

/// How requests become batches.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Tokens a batch holds at most; one longer text is a batch of its own.
    pub budget: usize,
    /// How long a request waits at most for others to come, the encoder being free.
    pub max_wait: Duration,
    /// What a batch costs.
    pub layout: Layout,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Run these, positions among the waiting, oldest first.
    Run(Vec<usize>),
    /// Others may come: look again after this time. None where nothing waits.
    Wait(Option<Duration>),
}

impl Policy {
    /// Decides for `waiting`, oldest first, at the time `now`; `last` where no others will come.
    ///
    /// The oldest request is in every batch, so a request runs at the latest when as many batches
    /// have run as requests were before it: none waits for ever, whatever its length. The others
    /// are those that fit: packed rows cost their own length, and go by age; padded rows cost
    /// that of the batch's longest, and go by how near they are to the oldest's.
    pub fn decide(&self, waiting: &[Waiting], now: Duration, last: bool) -> Decision {
        let Some(oldest) = waiting.first() else {
            return Decision::Wait(None);
        };
        let chosen = self.choose(waiting, oldest.length);
        let due = oldest.arrived + self.max_wait;
        // Something waits for the next batch anyway: waiting for more would only put that off.
        let full = chosen.len() < waiting.len();
        if full || last || now >= due || self.cost(waiting, &chosen) >= self.budget {
            Decision::Run(chosen)
        } else {
            Decision::Wait(Some(due - now))
        }
    }

    fn choose(&self, waiting: &[Waiting], oldest: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (1..waiting.len()).collect();
        if self.layout == Layout::Padded {
            order.sort_by_key(|&at| waiting[at].length.abs_diff(oldest));
        }
        let (mut chosen, mut sum, mut longest) = (vec![0], oldest, oldest);
        for at in order {
            let length = waiting[at].length;
            let cost = match self.layout {
                Layout::Packed => sum + length,
                Layout::Padded => longest.max(length) * (chosen.len() + 1),
            };
            if cost <= self.budget {
                chosen.push(at);
                sum += length;
                longest = longest.max(length);
            }
        }
        chosen.sort_unstable();
        chosen
    }

    /// Tokens that a batch of `chosen` makes the encoder work on.
    fn cost(&self, waiting: &[Waiting], chosen: &[usize]) -> usize {
        let lengths = chosen.iter().map(|&at| waiting[at].length);
        match self.layout {
            Layout::Packed => lengths.sum(),
            Layout::Padded => lengths.max().unwrap_or(0) * chosen.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAX_WAIT: Duration = Duration::from_millis(2);

    fn policy(budget: usize, layout: Layout) -> Policy {
        Policy {
            budget,
            max_wait: MAX_WAIT,
            layout,
        }
    }

    fn arrived(requests: &[(usize, u64)]) -> Vec<Waiting> {
        let mut clock = 0;
        requests
            .iter()
            .map(|&(length, after)| {
                clock += after;
                Waiting {
                    length,
                    arrived: Duration::from_micros(clock),
                }
            })
            .collect()
    }

    fn requests() -> impl Strategy<Value = Vec<Waiting>> {
        proptest::collection::vec((1usize..600, 0u64..3000), 1..60)
            .prop_map(|requests| arrived(&requests))
    }

    fn layouts() -> impl Strategy<Value = Layout> {
        prop_oneof![Just(Layout::Packed), Just(Layout::Padded)]
    }

    #[test]
    fn nothing_waits_and_nothing_runs() {
        let policy = policy(100, Layout::Packed);
        assert_eq!(
            policy.decide(&[], Duration::ZERO, true),
            Decision::Wait(None)
        );
    }

    #[test]
    fn a_lone_request_waits_for_others_and_no_longer() {
        let policy = policy(100, Layout::Packed);
        let alone = arrived(&[(10, 1000)]);
        let at = |micros| policy.decide(&alone, Duration::from_micros(micros), false);
        assert_eq!(at(1500), Decision::Wait(Some(Duration::from_micros(1500))));
        assert_eq!(at(3000), Decision::Run(vec![0]));
        let last = policy.decide(&alone, Duration::from_micros(1500), true);
        assert_eq!(last, Decision::Run(vec![0]));
    }

    #[test]
    fn padded_rows_are_like_the_oldest_in_length() {
        let waiting = arrived(&[(100, 0), (10, 0), (95, 0), (300, 0), (101, 0)]);
        let chosen = policy(303, Layout::Padded).decide(&waiting, Duration::ZERO, false);
        assert_eq!(chosen, Decision::Run(vec![0, 2, 4]));
        let chosen = policy(303, Layout::Packed).decide(&waiting, Duration::ZERO, false);
        assert_eq!(chosen, Decision::Run(vec![0, 1, 2]));
    }

    proptest! {
        #[test]
        fn a_batch_is_within_the_budget_or_alone(
            waiting in requests(), budget in 1usize..3000, layout in layouts(),
        ) {
            let policy = policy(budget, layout);
            if let Decision::Run(chosen) = policy.decide(&waiting, Duration::from_secs(9), false) {
                prop_assert!(chosen.len() == 1 || policy.cost(&waiting, &chosen) <= budget);
                prop_assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]));
            }
        }

        #[test]
        fn the_oldest_runs_first_and_is_never_kept_longer_than_allowed(
            waiting in requests(), budget in 1usize..3000, layout in layouts(), now in 0u64..200_000,
        ) {
            let now = waiting[0].arrived + Duration::from_micros(now);
            match policy(budget, layout).decide(&waiting, now, false) {
                Decision::Run(chosen) => prop_assert_eq!(chosen[0], 0),
                Decision::Wait(left) => {
                    let left = left.expect("something waits");
                    prop_assert_eq!(now + left, waiting[0].arrived + MAX_WAIT);
                }
            }
        }

        #[test]
        fn a_request_waits_for_no_more_batches_than_requests_were_before_it(
            waiting in requests(), budget in 1usize..3000, layout in layouts(),
        ) {
            let policy = policy(budget, layout);
            let mut left: Vec<usize> = (0..waiting.len()).collect();
            let mut batches = 0;
            while !left.is_empty() {
                let now: Vec<Waiting> = left.iter().map(|&at| waiting[at]).collect();
                let Decision::Run(chosen) = policy.decide(&now, Duration::from_secs(9), true) else {
                    return Err(TestCaseError::fail("nothing runs though something waits"));
                };
                for &at in chosen.iter().rev() {
                    prop_assert!(batches <= left[at]);
                    left.remove(at);
                }
                batches += 1;
            }
        }

        #[test]
        fn no_room_is_left_that_a_waiting_request_would_fill(
            waiting in requests(), budget in 1usize..3000,
        ) {
            let policy = policy(budget, Layout::Packed);
            if let Decision::Run(chosen) = policy.decide(&waiting, Duration::from_secs(9), false) {
                let left = budget.saturating_sub(policy.cost(&waiting, &chosen));
                let fits = (0..waiting.len()).any(|at| !chosen.contains(&at) && waiting[at].length <= left);
                prop_assert!(!fits || chosen.len() == 1 && waiting[0].length > budget);
            }
        }
    }
}
