//! A string's value with its white space squeezed, in one pass over the line.

use super::Fault;
use super::marks::{Baseline, CHUNK, Marks};
use super::text::{Text, escape};

#[cfg(target_arch = "x86_64")]
use super::marks::Avx2;

impl Text<'_> {
    /// Appends the string's value to `out` with runs of ASCII white space (blank, tab, line feed,
    /// form feed, carriage return) as one blank and none at either end.
    ///
    /// # Errors
    /// [`Fault`] for half a surrogate pair; what came before it has been appended then.
    pub fn squeeze_into(self, out: &mut String) -> Result<(), Fault> {
        // Room for the value, for the blanks that one chunk is too long, and for a character.
        out.reserve(self.raw().len() + CHUNK + 4);
        // SAFETY: whole characters of the raw text and whole characters for escapes are appended:
        // a run that is copied in two parts is copied to its end.
        let bytes = unsafe { out.as_mut_vec() };
        let start = bytes.len();
        let result = self.squeeze_bytes(bytes);
        if bytes.len() > start && bytes.last() == Some(&b' ') {
            bytes.pop();
        }
        result
    }

    fn squeeze_bytes(self, out: &mut Vec<u8>) -> Result<(), Fault> {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Avx2::detect() {
            // SAFETY: this processor has both features.
            return unsafe { self.squeeze_avx2(avx2, out) };
        }
        self.squeeze_by(Baseline, out)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1")]
    fn squeeze_avx2(self, marks: Avx2, out: &mut Vec<u8>) -> Result<(), Fault> {
        self.squeeze_by(marks, out)
    }

    /// A string holds no raw control character: white space but blanks is escaped.
    #[inline(always)]
    fn squeeze_by(self, marks: impl Marks, out: &mut Vec<u8>) -> Result<(), Fault> {
        let raw = self.raw().as_bytes();
        let mut from = 0;
        // Leading white space is left out as that after white space is.
        let mut white = true;
        while from < raw.len() {
            let mut last = [b'\\'; CHUNK];
            let chunk = raw[from..].first_chunk::<CHUNK>().unwrap_or_else(|| {
                last[..raw.len() - from].copy_from_slice(&raw[from..]);
                &last
            });
            let blanks = marks.equal(chunk, b' ');
            let again = blanks & (blanks << 1 | u32::from(white));
            let stops = marks.equal(chunk, b'\\') | again;
            let plain = stops.trailing_zeros() as usize;
            // The whole chunk is cheaper to write than a part of it.
            let end = out.len();
            out.extend_from_slice(chunk);
            out.truncate(end + plain);
            from += plain;
            if plain > 0 {
                white = blanks >> (plain - 1) & 1 == 1;
            }
            if plain == CHUNK || from == raw.len() {
                continue;
            }
            if raw[from] == b' ' {
                from += 1;
                continue;
            }
            let (value, width) = escape(&raw[from..]).ok_or_else(|| self.half_pair(from))?;
            from += width;
            if value.is_ascii_whitespace() {
                if !white {
                    out.push(b' ');
                }
                white = true;
            } else {
                out.extend_from_slice(value.encode_utf8(&mut [0; 4]).as_bytes());
                white = false;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Scanner;
    use proptest::prelude::*;

    fn squeezed(value: &str, escape_all: bool) -> String {
        let json = if escape_all {
            let units = value.encode_utf16();
            let escapes: String = units.map(|unit| format!("\\u{unit:04x}")).collect();
            format!("\"{escapes}\"")
        } else {
            serde_json::to_string(value).unwrap()
        };
        let mut out = String::from("before ");
        let text = Scanner::new(&json).string().unwrap();
        text.squeeze_into(&mut out).unwrap();
        out.split_off("before ".len())
    }

    proptest! {
        #[test]
        fn runs_become_one_blank(
            text in "([a-z\\\\é€\u{1f600}\u{b}\u{1f}\"]{0,20}[ \n\t\r\u{c}]{0,3}){0,12}",
        ) {
            let words: Vec<&str> = text.split_ascii_whitespace().collect();
            prop_assert_eq!(squeezed(&text, false), words.join(" "));
            prop_assert_eq!(squeezed(&text, true), words.join(" "));
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_told() {
        let text = Scanner::new(r#""well \ud83d then""#).string().unwrap();
        let fault = text.squeeze_into(&mut String::new()).unwrap_err();
        assert_eq!((fault.what, fault.at), ("half a surrogate pair", 6));
    }
}
