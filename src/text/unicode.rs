//! Unicode before and after the LaTeX rules.
//!
//! Compatibility composition (NFKC) rather than NFC: a BERT vocabulary has no ligatures,
//! full-width forms, mathematical alphabets or no-break spaces, so `ﬁeld`, `𝔼` and `ℝ` would
//! all be unknown to the model, and the same word typed twice would be two words to n-grams.
//! Superscripts alone are kept apart (`10²` → `10^2`, as LaTeX sources have it): plain NFKC
//! would make it 102. Quotes, minus signs and hyphens become their ASCII form.

use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick, is_nfkc_quick};

/// The text in NFKC, superscripts marked by `^`.
pub(super) fn compatible(text: &str) -> Cow<'_, str> {
    let settled = |part: &str| is_nfkc_quick(part.chars()) == IsNormalized::Yes;
    by_runs(text, settled, |part, out| {
        let mut marked = String::with_capacity(part.len() + 8);
        let mut raised = false;
        for c in part.chars() {
            let superscript = matches!(c, '²' | '³' | '¹' | '⁰' | 'ⁱ' | '⁴'..='ⁿ');
            if superscript && !raised {
                marked.push('^');
            }
            raised = superscript;
            // Spacing accents decompose into a space and a mark; people type them as quotes.
            marked.push(if c == '´' { '\'' } else { c });
        }
        out.extend(marked.nfkc());
    })
}

/// Composes what the rules brought together in `out` from byte `start` on.
pub(super) fn compose(out: &mut String, start: usize) {
    let settled = |part: &str| is_nfc_quick(part.chars()) == IsNormalized::Yes;
    let composed = by_runs(&out[start..], settled, |part, out| out.extend(part.nfc()));
    if let Cow::Owned(composed) = composed {
        out.truncate(start);
        out.push_str(&composed);
    }
}

/// `text` with every run of characters beyond ASCII, the ASCII character before it included,
/// normalised by `normalise` unless it is `settled`.
///
/// The same as normalising all of it: no mark is ASCII, and no character composes with an ASCII
/// one after it, so nothing reaches over a run's ends.
fn by_runs(
    text: &str,
    settled: impl Fn(&str) -> bool,
    normalise: impl Fn(&str, &mut String),
) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut at, mut copied) = (0, 0);
    while let Some(step) = beyond_ascii(&bytes[at..]) {
        let from = at + step.saturating_sub(1);
        let first = at + step;
        let run = bytes[first..].iter().take_while(|byte| !byte.is_ascii());
        at = first + run.count();
        let part = &text[from..at];
        if !settled(part) {
            out.reserve(text.len() + 8);
            out.push_str(&text[copied..from]);
            normalise(part, &mut out);
            copied = at;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// Offset of the first byte that is not ASCII.
#[must_use]
pub fn beyond_ascii(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 64;
    // By far most texts are: one look at all of it is the fastest.
    if bytes.is_ascii() {
        return None;
    }
    let ascii = bytes.chunks(BLOCK).take_while(|block| block.is_ascii());
    let from = (ascii.count() * BLOCK).min(bytes.len());
    let step = bytes[from..].iter().position(|byte| !byte.is_ascii())?;
    Some(from + step)
}

/// What one non-LaTeX character becomes; `None`: it is left out.
pub(super) fn character(c: char) -> Option<char> {
    Some(match c {
        ' '..='~' => c,
        _ if c.is_whitespace() => ' ',
        _ if c.is_control() => return None,
        '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => return None,
        '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' => return None,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' => return None,
        '‘' | '’' | '‚' | '‛' | '′' => '\'',
        '“' | '”' | '„' | '‟' => '"',
        '‐' | '‑' | '‒' | '−' => '-',
        '⁄' => '/',
        _ => c,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_normalise_as_the_whole_text_does(
            text in "[a-cA \u{300}-\u{304}\u{323}\u{b4}éÅﬁℝ\u{1100}-\u{1102}\u{1161}\u{11a8}가〱\u{64b}]{0,40}",
        ) {
            let mut composed = format!("before {text}");
            compose(&mut composed, 7);
            prop_assert_eq!(&composed[7..], text.nfc().collect::<String>());
            let plain = text.replace('´', "'");
            prop_assert_eq!(compatible(&text), plain.nfkc().collect::<String>());
        }
    }
}
