//! Which papers make a step: a pure function of lengths, seed and epoch, so that a run that was
//! stopped finds its place again.

use super::super::random::Random;
use crate::tokens::batches::{Layout, plan};

/// Batches among whose papers like lengths are looked for: enough to find them, too few to put
/// all long papers side by side.
const NEAR: usize = 50;

/// The batches of `epoch` (from 0), each a list of rows, longest first. Rows are shuffled, sorted
/// by length within stretches of about [`NEAR`] batches, and the batches shuffled again.
pub(super) fn batches(
    lengths: &[usize],
    budget: usize,
    layout: Layout,
    seed: u64,
    epoch: usize,
) -> Vec<Vec<usize>> {
    let mut random = Random::new(seed ^ (epoch as u64 + 1).wrapping_mul(0xD1B5_4A32_D192_ED03));
    let mut rows: Vec<usize> = (0..lengths.len()).collect();
    random.shuffle(&mut rows);
    let mean = lengths.iter().sum::<usize>() / lengths.len().max(1);
    let stretch = (NEAR * budget / mean.max(1)).max(1);
    let mut batches = Vec::new();
    for near in rows.chunks(stretch) {
        let own: Vec<usize> = near.iter().map(|&row| lengths[row]).collect();
        for batch in plan(&own, budget, layout) {
            batches.push(batch.into_iter().map(|at| near[at]).collect());
        }
    }
    random.shuffle(&mut batches);
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths() -> Vec<usize> {
        (0..3000).map(|row| 20 + row * 37 % 400).collect()
    }

    #[test]
    fn every_row_is_in_one_batch_and_seed_and_epoch_decide_which() {
        let lengths = lengths();
        let made = |seed, epoch| batches(&lengths, 2048, Layout::Packed, seed, epoch);
        assert_eq!(made(1, 0), made(1, 0));
        assert_ne!(made(1, 0), made(1, 1));
        assert_ne!(made(1, 0), made(2, 0));
        let mut rows = made(1, 2).concat();
        rows.sort_unstable();
        assert_eq!(rows, (0..3000).collect::<Vec<_>>());
    }

    #[test]
    fn like_lengths_meet_and_long_papers_come_at_any_time() {
        let lengths = lengths();
        let made = batches(&lengths, 2048, Layout::Padded, 0, 0);
        let filled: usize = lengths.iter().sum();
        let padded: usize = made
            .iter()
            .map(|batch| batch.len() * lengths[batch[0]])
            .sum();
        assert!(padded < filled * 11 / 10, "{padded} of {filled}");
        let first: usize = made[..20].iter().map(|batch| lengths[batch[0]]).sum();
        assert!((100..330).contains(&(first / 20)), "{first}");
    }
}
