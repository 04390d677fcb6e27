//! [`Marks`] by the instructions of x86-64: 16 bytes at a time, or 32 where the processor can.

use super::{CHUNK, Marks};
use std::arch::x86_64::{
    __m128i, __m256i, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_set_epi64x,
    _mm_set1_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
    _mm256_set1_epi8,
};

/// SSE2, which is part of x86-64 itself.
#[derive(Clone, Copy)]
pub(in super::super) struct Sse2;

impl Marks for Sse2 {
    #[inline(always)]
    fn equal(self, chunk: &[u8; CHUNK], byte: u8) -> u32 {
        // SAFETY: SSE2 is part of x86-64 itself.
        halves(chunk, |half| unsafe { equal(half, byte) })
    }

    #[inline(always)]
    fn control(self, chunk: &[u8; CHUNK]) -> u32 {
        // SAFETY: as above.
        halves(chunk, |half| unsafe { control(half) })
    }
}

#[inline(always)]
fn halves(chunk: &[u8; CHUNK], marks: impl Fn(&[u8; 16]) -> u32) -> u32 {
    let halves = chunk.as_chunks::<16>().0;
    marks(&halves[0]) | marks(&halves[1]) << 16
}

#[target_feature(enable = "sse2")]
#[inline]
fn load(bytes: &[u8; 16]) -> __m128i {
    let word = u128::from_le_bytes(*bytes);
    _mm_set_epi64x((word >> 64) as i64, word as i64)
}

#[target_feature(enable = "sse2")]
#[inline]
fn equal(bytes: &[u8; 16], byte: u8) -> u32 {
    _mm_movemask_epi8(_mm_cmpeq_epi8(load(bytes), _mm_set1_epi8(byte as i8))) as u32
}

#[target_feature(enable = "sse2")]
#[inline]
fn control(bytes: &[u8; 16]) -> u32 {
    let bytes = load(bytes);
    let most = _mm_min_epu8(bytes, _mm_set1_epi8(0x1f));
    _mm_movemask_epi8(_mm_cmpeq_epi8(most, bytes)) as u32
}

/// AVX2; there is one only where the processor has it. A caller compiled for `avx2,bmi1` takes
/// the instructions in; another calls them.
#[derive(Clone, Copy)]
pub(in super::super) struct Avx2(());

impl Avx2 {
    /// The way, where the processor has it.
    #[inline]
    pub(in super::super) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1")).then_some(Self(()))
    }
}

impl Marks for Avx2 {
    #[inline(always)]
    fn equal(self, chunk: &[u8; CHUNK], byte: u8) -> u32 {
        // SAFETY: `detect` has found AVX2.
        unsafe { wide_equal(chunk, byte) }
    }

    #[inline(always)]
    fn control(self, chunk: &[u8; CHUNK]) -> u32 {
        // SAFETY: as above.
        unsafe { wide_control(chunk) }
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn wide_load(bytes: &[u8; CHUNK]) -> __m256i {
    // SAFETY: a chunk has the 32 bytes that are read.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn wide_equal(bytes: &[u8; CHUNK], byte: u8) -> u32 {
    _mm256_movemask_epi8(_mm256_cmpeq_epi8(
        wide_load(bytes),
        _mm256_set1_epi8(byte as i8),
    )) as u32
}

#[target_feature(enable = "avx2")]
#[inline]
fn wide_control(bytes: &[u8; CHUNK]) -> u32 {
    let bytes = wide_load(bytes);
    let most = _mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f));
    _mm256_movemask_epi8(_mm256_cmpeq_epi8(most, bytes)) as u32
}
