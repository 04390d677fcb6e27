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

/// Bytes by what they may start: 0 nothing, 1 depends on its neighbours, 2 a rule.
const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        class[byte] = match byte as u8 {
            b' ' | b'-' | b'\'' | b'^' | b'_' => 1,
            b'\\' | b'$' | b'{' | b'}' | b'~' | b'`' => 2,
            0..=0x1f | 0x7f.. => 2,
            _ => 0,
        };
        byte += 1;
    }
    class
};

/// Where the run of bytes ends that starts at `from` and stays as it is.
pub(super) fn plain_end(text: &[u8], from: usize, math: bool) -> usize {
    let mut at = from;
    while let Some(&byte) = text.get(at) {
        match CLASS[byte as usize] {
            0 => {}
            1 if stays(text, from, at, byte, math) => {}
            _ => break,
        }
        at += 1;
    }
    at
}

#[inline]
fn stays(text: &[u8], from: usize, at: usize, byte: u8, math: bool) -> bool {
    let next = text.get(at + 1).copied();
    match byte {
        b'^' | b'_' => !math && !matches!(next, Some(b'{' | b'\\')),
        b' ' => at > from && next.is_some_and(|next| CLASS[next as usize] == 0),
        _ => at > from && text[at - 1] != byte && next != Some(byte),
    }
}
