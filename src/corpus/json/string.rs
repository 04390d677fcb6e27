//! Strings: where they end, and whether their escapes are legal.

use super::marks::{Baseline, CHUNK, Marks, escaped};
use super::text::{Escapes, Text};
use super::{Scan, Scanner};

#[cfg(target_arch = "x86_64")]
use super::marks::Avx2;

impl<'a> Scanner<'a> {
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
    #[inline]
    fn quick_string(&mut self) -> Option<Text<'a>> {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::detect() {
            // SAFETY: this processor has both features.
            return unsafe { self.quick_string_avx2(avx2) };
        }
        self.quick_string_by(Baseline)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1")]
    fn quick_string_avx2(&mut self, marks: Avx2) -> Option<Text<'a>> {
        self.quick_string_by(marks)
    }

    /// Looks at each chunk as a whole: where a backslash stands is hard to foresee, so the common
    /// escapes take no branch.
    #[inline(always)]
    fn quick_string_by(&mut self, marks: impl Marks) -> Option<Text<'a>> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut from = start;
        let mut escapes = Escapes::None;
        let (mut any, mut carry) = (0, 0);
        loop {
            let chunk = bytes.get(from..)?.first_chunk::<CHUNK>()?;
            let backslashes = marks.equal(chunk, b'\\');
            let quotes = marks.equal(chunk, b'"');
            let escaped = escaped(backslashes, &mut carry);
            let stops = quotes & !escaped | marks.control(chunk);
            // All bits below the first stop.
            let before = stops.wrapping_sub(1) & !stops;
            any |= backslashes & before;
            let common = backslashes | quotes | marks.equal(chunk, b'n');
            let mut rest = escaped & before & !common;
            while rest != 0 {
                let at = from + rest.trailing_zeros() as usize;
                escape(&bytes[at - 1..], &mut escapes)?;
                rest &= rest - 1;
            }
            if stops != 0 {
                let at = from + stops.trailing_zeros() as usize;
                if bytes[at] != b'"' {
                    return None;
                }
                if any != 0 && escapes == Escapes::None {
                    escapes = Escapes::Plain;
                }
                self.at = at + 1;
                let raw = &self.text[start..at];
                return Some(Text {
                    raw,
                    escapes,
                    at: start,
                });
            }
            from += CHUNK;
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
