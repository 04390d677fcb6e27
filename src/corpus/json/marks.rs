//! Bytes looked at 32 together. A set of marks has one bit a byte, the first the lowest.

#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Sse2 as Baseline};

/// Bytes of a chunk.
pub(super) const CHUNK: usize = 32;

/// A way of finding bytes in a chunk.
pub(super) trait Marks: Copy {
    /// The bytes that are `byte`.
    fn equal(self, chunk: &[u8; CHUNK], byte: u8) -> u32;
    /// Control characters: the bytes below a blank.
    fn control(self, chunk: &[u8; CHUNK]) -> u32;
}

/// Which bytes are escaped by the backslash before them, given where backslashes are. `carry` is
/// 1 where the chunk's first byte is one of them, then the same for the next chunk's.
///
/// In `\\\\` only every other backslash escapes. Subtracting lets each run of them borrow from
/// the bit after it in one step, as in simdjson's `json_escape_scanner.h`
/// (<https://github.com/simdjson/simdjson>).
#[inline(always)]
pub(super) fn escaped(backslashes: u32, carry: &mut u32) -> u32 {
    const ODD: u32 = 0xaaaa_aaaa;
    let starts = backslashes & !*carry;
    let codes = (starts << 1 | ODD).wrapping_sub(starts) ^ ODD;
    let escaped = codes ^ (backslashes | *carry);
    *carry = (codes & backslashes) >> (CHUNK - 1);
    escaped
}

/// The way that every processor of this kind has.
#[cfg(not(target_arch = "x86_64"))]
#[derive(Clone, Copy)]
pub(super) struct Baseline;

#[cfg(not(target_arch = "x86_64"))]
impl Marks for Baseline {
    #[inline(always)]
    fn equal(self, chunk: &[u8; CHUNK], byte: u8) -> u32 {
        marks(chunk, |other| other == byte)
    }

    #[inline(always)]
    fn control(self, chunk: &[u8; CHUNK]) -> u32 {
        marks(chunk, |byte| byte < b' ')
    }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn marks(chunk: &[u8; CHUNK], is: impl Fn(u8) -> bool) -> u32 {
    let bits = chunk.iter().enumerate();
    bits.fold(0, |bits, (at, byte)| bits | u32::from(is(*byte)) << at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(marks: impl Marks, chunk: &[u8; CHUNK]) {
        for (at, &byte) in chunk.iter().enumerate() {
            let bit = |marks: u32| marks >> at & 1 == 1;
            assert_eq!(bit(marks.equal(chunk, b'\\')), byte == b'\\');
            assert_eq!(bit(marks.equal(chunk, 0xff)), byte == 0xff);
            assert_eq!(bit(marks.control(chunk)), byte < b' ');
        }
    }

    proptest! {
        #[test]
        fn marks_are_the_bytes_they_stand_for(
            bytes in any::<[u8; CHUNK]>(),
            few in prop::collection::vec(prop::sample::select(b" \\\"\n\x1f\x20a\xff".to_vec()), CHUNK),
        ) {
            for chunk in [&bytes, few.first_chunk().unwrap()] {
                check(Baseline, chunk);
                #[cfg(target_arch = "x86_64")]
                if let Some(avx2) = Avx2::detect() {
                    check(avx2, chunk);
                }
            }
        }

        #[test]
        fn every_other_backslash_of_a_run_escapes(backslashes in any::<[u32; 2]>()) {
            let (mut carry, mut open) = (0, false);
            for marks in backslashes {
                let found = escaped(marks, &mut carry);
                for at in 0..CHUNK {
                    prop_assert_eq!(found >> at & 1 == 1, open);
                    open = !open && marks >> at & 1 == 1;
                }
            }
            prop_assert_eq!(carry == 1, open);
        }
    }
}
