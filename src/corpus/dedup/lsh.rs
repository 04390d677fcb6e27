//! Finds the pairs of signatures that agree, without comparing every pair: rows that share
//! one of 16 bands of four places are candidates, and candidates are compared whole.
//!
//! A pair of similarity s shares a band with probability 1 - (1 - s⁴)¹⁶: 0.99 at 0.7,
//! 0.9999 at 0.8. Most rows share a band with no other: two passes over a table of bits tell
//! nearly all of them, so that few are sorted.

use super::minhash::{BINS, Signature};
use super::union::Sets;
use crate::error::Result;
use crate::observe::Observer;
use rayon::prelude::*;

/// Places in a band are four, as [`Signature::band`] has it.
pub(super) const BANDS: usize = BINS / 4;
/// Up to this many rows of one bucket are compared each with each.
const SMALL: usize = 64;
/// In a larger bucket a row is compared with this many leaders at most, so that a phrase
/// shared by a hundred thousand papers costs time in proportion to them, not to their square.
const LEADERS: usize = 32;
/// Bits a row in the tables that tell keys which occur once: of these, one in this many is
/// taken for one that occurs twice.
const BITS: usize = 16;

/// Signatures by row, in blocks: growing never copies what is there. A band's keys lie together.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    blocks: Vec<[Vec<u32>; BANDS]>,
    rows: usize,
}

impl Signatures {
    const BLOCK: usize = 1 << 14;

    pub(super) fn push(&mut self, signature: Signature) {
        let at = self.rows % Self::BLOCK;
        if at == 0 {
            self.blocks
                .push(std::array::from_fn(|_| Vec::with_capacity(Self::BLOCK)));
        }
        if let Some(block) = self.blocks.last_mut() {
            for (band, keys) in block.iter_mut().enumerate() {
                keys.push(signature.band(band));
            }
        }
        self.rows += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.rows
    }

    fn get(&self, row: u32) -> Signature {
        let row = row as usize;
        let block = &self.blocks[row / Self::BLOCK];
        Signature::from_bands(std::array::from_fn(|band| block[band][row % Self::BLOCK]))
    }

    /// The rows whose key in a band another row may have too, each below its key, in order.
    fn candidates(&self, band: usize) -> Vec<u64> {
        let bits = (self.rows * BITS).next_power_of_two().max(64);
        let place = |key: u32| {
            let hash = u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            let bit = (hash as usize) & (bits - 1);
            (bit / 64, 1_u64 << (bit % 64))
        };
        let (mut once, mut twice) = (vec![0_u64; bits / 64], vec![0_u64; bits / 64]);
        for block in &self.blocks {
            for &key in &block[band] {
                let (word, bit) = place(key);
                twice[word] |= once[word] & bit;
                once[word] |= bit;
            }
        }
        drop(once);
        let mut keys = Vec::new();
        let mut row = 0_u32;
        for block in &self.blocks {
            for &key in &block[band] {
                let (word, bit) = place(key);
                // Only the signature of a text too short to compare is nothing but zeros.
                if twice[word] & bit != 0 && (key != 0 || !self.get(row).is_none()) {
                    keys.push(u64::from(key) << 32 | u64::from(row));
                }
                row += 1;
            }
        }
        keys.sort_unstable();
        keys
    }
}

/// Joins all rows found to agree in at least `needed` places. The result does not depend on
/// the number of threads.
///
/// # Errors
/// [`crate::Error::Interrupted`].
pub(super) fn group(
    signatures: &Signatures,
    needed: u8,
    pool: &rayon::ThreadPool,
    observer: &dyn Observer,
) -> Result<Sets> {
    let mut sets = Sets::new(signatures.len() as u32);
    let mut bands = 0..BANDS;
    while !bands.is_empty() {
        observer.check()?;
        observer.report("near-duplicates", bands.start as u64, BANDS as u64, "bands");
        let some: Vec<usize> = bands.by_ref().take(pool.current_num_threads()).collect();
        let found: Vec<Vec<u64>> = pool.install(|| {
            let bands = some.into_par_iter();
            bands.map(|band| signatures.candidates(band)).collect()
        });
        for keys in found {
            let bucket = Bucket {
                signatures,
                needed,
                sets: &sets,
            };
            let pairs: Vec<(u32, u32)> = pool.install(|| {
                keys.par_chunk_by(|left, right| left >> 32 == right >> 32)
                    .filter(|keys| keys.len() > 1)
                    .flat_map_iter(|keys| bucket.pairs(keys))
                    .collect()
            });
            for (left, right) in pairs {
                sets.join(left, right);
            }
            sets.flatten();
        }
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
            .agreement(&self.signatures.get(right))
            >= self.needed
    }
}
