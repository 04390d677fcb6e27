//! Entry to cleaning: the scan that finds text with nothing to do, and the three passes
//! (NFKC, rules, composition) for the rest.

use super::{latex, unicode};
use std::borrow::Cow;

/// `text` cleaned; borrowed where nothing had to change.
///
/// Idempotent, never fails, linear in the length of `text`.
pub fn clean(text: &str) -> Cow<'_, str> {
    if plain_end(text.as_bytes(), 0, false) == text.len() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    rewrite(text, &mut out);
    if out == text {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(out)
    }
}

/// Appends `text` cleaned to `out`, whose content so far plays no part.
pub fn clean_into(text: &str, out: &mut String) {
    if plain_end(text.as_bytes(), 0, false) == text.len() {
        out.push_str(text);
    } else {
        rewrite(text, out);
    }
}

fn rewrite(text: &str, out: &mut String) {
    let start = out.len();
    out.reserve(text.len());
    latex::rewrite(&unicode::compatible(text), out);
    unicode::compose(out, start);
}

/// Bytes looked at in one go, a multiple of 8.
const BLOCK: usize = 32;

/// True for a byte that starts a rule wherever it stands.
#[inline(always)]
const fn acts(byte: u8) -> bool {
    (byte < b' ')
        | (byte >= b'{') & (byte != b'|')
        | (byte == b'\\')
        | (byte == b'$')
        | (byte == b'`')
}

/// True for a byte whose neighbours decide.
#[inline(always)]
const fn depends(byte: u8) -> bool {
    (byte == b' ') | (byte == b'-') | (byte == b'\'') | (byte == b'^') | (byte == b'_')
}

/// True if `byte` between `left` and `right` stays as it is; 0 stands for no neighbour.
/// Without branches, so that the compiler can look at many bytes at once.
#[inline(always)]
const fn stays(left: u8, byte: u8, right: u8, math: bool) -> bool {
    let blank = (byte == b' ') & ((left == 0) | acts(right) | depends(right));
    let quote = (byte == b'-') | (byte == b'\'');
    let pair = quote & ((left == 0) | (left == byte) | (right == byte));
    let script = (byte == b'^') | (byte == b'_');
    let raised = script & (math | (right == b'{') | (right == b'\\'));
    !(acts(byte) | blank | pair | raised)
}

/// Where the run of bytes ends that starts at `from` and stays as it is.
pub(super) fn plain_end(text: &[u8], from: usize, math: bool) -> usize {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: this processor has AVX2.
        return unsafe { plain_end_avx2(text, from, math) };
    }
    scan(text, from, math)
}

/// [`scan`], compiled to look at a block in one instruction.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn plain_end_avx2(text: &[u8], from: usize, math: bool) -> usize {
    scan(text, from, math)
}

#[inline(always)]
fn scan(text: &[u8], from: usize, math: bool) -> usize {
    let byte = |at: usize| text.get(at).copied().unwrap_or(0);
    if from >= text.len() || !stays(0, byte(from), byte(from + 1), math) {
        return from;
    }
    let mut at = from + 1;
    // A block has a neighbour on either side.
    while let Some(window) = text[at - 1..].first_chunk() {
        let clear = clear_bytes(window, math);
        at += clear;
        if clear < BLOCK {
            return at;
        }
    }
    // Zeros stand for no neighbour, and stop the run at the text's end.
    let mut last = [0; BLOCK + 2];
    let rest = &text[at - 1..];
    last[..rest.len()].copy_from_slice(rest);
    at + clear_bytes(&last, math)
}

/// How many of the bytes in the middle of `window`, which has one more at either end, stay
/// before the first that does not.
#[inline(always)]
fn clear_bytes(window: &[u8; BLOCK + 2], math: bool) -> usize {
    let mut acts = [0_u8; BLOCK];
    let neighbours = window.iter().zip(&window[1..]).zip(&window[2..]);
    for (mark, ((&left, &byte), &right)) in acts.iter_mut().zip(neighbours) {
        *mark = u8::from(!stays(left, byte, right, math));
    }
    for (word, bytes) in acts.as_chunks::<8>().0.iter().enumerate() {
        let marks = u64::from_le_bytes(*bytes);
        if marks != 0 {
            return word * 8 + marks.trailing_zeros() as usize / 8;
        }
    }
    BLOCK
}
