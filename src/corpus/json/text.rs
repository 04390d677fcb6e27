//! A string of a line and its value.

use super::Fault;
use super::marks::{Baseline, CHUNK, Marks};

/// A JSON string as it stands in the line, quotes excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    pub(super) raw: &'a str,
    pub(super) escapes: Escapes,
    pub(super) at: usize,
}

/// What has to be resolved in a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Escapes {
    None,
    Plain,
    /// Halves of surrogate pairs among them.
    Surrogates,
}

impl<'a> Text<'a> {
    /// Text in which nothing is to be resolved.
    #[must_use]
    pub(in crate::corpus) fn plain(raw: &'a str) -> Self {
        Self {
            raw,
            escapes: Escapes::None,
            at: 0,
        }
    }

    /// The text between the quotes, escapes not resolved.
    #[must_use]
    pub fn raw(self) -> &'a str {
        self.raw
    }

    /// Checks that [`Text::decode`] will not fail.
    ///
    /// # Errors
    /// As there.
    pub fn check(self) -> Result<(), Fault> {
        if self.escapes < Escapes::Surrogates {
            return Ok(());
        }
        self.decode(&mut String::new()).map(drop)
    }

    /// The string's value: the line's own bytes where it has no escapes, else `scratch`.
    ///
    /// # Errors
    /// [`Fault`] for half a surrogate pair, which no UTF-8 text can hold.
    #[inline]
    pub fn decode<'s>(self, scratch: &'s mut String) -> Result<&'s str, Fault>
    where
        'a: 's,
    {
        self.unescape::<false>(scratch)
    }

    /// [`Text::decode`] with a blank for each line feed, tab, carriage return and form feed.
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub fn decode_in_one_line<'s>(self, scratch: &'s mut String) -> Result<&'s str, Fault>
    where
        'a: 's,
    {
        // A string holds no raw control character: white space but blanks is escaped.
        if self.escapes == Escapes::None {
            return Ok(self.raw);
        }
        self.unescape::<true>(scratch)
    }

    fn unescape<const BLANKS: bool>(self, scratch: &mut String) -> Result<&str, Fault> {
        let mut out = std::mem::take(scratch).into_bytes();
        self.write::<BLANKS>(&mut out)?;
        // Whole characters of the raw text and whole characters for escapes: always UTF-8.
        *scratch = String::from_utf8(out).unwrap_or_default();
        Ok(scratch)
    }

    /// Makes `out` the value's bytes, a chunk at a time.
    fn write<const BLANKS: bool>(self, out: &mut Vec<u8>) -> Result<(), Fault> {
        let raw = self.raw.as_bytes();
        // No escape is shorter than its value; a chunk is written whole.
        out.resize(raw.len() + CHUNK, 0);
        let (mut from, mut to) = (0, 0);
        while from < raw.len() {
            let mut last = [0; CHUNK];
            let chunk = raw[from..].first_chunk::<CHUNK>().unwrap_or_else(|| {
                last[..raw.len() - from].copy_from_slice(&raw[from..]);
                &last
            });
            let slashes = Baseline.equal(chunk, b'\\');
            out[to..to + CHUNK].copy_from_slice(chunk);
            let plain = (slashes.trailing_zeros() as usize).min(raw.len() - from);
            from += plain.min(CHUNK);
            to += plain.min(CHUNK);
            if slashes != 0 {
                let (value, width) = escape(&raw[from..]).ok_or_else(|| self.half_pair(from))?;
                let white = BLANKS && matches!(value, '\n' | '\t' | '\r' | '\u{c}');
                let value = if white { ' ' } else { value };
                to += value.encode_utf8(&mut out[to..]).len();
                from += width;
            }
        }
        out.truncate(to);
        Ok(())
    }

    #[cold]
    pub(super) fn half_pair(self, from: usize) -> Fault {
        Fault {
            field: None,
            at: self.at + from,
            what: "half a surrogate pair",
        }
    }
}

/// The character that the escape at the head of `bytes` stands for, and the escape's width. The
/// scanner has checked that it is legal; none: half a surrogate pair.
#[inline]
pub(super) fn escape(bytes: &[u8]) -> Option<(char, usize)> {
    Some(match *bytes.get(1)? {
        b'n' => ('\n', 2),
        b't' => ('\t', 2),
        b'r' => ('\r', 2),
        b'b' => ('\u{8}', 2),
        b'f' => ('\u{c}', 2),
        b'u' => return unicode_escape(bytes),
        other => (char::from(other), 2),
    })
}

/// The character that `\uXXXX` (or a pair of them) at the head of `bytes` stands for, and its width.
fn unicode_escape(bytes: &[u8]) -> Option<(char, usize)> {
    let first = hex4(bytes.get(2..6)?)?;
    if !(0xd800..0xe000).contains(&first) {
        return Some((char::from_u32(first)?, 6));
    }
    let second = bytes.get(6..12).filter(|next| next.starts_with(b"\\u"))?;
    let second = hex4(&second[2..])?;
    if first >= 0xdc00 || !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    let value = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
    Some((char::from_u32(value)?, 12))
}

fn hex4(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, &digit| {
        Some(value << 4 | char::from(digit).to_digit(16)?)
    })
}
