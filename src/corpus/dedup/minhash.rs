//! MinHash signatures: 64 bytes whose share of equal places estimates the Jaccard similarity
//! of two abstracts' sets of three-word shingles.
//!
//! One-permutation hashing (Li, Owen, Zhang 2012) reads every shingle once and keeps the
//! smallest hash in each of 64 bins; empty bins borrow from full ones by optimal densification
//! (Shrivastava 2017); of each smallest hash eight bits are kept (Li, König 2010).

use super::normal::mix;

/// Places in a signature.
pub(super) const BINS: usize = 64;
/// Words in a shingle.
pub(super) const SHINGLE: usize = 3;
/// Fewer words than this say too little: such a text is near to nothing.
pub(super) const FEWEST_WORDS: usize = 10;

/// A MinHash signature of one abstract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; BINS]);

impl Signature {
    /// The signature of a text too short to compare.
    pub const NONE: Self = Self([0; BINS]);

    /// True for a text too short to compare.
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// The estimated Jaccard similarity of the two abstracts' shingles, 0 to 1.
    /// Standard error about 0.05.
    pub fn similarity(&self, other: &Self) -> f64 {
        let share = f64::from(self.agreement(other)) / BINS as f64;
        // Two different hashes agree in their eight bits once in 256.
        ((share - CHANCE) / (1.0 - CHANCE)).max(0.0)
    }

    /// How many places agree, 0 to [`BINS`].
    pub(super) fn agreement(&self, other: &Self) -> u8 {
        let places = self.0.iter().zip(&other.0);
        places.map(|(left, right)| u8::from(left == right)).sum()
    }

    /// The signature whose bands have these bytes.
    pub(super) fn from_bands(bands: [u32; BINS / 4]) -> Self {
        let mut places = [0; BINS];
        for (place, key) in places.as_chunks_mut::<4>().0.iter_mut().zip(bands) {
            *place = key.to_le_bytes();
        }
        Self(places)
    }

    /// The four bytes of a band.
    pub(super) fn band(&self, band: usize) -> u32 {
        let mut key = [0; 4];
        key.copy_from_slice(&self.0[4 * band..4 * band + 4]);
        u32::from_le_bytes(key)
    }
}

/// How often two different hashes agree in the bits that are kept.
const CHANCE: f64 = 1.0 / 256.0;

/// The fewest equal places that mean a similarity of at least `threshold`.
pub(super) fn places_needed(threshold: f64) -> u8 {
    let share = threshold + (1.0 - threshold) * CHANCE;
    ((share * BINS as f64).round() as u8).clamp(1, BINS as u8)
}

/// The signature of a text, from the hashes of its words.
pub(super) fn signature(words: &[u64]) -> Signature {
    if words.len() < FEWEST_WORDS {
        return Signature::NONE;
    }
    // A smallest hash is kept in 32 bits; u64 leaves room for "none yet".
    let mut smallest = [u64::MAX; BINS];
    for words in words.windows(SHINGLE) {
        let shingle = shingle(words[0], words[1], words[2]);
        let bin = &mut smallest[(shingle >> 58) as usize];
        *bin = (*bin).min(shingle & u64::from(u32::MAX));
    }
    let mut places = [0; BINS];
    for (bin, place) in places.iter_mut().enumerate() {
        *place = smallest[donor(&smallest, bin)] as u8;
    }
    // NONE is kept for texts too short: one in 2^512 is moved aside.
    if places == [0; BINS] {
        places[0] = 1;
    }
    Signature(places)
}

fn shingle(first: u64, second: u64, third: u64) -> u64 {
    let sum = first
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(second.wrapping_mul(0xc2b2_ae3d_27d4_eb4f))
        .wrapping_add(third);
    mix(sum, 0x5899_65cc_7537_4cc3)
}

/// The bin itself, or for an empty one a full one, found by a walk that depends on the bin
/// alone: two texts that share their shingles share their donors.
fn donor(smallest: &[u64; BINS], bin: usize) -> usize {
    let mut at = bin;
    let mut attempt = 0_u64;
    while smallest[at] == u64::MAX {
        attempt += 1;
        let seed = (bin as u64) << 32 | attempt;
        at = (mix(seed ^ 0x1d8e_4e27_c47d_124f, 0xeb44_acca_b455_d165) >> 58) as usize;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::super::normal::Normal;
    use super::*;
    use std::collections::HashSet;

    fn of(text: &str) -> Signature {
        let mut normal = Normal::default();
        normal.push(text);
        signature(normal.words())
    }

    fn jaccard(left: &[u64], right: &[u64]) -> f64 {
        let sets: [HashSet<&[u64]>; 2] =
            [left, right].map(|words| words.windows(SHINGLE).collect());
        let both = sets[0].intersection(&sets[1]).count() as f64;
        both / sets[0].union(&sets[1]).count() as f64
    }

    fn text(words: &[u64]) -> String {
        words.iter().map(|word| format!("w{word} ")).collect()
    }

    #[test]
    fn short_texts_have_no_signature_and_long_ones_have() {
        assert!(of("nine words are not enough to tell two apart").is_none());
        assert!(!of("ten words are just enough to tell two texts apart").is_none());
    }

    #[test]
    fn estimates_follow_the_brute_force_similarity() {
        let mut random = super::super::tests::Random(7);
        let (mut squares, mut bias, mut pairs) = (0.0_f64, 0.0_f64, 0.0_f64);
        for length in [30, 60, 120, 240] {
            for edits in [0, 1, 3, 6, 12, 30] {
                for _ in 0..20 {
                    let left: Vec<u64> = (0..length).map(|_| random.below(5000)).collect();
                    let mut right = left.clone();
                    for _ in 0..edits {
                        let at = random.below(length) as usize;
                        right[at] = random.below(5000);
                    }
                    let error =
                        of(&text(&left)).similarity(&of(&text(&right))) - jaccard(&left, &right);
                    squares += error * error;
                    bias += error;
                    pairs += 1.0;
                }
            }
        }
        let deviation = squares / pairs;
        assert!(deviation.sqrt() < 0.07, "{}", deviation.sqrt());
        assert!((bias / pairs).abs() < 0.01, "{}", bias / pairs);
    }

    #[test]
    fn a_threshold_is_as_many_places() {
        assert_eq!(places_needed(1.0), 64);
        assert_eq!(places_needed(0.75), 48);
        assert_eq!(places_needed(0.0), 1);
    }
}
