//! Text as duplicates are compared: case folded, letters and digits only, cut into words.
//!
//! Every paper of the snapshot passes through here, so words are found 64 bytes at a time and
//! hashed 16 bytes at a time, with no branch on what a byte is.

use crate::text::beyond_ascii;

/// Bytes looked at together when words are looked for.
const BLOCK: usize = 64;
/// Edges of words that are written together.
const BATCH: usize = 8;
/// Bytes of a word that are folded and hashed together.
const CHUNK: usize = 16;
/// Buffers longer than this are not kept from one text to the next.
const KEEP: usize = 1 << 20;

/// One or more texts cut into words; the buffers are reused.
#[derive(Debug, Default)]
pub(super) struct Normal {
    /// The text being read, case folded, with zeros after it up to a whole block and a chunk more.
    raw: Vec<u8>,
    /// Where words begin and end in `raw`, in turn; only the first ones are of this text.
    edges: Vec<u32>,
    hashes: Vec<u64>,
}

impl Normal {
    /// Forgets what was read.
    pub(super) fn clear(&mut self) {
        if self.raw.len() > KEEP {
            *self = Self::default();
        }
        self.hashes.clear();
    }

    /// Appends `text`; its first word is a new word.
    pub(super) fn push(&mut self, text: &str) {
        self.raw.clear();
        if text.is_ascii() {
            self.raw.extend_from_slice(text.as_bytes());
        } else {
            plain(text, &mut self.raw);
        }
        // The bit that tells ASCII's cases apart is set in its digits anyway.
        for byte in &mut self.raw {
            *byte |= (!*byte & 0x80) >> 2;
        }
        let blocks = self.raw.len() / BLOCK + 1;
        self.raw.resize(blocks * BLOCK + CHUNK, 0);
        let most = blocks * BLOCK + BATCH;
        if self.edges.len() < most {
            self.edges.resize(most, 0);
        }
        let edges = find_words(&self.raw[..blocks * BLOCK], &mut self.edges);
        let (words, _) = self.edges[..edges].as_chunks::<2>();
        self.hashes.reserve(words.len());
        self.hashes.extend(words.iter().map(|&[start, end]| {
            let (mut at, end) = (start as usize, end as usize);
            let mut state = (end - at) as u64;
            loop {
                let left = end - at;
                let (low, high) = load(&self.raw[at..], left);
                state = mix(
                    low ^ state ^ 0xa076_1d64_78bd_642f,
                    high ^ 0xe703_7ed1_a0b4_28db,
                );
                if left <= CHUNK {
                    return state;
                }
                at += CHUNK;
            }
        }));
    }

    /// A hash of each word read.
    pub(super) fn words(&self) -> &[u64] {
        &self.hashes
    }

    /// A hash of all words read, in their order.
    pub(super) fn text(&self) -> u64 {
        // A sum over words and their places: no step waits for the one before.
        let mut place = 0_u64;
        self.hashes
            .iter()
            .fold(self.hashes.len() as u64, |sum, word| {
                place = place.wrapping_add(0x9e37_79b9_7f4a_7c15);
                sum.wrapping_add(mix(word ^ place, 0x9fb2_1c65_1e98_df25))
            })
    }
}

/// Fills `edges`, which has room for one a byte and a batch, from whole blocks; how many there are.
fn find_words(raw: &[u8], edges: &mut [u32]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("popcnt")
    {
        // SAFETY: this processor has them.
        return unsafe { find_words_avx2(raw, edges) };
    }
    edges_of(raw, edges, letters_of_any)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn find_words_avx2(raw: &[u8], edges: &mut [u32]) -> usize {
    edges_of(raw, edges, |block| letters_avx2(block))
}

#[inline(always)]
fn edges_of(raw: &[u8], edges: &mut [u32], letters: impl Fn(&[u8; BLOCK]) -> u64) -> usize {
    let (mut found, mut inside) = (0, 0);
    for (block, bytes) in raw.as_chunks::<BLOCK>().0.iter().enumerate() {
        let letters = letters(bytes);
        let mut changes = letters ^ (letters << 1 | inside);
        inside = letters >> 63;
        let end = found + changes.count_ones() as usize;
        // Whole batches: few branches, and what is too much is overwritten.
        while found < end {
            if let Some(batch) = edges[found..].first_chunk_mut::<BATCH>() {
                for edge in batch {
                    *edge = (block * BLOCK) as u32 + changes.trailing_zeros();
                    changes &= changes.wrapping_sub(1);
                }
            }
            found += BATCH;
        }
        found = end;
    }
    found
}

/// `text` with letters and digits beyond ASCII in lower case and a blank for everything else
/// beyond ASCII, so that every byte from 0x80 on belongs to a word.
fn plain(text: &str, out: &mut Vec<u8>) {
    let mut rest = text;
    while !rest.is_empty() {
        let ascii = beyond_ascii(rest.as_bytes());
        let (run, tail) = rest.split_at(ascii.unwrap_or(rest.len()));
        out.extend_from_slice(run.as_bytes());
        let mut letters = tail.chars();
        if let Some(letter) = letters.next() {
            if letter.is_alphanumeric() {
                // The lower case of İ brings a combining mark along.
                for lower in letter
                    .to_lowercase()
                    .filter(|lower| lower.is_alphanumeric())
                {
                    out.extend_from_slice(lower.encode_utf8(&mut [0; 4]).as_bytes());
                }
            } else {
                out.push(b' ');
            }
        }
        rest = letters.as_str();
    }
}

/// One bit for each of [`BLOCK`] bytes, the first the lowest: set for letters and digits.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn letters_avx2(bytes: &[u8; BLOCK]) -> u64 {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
        _mm256_or_si256, _mm256_set1_epi8, _mm256_sub_epi8,
    };
    let half = |at: usize| {
        // SAFETY: 32 bytes from `at`, 0 or 32, are inside the 64.
        let bytes = unsafe { _mm256_loadu_si256(bytes[at..].as_ptr().cast::<__m256i>()) };
        let below = |bytes, first: u8, count: u8| {
            let from_first = _mm256_sub_epi8(bytes, _mm256_set1_epi8(first as i8));
            let last = _mm256_set1_epi8((count - 1) as i8);
            _mm256_cmpeq_epi8(_mm256_min_epu8(from_first, last), from_first)
        };
        let lower = _mm256_or_si256(bytes, _mm256_set1_epi8(0x20));
        let ascii = _mm256_or_si256(below(lower, b'a', 26), below(bytes, b'0', 10));
        // The top bit is what tells bytes beyond ASCII.
        u64::from(_mm256_movemask_epi8(_mm256_or_si256(ascii, bytes)) as u32)
    };
    half(0) | half(32) << 32
}

/// [`letters_avx2`] on any processor.
#[inline]
fn letters_of_any(bytes: &[u8; BLOCK]) -> u64 {
    let mut flags = [0_u8; BLOCK];
    for (flag, &byte) in flags.iter_mut().zip(bytes) {
        let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        let digit = byte.wrapping_sub(b'0') < 10;
        *flag = u8::from(letter | digit | (byte >= 0x80));
    }
    let mut bits = 0;
    for (at, flags) in flags.chunks_exact(8).enumerate() {
        // The product's top byte holds the lowest bit of each of the eight bytes.
        let gathered = word(flags).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= gathered << (8 * at);
    }
    bits
}

/// The first `left` of [`CHUNK`] bytes, then zeros, as two words.
#[inline]
fn load(bytes: &[u8], left: usize) -> (u64, u64) {
    const MASKS: [u128; CHUNK + 1] = {
        let mut masks = [u128::MAX; CHUNK + 1];
        let mut left = 0;
        while left < CHUNK {
            masks[left] = (1 << (8 * left)) - 1;
            left += 1;
        }
        masks
    };
    let bytes = bytes
        .first_chunk()
        .map_or(0, |bytes| u128::from_le_bytes(*bytes));
    let kept = bytes & MASKS[left.min(CHUNK)];
    (kept as u64, (kept >> 64) as u64)
}

fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(word)
}

/// Folds the 128-bit product into 64 bits, the mixing step of wyhash
/// (<https://github.com/wangyi-fudan/wyhash>).
pub(super) fn mix(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests;
