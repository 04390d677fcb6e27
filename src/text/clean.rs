//! Entry to cleaning: the scan that finds text with nothing to do, and the three passes
//! (NFKC, rules, composition) for the rest.

use super::squeeze::squeeze;
use super::{latex, unicode};
use std::borrow::Cow;

/// `text` cleaned; borrowed where nothing had to change.
///
/// Idempotent, never fails, linear in the length of `text`.
pub fn clean(text: &str) -> Cow<'_, str> {
    if cfg!(feature = "raw-text") {
        let mut out = String::with_capacity(text.len());
        squeeze(text, &mut out);
        return Cow::Owned(out);
    }
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
    if cfg!(feature = "raw-text") {
        return squeeze(text, out);
    }
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

/// Bytes looked at together.
const WINDOW: usize = 64;
/// Bytes of a window with a neighbour in it on either side.
const INNER: usize = WINDOW - 2;

/// Where the run of bytes ends that starts at `from` and stays as it is.
pub(super) fn plain_end(text: &[u8], from: usize, math: bool) -> usize {
    let byte = |at: usize| text.get(at).copied().unwrap_or(0);
    if from >= text.len() || !stays(0, byte(from), byte(from + 1), math) {
        return from;
    }
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") {
        // SAFETY: this processor has both.
        return unsafe { scan_avx2(text, from, math) };
    }
    scan(text, from, math, stops_of_any)
}

/// [`scan`] with the window's marks taken in a few instructions.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1")]
fn scan_avx2(text: &[u8], from: usize, math: bool) -> usize {
    scan(text, from, math, |window, math| stops_avx2(window, math))
}

/// Where the run ends whose first byte, at `from`, is known to stay. `stops` has one bit for
/// each byte of a window, the first the lowest: set for bytes that do not stay.
#[inline(always)]
fn scan(text: &[u8], from: usize, math: bool, stops: impl Fn(&[u8; WINDOW], bool) -> u64) -> usize {
    // Neither the first nor the last byte of a window has both neighbours.
    const SEEN: u64 = (u64::MAX >> 2) << 1;
    let mut at = from + 1;
    while let Some(window) = text[at - 1..].first_chunk() {
        let marks = stops(window, math) & SEEN;
        if marks != 0 {
            return at - 1 + marks.trailing_zeros() as usize;
        }
        at += INNER;
    }
    // Zeros stand for no neighbour, and stop the run at the text's end.
    let mut last = [0; WINDOW];
    let rest = &text[at - 1..];
    last[..rest.len()].copy_from_slice(rest);
    let marks = stops(&last, math) & SEEN;
    // A window that is full but for its last byte has no zero with two neighbours.
    at - 1 + (marks.trailing_zeros() as usize).min(rest.len())
}

fn stops_of_any(window: &[u8; WINDOW], math: bool) -> u64 {
    let inner = window.windows(3).enumerate();
    inner.fold(0, |bits, (at, near)| {
        bits | u64::from(!stays(near[0], near[1], near[2], math)) << (at + 1)
    })
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
fn stops_avx2(window: &[u8; WINDOW], math: bool) -> u64 {
    use std::arch::x86_64::{
        __m256i, _mm256_andnot_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_max_epu8,
        _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
    };
    let halves = [0, 32].map(|at| {
        // SAFETY: 32 bytes from `at`, 0 or 32, are inside the 64.
        unsafe { _mm256_loadu_si256(window[at..].as_ptr().cast::<__m256i>()) }
    });
    let all = |byte: u8| _mm256_set1_epi8(byte as i8);
    let bits = |marks: [__m256i; 2]| {
        let [low, high] = marks.map(|marks| u64::from(_mm256_movemask_epi8(marks) as u32));
        low | high << 32
    };
    let is = |byte: u8| halves.map(|half| _mm256_cmpeq_epi8(half, all(byte)));
    let or = |left: [__m256i; 2], right: [__m256i; 2]| {
        [0, 1].map(|half| _mm256_or_si256(left[half], right[half]))
    };
    let (brace, slash, bar) = (is(b'{'), is(b'\\'), is(b'|'));
    let from_brace = halves.map(|half| _mm256_cmpeq_epi8(_mm256_max_epu8(half, all(b'{')), half));
    let control = halves.map(|half| _mm256_cmpeq_epi8(_mm256_min_epu8(half, all(0x1f)), half));
    let high = [0, 1].map(|half| _mm256_andnot_si256(bar[half], from_brace[half]));
    let acts = or(or(control, high), or(slash, or(is(b'$'), is(b'`'))));
    let (acts, blank) = (bits(acts), bits(is(b' ')));
    let (dash, quote) = (bits(is(b'-')), bits(is(b'\'')));
    let script = bits(or(is(b'^'), is(b'_')));
    let opens = bits(or(brace, slash));
    let depends = blank | dash | quote | script;
    let twice = |marks: u64| marks & (marks << 1 | marks >> 1);
    let raised = if math { script } else { script & (opens >> 1) };
    acts | (blank & ((acts | depends) >> 1)) | twice(dash) | twice(quote) | raised
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_end_alike_on_every_processor(
            text in "[a-z]{0,70}([a-z]{0,5}[ \\-'^_{}\\\\$`|~é\u{1}]{0,2}[a-z]{0,40}){0,6}",
            start in 0..60_usize,
            math in any::<bool>(),
        ) {
            let bytes = text.as_bytes();
            let from = start.min(bytes.len());
            let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
            let left = |at: usize| if at == from { 0 } else { byte(at - 1) };
            let expected = (from..bytes.len())
                .find(|&at| !stays(left(at), byte(at), byte(at + 1), math))
                .unwrap_or(bytes.len());
            prop_assert_eq!(plain_end(bytes, from, math), expected);
            if expected > from {
                prop_assert_eq!(scan(bytes, from, math, stops_of_any), expected);
            }
        }
    }
}
