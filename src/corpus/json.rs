//! A JSON scanner over one line: finds values without building them, borrows what it finds,
//! and names the byte where a line stops being JSON.

mod marks;
mod text;
mod values;

pub use text::Text;

use marks::{CHUNK, special};
use std::fmt;
use text::Escapes;

/// Why a line is not the JSON expected of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Name of the top-level field being read.
    pub field: Option<&'static str>,
    /// Byte offset in the line.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = self.field {
            write!(f, "field \"{field}\": ")?;
        }
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

/// A cursor over one line of JSON.
#[derive(Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

type Scan<T> = Result<T, Fault>;

impl<'a> Scanner<'a> {
    /// A cursor at the start of `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Byte offset of the cursor.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    #[cold]
    fn fault<T>(&self, what: &'static str) -> Scan<T> {
        let what = if self.at >= self.text.len() {
            "the line ends early"
        } else {
            what
        };
        Err(Fault {
            field: None,
            at: self.at,
            what,
        })
    }

    #[inline]
    fn here(&self) -> u8 {
        // NUL is legal nowhere outside a string, so the end reads as an illegal byte.
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    #[inline]
    fn blanks(&mut self) {
        while matches!(self.here(), b' ' | b'\n' | b'\t' | b'\r') {
            self.at += 1;
        }
    }

    /// The next byte that is not blank, not consumed; 0 at the end.
    #[inline]
    pub fn peek(&mut self) -> u8 {
        let byte = self.here();
        if byte > b' ' {
            return byte;
        }
        self.blanks();
        self.here()
    }

    /// Consumes `byte` if it comes next.
    #[inline]
    pub fn eat(&mut self, byte: u8) -> bool {
        if self.peek() != byte {
            return false;
        }
        self.at += 1;
        true
    }

    /// Consumes `byte`.
    ///
    /// # Errors
    /// [`Fault`] `what` where another byte comes next.
    #[inline]
    pub fn expect(&mut self, byte: u8, what: &'static str) -> Scan<()> {
        if self.eat(byte) {
            Ok(())
        } else {
            self.fault(what)
        }
    }

    /// Consumes `word`, of which `mask` covers as many bytes as there are, and `length` bytes, if
    /// it comes next, blanks not looked for.
    #[inline(always)]
    pub(super) fn literal(&mut self, word: u128, mask: u128, length: usize) -> bool {
        let next = self.text.as_bytes().get(self.at..);
        let Some(bytes) = next.and_then(<[u8]>::first_chunk::<16>) else {
            return false;
        };
        let found = u128::from_le_bytes(*bytes) & mask == word;
        self.at += if found { length } else { 0 };
        found
    }

    /// Checks that nothing but blanks is left.
    ///
    /// # Errors
    /// [`Fault`] where something is.
    pub fn end(&mut self) -> Scan<()> {
        self.blanks();
        if self.at == self.text.len() {
            Ok(())
        } else {
            self.fault("text after the object")
        }
    }

    /// Consumes `null` if it comes next.
    ///
    /// # Errors
    /// [`Fault`] for another word that starts with `n`.
    #[inline]
    pub fn null(&mut self) -> Scan<bool> {
        if self.peek() != b'n' {
            return Ok(false);
        }
        self.word("null").map(|()| true)
    }

    fn word(&mut self, word: &'static str) -> Scan<()> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            self.fault("expected a JSON value")
        }
    }

    /// Consumes a string.
    ///
    /// # Errors
    /// [`Fault`] where none comes next, or at an illegal escape or raw control character.
    #[inline]
    pub fn string(&mut self) -> Scan<Text<'a>> {
        if self.peek() != b'"' {
            return self.fault("expected a string");
        }
        match self.quick_string() {
            Some(text) => Ok(text),
            None => self.slow_string(),
        }
    }

    /// Consumes the string whose quote is next, a chunk at a time; none, and the cursor where it
    /// was, for a string with a fault or one within the text's last bytes.
    #[inline(always)]
    fn quick_string(&mut self) -> Option<Text<'a>> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut from = start;
        let mut escapes = Escapes::None;
        loop {
            let mut marks = special(bytes.get(from..)?.first_chunk::<CHUNK>()?);
            loop {
                if marks == 0 {
                    from += CHUNK;
                    break;
                }
                let at = from + marks.trailing_zeros() as usize;
                if bytes[at] == b'"' {
                    self.at = at + 1;
                    let raw = &self.text[start..at];
                    return Some(Text {
                        raw,
                        escapes,
                        at: start,
                    });
                }
                let after = at + escape(&bytes[at..], &mut escapes)? - from;
                if after >= CHUNK {
                    from += after;
                    break;
                }
                marks &= u32::MAX << after;
            }
        }
    }

    /// Consumes the string whose quote is next, byte by byte, and says what is wrong with it.
    #[inline(never)]
    fn slow_string(&mut self) -> Scan<Text<'a>> {
        self.at += 1;
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut escapes = Escapes::None;
        loop {
            match self.here() {
                b'"' => {
                    let raw = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(Text {
                        raw,
                        escapes,
                        at: start,
                    });
                }
                b'\\' => match escape(&bytes[self.at..], &mut escapes) {
                    Some(width) => self.at += width,
                    None => {
                        self.at += 1;
                        return self.fault("illegal escape");
                    }
                },
                0..0x20 => return self.fault("raw control character in a string"),
                _ => self.at += 1,
            }
        }
    }

    /// Consumes a key and its colon.
    ///
    /// # Errors
    /// [`Fault`] where either is missing.
    #[inline]
    pub fn key(&mut self) -> Scan<Text<'a>> {
        if self.peek() != b'"' {
            return self.fault("expected a key");
        }
        let key = self.string()?;
        self.expect(b':', "expected ':'")?;
        Ok(key)
    }
}

/// The width of the escape at the head of `bytes`, noted in `escapes`; none where it is illegal.
#[inline(always)]
fn escape(bytes: &[u8], escapes: &mut Escapes) -> Option<usize> {
    if bytes[0] != b'\\' {
        return None;
    }
    if *escapes == Escapes::None {
        *escapes = Escapes::Plain;
    }
    match *bytes.get(1)? {
        b'n' | b'"' | b'\\' | b'/' | b'b' | b'f' | b'r' | b't' => Some(2),
        b'u' => {
            let digits = bytes.get(2..6)?;
            if let [b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..] = digits {
                *escapes = Escapes::Surrogates;
            }
            digits.iter().all(u8::is_ascii_hexdigit).then_some(6)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
