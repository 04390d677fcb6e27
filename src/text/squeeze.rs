//! White space alone, without cleaning.

/// Appends `text` to `out` with runs of ASCII white space (blank, tab, line feed, form feed,
/// carriage return) as one blank and none at either end.
pub fn squeeze(text: &str, out: &mut String) {
    let text = text.trim_matches(|letter: char| letter.is_ascii_whitespace());
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let run = irregular(bytes, from);
        out.push_str(&text[from..run]);
        if run == bytes.len() {
            return;
        }
        out.push(' ');
        from = run;
        while bytes[from].is_ascii_whitespace() {
            from += 1;
        }
    }
}

/// Offset of the first white space from `from` on that is not one blank alone, or the length.
#[inline]
fn irregular(bytes: &[u8], mut from: usize) -> usize {
    #[cfg(target_arch = "x86_64")]
    while let Some(chunk) = bytes.get(from..).and_then(<[u8]>::first_chunk::<16>) {
        // SAFETY: SSE2 is part of x86-64 itself.
        let mask = unsafe { irregular_mask(chunk) };
        if mask != 0 {
            return from + mask.trailing_zeros() as usize;
        }
        // The last byte's neighbour is in the next chunk.
        from += 15;
    }
    while from < bytes.len() {
        let alone = bytes
            .get(from + 1)
            .is_none_or(|next| !next.is_ascii_whitespace());
        if bytes[from].is_ascii_whitespace() && !(bytes[from] == b' ' && alone) {
            break;
        }
        from += 1;
    }
    from
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
fn irregular_mask(chunk: &[u8; 16]) -> u32 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };
    let word = u128::from_le_bytes(*chunk);
    let bytes = _mm_set_epi64x((word >> 64) as i64, word as i64);
    let is = |byte: u8| _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8));
    let breaks = _mm_or_si128(
        _mm_or_si128(is(b'\n'), is(b'\t')),
        _mm_or_si128(is(b'\r'), is(0xc)),
    );
    let breaks = _mm_movemask_epi8(breaks) as u32;
    let white = breaks | _mm_movemask_epi8(is(b' ')) as u32;
    // The top byte's break, if it is one, is found as the next chunk's first.
    (breaks | (white & (white >> 1))) & 0x7fff
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_become_one_blank(text in "([a-zé]{0,20}[ \n\t\r\u{c}]{0,3}){0,12}") {
            let mut out = String::from("before");
            squeeze(&text, &mut out);
            let words: Vec<&str> = text.split_ascii_whitespace().collect();
            prop_assert_eq!(out, format!("before{}", words.join(" ")));
        }
    }
}
