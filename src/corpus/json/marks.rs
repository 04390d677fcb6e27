//! Bytes looked at 32 together.

/// Bytes of a chunk.
pub(super) const CHUNK: usize = 32;

/// One bit a byte, the first the lowest: quotes, backslashes and control characters.
#[inline(always)]
pub(super) fn special(chunk: &[u8; CHUNK]) -> u32 {
    marks::<true>(chunk)
}

/// One bit a byte, the first the lowest: backslashes.
#[inline(always)]
pub(super) fn backslashes(chunk: &[u8; CHUNK]) -> u32 {
    marks::<false>(chunk)
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn marks<const ALL: bool>(chunk: &[u8; CHUNK]) -> u32 {
    let halves = chunk.as_chunks::<16>().0;
    // SAFETY: SSE2 is part of x86-64 itself.
    unsafe { half::<ALL>(&halves[0]) | half::<ALL>(&halves[1]) << 16 }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
fn half<const ALL: bool>(bytes: &[u8; 16]) -> u32 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
        _mm_set1_epi8,
    };
    let word = u128::from_le_bytes(*bytes);
    let bytes = _mm_set_epi64x((word >> 64) as i64, word as i64);
    let mut found = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
    if ALL {
        let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
        let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        found = _mm_or_si128(_mm_or_si128(found, quote), control);
    }
    _mm_movemask_epi8(found) as u32
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn marks<const ALL: bool>(chunk: &[u8; CHUNK]) -> u32 {
    let is = |byte: u8| byte == b'\\' || ALL && (byte == b'"' || byte < 0x20);
    let bits = chunk.iter().enumerate();
    bits.fold(0, |bits, (at, byte)| bits | u32::from(is(*byte)) << at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn marks_are_the_bytes_they_stand_for(chunk in any::<[u8; CHUNK]>()) {
            for (at, byte) in chunk.into_iter().enumerate() {
                let is = matches!(byte, b'"' | b'\\' | 0..0x20);
                prop_assert_eq!(special(&chunk) >> at & 1 == 1, is);
                prop_assert_eq!(backslashes(&chunk) >> at & 1 == 1, byte == b'\\');
            }
        }
    }
}
