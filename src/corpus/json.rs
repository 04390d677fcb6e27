//! A JSON scanner over one line: finds values without building them, borrows what it finds,
//! and names the byte where a line stops being JSON.

mod marks;
mod squeeze;
mod string;
mod text;
mod values;

pub use text::Text;

use std::fmt;

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

#[cfg(test)]
mod tests;
