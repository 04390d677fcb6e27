//! Finds the pairs of signatures that agree, without comparing every pair: rows that share
//! one of 16 bands of four places are candidates, and candidates are compared whole.
//!
//! A pair of similarity s shares a band with probability 1 - (1 - s⁴)¹⁶: 0.99 at 0.7,
//! 0.9999 at 0.8. Bands are sorted, one at a time, in 8 bytes a row.

use super::minhash::{BINS, Signature};
use super::union::Sets;
use crate::error::Result;
use crate::observe::Observer;
use rayon::prelude::*;

/// Places in a band are four, as [`Signature::band`] has it.
const BANDS: usize = BINS / 4;
/// Up to this many rows of one bucket are compared each with each.
const SMALL: usize = 64;
/// In a larger bucket a row is compared with this many leaders at most, so that a phrase
/// shared by a hundred thousand papers costs time in proportion to them, not to their square.
const LEADERS: usize = 32;

/// Signatures by row, in blocks: growing never copies what is there.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    blocks: Vec<Vec<Signature>>,
}

impl Signatures {
    const BLOCK: usize = 1 << 14;

    pub(super) fn push(&mut self, signature: Signature) {
        match self.blocks.last_mut() {
            Some(block) if block.len() < Self::BLOCK => block.push(signature),
            _ => {
                let mut block = Vec::with_capacity(Self::BLOCK);
                block.push(signature);
                self.blocks.push(block);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        let full = self.blocks.len().saturating_sub(1) * Self::BLOCK;
        full + self.blocks.last().map_or(0, Vec::len)
    }

    fn get(&self, row: u32) -> &Signature {
        let row = row as usize;
        &self.blocks[row / Self::BLOCK][row % Self::BLOCK]
    }

    fn iter(&self) -> impl Iterator<Item = &Signature> {
        self.blocks.iter().flatten()
    }
}

/// Joins all rows found to agree in at least `needed` places. The result does not depend on
/// the number of threads.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub(super) fn group(signatures: &Signatures, needed: u8, observer: &dyn Observer) -> Result<Sets> {
    let mut sets = Sets::new(signatures.len() as u32);
    let mut keys: Vec<u64> = Vec::with_capacity(signatures.len());
    for band in 0..BANDS {
        observer.check()?;
        observer.report("near-duplicates", band as u64, BANDS as u64, "bands");
        keys.clear();
        keys.extend(
            (0_u64..)
                .zip(signatures.iter())
                .filter(|(_, signature)| !signature.is_none())
                .map(|(row, signature)| u64::from(signature.band(band)) << 32 | row),
        );
        keys.par_sort_unstable();
        let pairs: Vec<(u32, u32)> = keys
            .par_chunk_by(|left, right| left >> 32 == right >> 32)
            .filter(|bucket| bucket.len() > 1)
            .flat_map_iter(|bucket| {
                Bucket {
                    signatures,
                    needed,
                    sets: &sets,
                }
                .pairs(bucket)
            })
            .collect();
        for (left, right) in pairs {
            sets.join(left, right);
        }
        sets.flatten();
    }
    observer.report("near-duplicates", BANDS as u64, BANDS as u64, "bands");
    Ok(sets)
}

struct Bucket<'a> {
    signatures: &'a Signatures,
    needed: u8,
    sets: &'a Sets,
}

impl Bucket<'_> {
    /// Pairs to join among the rows in the lower halves of `keys`.
    fn pairs(&self, keys: &[u64]) -> Vec<(u32, u32)> {
        let rows = keys.iter().map(|&key| key as u32);
        let mut pairs = Vec::new();
        if keys.len() <= SMALL {
            for (at, right) in rows.enumerate() {
                for left in keys[..at].iter().map(|&key| key as u32) {
                    if !self.sets.together(left, right) && self.agree(left, right) {
                        pairs.push((left, right));
                    }
                }
            }
            return pairs;
        }
        let mut leaders = Vec::with_capacity(LEADERS);
        for row in rows {
            let near = |&&leader: &&u32| self.sets.together(leader, row) || self.agree(leader, row);
            match leaders.iter().find(near) {
                Some(&leader) => pairs.push((leader, row)),
                None if leaders.len() < LEADERS => leaders.push(row),
                None => {}
            }
        }
        pairs
    }

    fn agree(&self, left: u32, right: u32) -> bool {
        self.signatures
            .get(left)
            .agreement(self.signatures.get(right))
            >= self.needed
    }
}
