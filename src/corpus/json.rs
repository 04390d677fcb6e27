//! A JSON scanner over one line: finds values without building them, borrows what it finds,
//! and names the byte where a line stops being JSON.

use std::fmt;

/// Nesting deeper than this is refused, as serde_json does.
const MAX_DEPTH: u32 = 127;

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

/// A JSON string as it stands in the line, quotes excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    raw: &'a str,
    escapes: Escapes,
    at: usize,
}

/// What has to be resolved in a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Escapes {
    None,
    Plain,
    /// Halves of surrogate pairs among them.
    Surrogates,
}

impl<'a> Text<'a> {
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
        if self.escapes == Escapes::None {
            return Ok(self.raw);
        }
        scratch.clear();
        self.unescape(scratch)?;
        Ok(scratch)
    }

    fn unescape(self, out: &mut String) -> Result<(), Fault> {
        let bytes = self.raw.as_bytes();
        let mut from = 0;
        while let Some(step) = memchr::memchr(b'\\', &bytes[from..]) {
            let slash = from + step;
            out.push_str(&self.raw[from..slash]);
            // The scanner has checked that a legal escape follows.
            let (value, width) = match bytes[slash + 1] {
                b'n' => ('\n', 2),
                b't' => ('\t', 2),
                b'r' => ('\r', 2),
                b'b' => ('\u{8}', 2),
                b'f' => ('\u{c}', 2),
                b'u' => {
                    let lone = Fault {
                        field: None,
                        at: self.at + slash,
                        what: "half a surrogate pair",
                    };
                    unicode_escape(&bytes[slash..]).ok_or(lone)?
                }
                other => (char::from(other), 2),
            };
            out.push(value);
            from = slash + width;
        }
        out.push_str(&self.raw[from..]);
        Ok(())
    }
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
        self.at += 1;
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut escapes = Escapes::None;
        loop {
            self.at = special(bytes, self.at);
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
                b'\\' => {
                    self.escape(&mut escapes)?;
                }
                _ => return self.fault("raw control character in a string"),
            }
        }
    }

    #[inline]
    fn escape(&mut self, escapes: &mut Escapes) -> Scan<()> {
        self.at += 1;
        if *escapes == Escapes::None {
            *escapes = Escapes::Plain;
        }
        match self.here() {
            b'n' | b'"' | b'\\' | b'/' | b'b' | b'f' | b'r' | b't' => self.at += 1,
            b'u' => {
                let Some(digits) = self.text.as_bytes().get(self.at + 1..self.at + 5) else {
                    return self.fault("illegal escape");
                };
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return self.fault("illegal escape");
                }
                if matches!(
                    digits,
                    [b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..]
                ) {
                    *escapes = Escapes::Surrogates;
                }
                self.at += 5;
            }
            _ => return self.fault("illegal escape"),
        }
        Ok(())
    }

    fn number(&mut self) -> Scan<()> {
        let digits = |scanner: &mut Self| {
            let from = scanner.at;
            while scanner.here().is_ascii_digit() {
                scanner.at += 1;
            }
            if scanner.at == from {
                scanner.fault("illegal number")
            } else {
                Ok(())
            }
        };
        if self.here() == b'-' {
            self.at += 1;
        }
        if self.here() == b'0' {
            self.at += 1;
        } else {
            digits(self)?;
        }
        if self.here() == b'.' {
            self.at += 1;
            digits(self)?;
        }
        if matches!(self.here(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.here(), b'+' | b'-') {
                self.at += 1;
            }
            digits(self)?;
        }
        Ok(())
    }

    /// Consumes any value and gives its text.
    ///
    /// # Errors
    /// [`Fault`] at the byte where it stops being JSON.
    pub fn skip(&mut self) -> Scan<&'a str> {
        self.peek();
        let start = self.at;
        // One bit a level: 1 for an object, 0 for an array.
        let mut levels: u128 = 0;
        let mut depth = 0;
        'value: loop {
            match self.peek() {
                b'"' => {
                    self.string()?;
                }
                open @ (b'[' | b'{') => {
                    self.at += 1;
                    let object = open == b'{';
                    if !self.eat(if object { b'}' } else { b']' }) {
                        if depth == MAX_DEPTH {
                            return self.fault("nested too deeply");
                        }
                        levels = levels << 1 | u128::from(object);
                        depth += 1;
                        if object {
                            self.key()?;
                        }
                        continue 'value;
                    }
                }
                b'n' => self.word("null")?,
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'-' | b'0'..=b'9' => self.number()?,
                _ => return self.fault("expected a JSON value"),
            }
            loop {
                if depth == 0 {
                    return Ok(&self.text[start..self.at]);
                }
                let object = levels & 1 == 1;
                match self.peek() {
                    b',' => {
                        self.at += 1;
                        if object {
                            self.key()?;
                        }
                        continue 'value;
                    }
                    b'}' if object => {}
                    b']' if !object => {}
                    _ => return self.fault("expected ',' or the end of the value"),
                }
                self.at += 1;
                levels >>= 1;
                depth -= 1;
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

/// Offset of the first quote, backslash or control character from `from` on, or the length.
#[inline]
fn special(bytes: &[u8], mut from: usize) -> usize {
    #[cfg(target_arch = "x86_64")]
    while let Some(chunk) = bytes.get(from..).and_then(<[u8]>::first_chunk::<16>) {
        // SAFETY: SSE2 is part of x86-64 itself.
        let mask = unsafe { special_mask(chunk) };
        if mask != 0 {
            return from + mask.trailing_zeros() as usize;
        }
        from += 16;
    }
    while from < bytes.len() && !matches!(bytes[from], b'"' | b'\\' | 0..0x20) {
        from += 1;
    }
    from
}

/// One bit a byte: quotes, backslashes and control characters.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
fn special_mask(chunk: &[u8; 16]) -> u32 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x,
        _mm_set1_epi8,
    };
    let word = u128::from_le_bytes(*chunk);
    let bytes = _mm_set_epi64x((word >> 64) as i64, word as i64);
    let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
    let slash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
    let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), control)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn skips(line: &str) -> Result<(), Fault> {
        let mut scanner = Scanner::new(line);
        scanner.skip()?;
        scanner.end()
    }

    /// serde_json reads numbers into floats and refuses those that overflow; the scanner leaves
    /// numbers alone.
    fn accepted(line: &str) -> bool {
        serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok()
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[a-z\"\\\\\n\t\u{1}é\u{1f600} ]{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_serde_writes_is_skipped_whole(value in value(), pretty in any::<bool>()) {
            let text = if pretty {
                serde_json::to_string_pretty(&value).unwrap()
            } else {
                value.to_string()
            };
            prop_assert_eq!(Scanner::new(&text).skip().unwrap(), text.as_str());
            prop_assert!(skips(&text).is_ok());
        }

        #[test]
        fn damaged_json_is_judged_as_serde_judges_it(
            value in value(),
            at in any::<prop::sample::Index>(),
            byte in prop::sample::select(&b"\"\\{}[]:,0eE+-.nt u\x01"[..]),
            cut in any::<bool>(),
        ) {
            let mut bytes = value.to_string().into_bytes();
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            if let Ok(text) = String::from_utf8(bytes) {
                let ours = skips(&text);
                prop_assert_eq!(ours.is_ok(), accepted(&text), "{}: {:?}", text, ours);
            }
        }

        #[test]
        fn any_text_is_judged_as_serde_judges_it(text in "[\\[\\]{}\",:0-9eE.\\\\nultrefas -]{0,12}") {
            prop_assert_eq!(skips(&text).is_ok(), accepted(&text), "{}", text);
        }

        #[test]
        fn strings_decode_as_serde_decodes_them(
            text in "([a-zé\u{1f600} ]|\\\\[\"\\\\/bfnrt]|\\\\u[0-9a-fA-F]{4}|\\\\ud83d\\\\ude00){0,40}"
        ) {
            let quoted = format!("\"{text}\"");
            let mut scratch = String::new();
            let ours = Scanner::new(&quoted).string().unwrap().decode(&mut scratch).map(str::to_owned);
            prop_assert_eq!(ours.ok(), serde_json::from_str::<String>(&quoted).ok());
        }
    }

    #[test]
    fn faults_name_the_byte() {
        for (line, at, what) in [
            ("{\"a\":1", 6, "the line ends early"),
            ("[1 2]", 3, "expected ',' or the end of the value"),
            ("\"\\x\"", 2, "illegal escape"),
            ("\"a\tb\"", 2, "raw control character in a string"),
            ("{} x", 3, "text after the object"),
        ] {
            let fault = skips(line).unwrap_err();
            assert_eq!((fault.at, fault.what), (at, what), "{line}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        assert!(skips(&("[".repeat(127) + &"]".repeat(127))).is_ok());
        assert_eq!(
            skips(&"[".repeat(100_000)).unwrap_err().what,
            "nested too deeply"
        );
    }
}
