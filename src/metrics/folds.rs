//! Cross-fitting: which papers are held out together.

use super::random::Random;
use crate::error::{Error, Result};

/// Fails for a number of folds that no papers can be cut into.
pub(super) fn check_folds(folds: usize) -> Result<()> {
    if (2..=100).contains(&folds) {
        Ok(())
    } else {
        Err(Error::option("folds", folds, "must be 2 to 100"))
    }
}

/// Fails where there are more folds than papers.
pub(super) fn folds_of(papers: usize, folds: usize) -> Result<()> {
    if folds <= papers {
        Ok(())
    } else {
        let reason = format!("must be at most the {papers} papers");
        Err(Error::option("folds", folds, reason))
    }
}

/// A fold for each paper: equal sizes (within one), shuffled by `seed`.
pub(super) fn folds(papers: usize, count: usize, seed: u64) -> Vec<u8> {
    let mut folds: Vec<u8> = (0..papers).map(|paper| (paper % count) as u8).collect();
    let mut random = Random::new(seed, 0);
    for last in (1..papers).rev() {
        folds.swap(last, random.below(last + 1));
    }
    folds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_even_shuffled_and_repeatable() {
        let first = folds(1003, 5, 7);
        assert_eq!(first, folds(1003, 5, 7));
        assert_ne!(first, folds(1003, 5, 8));
        for fold in 0..5 {
            let size = first.iter().filter(|&&f| f == fold).count();
            assert!((200..=201).contains(&size));
        }
    }
}
