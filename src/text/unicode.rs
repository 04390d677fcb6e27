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
    if text.is_ascii() || is_nfkc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    let mut marked = String::with_capacity(text.len() + 8);
    let mut raised = false;
    for c in text.chars() {
        let superscript = matches!(c, '²' | '³' | '¹' | '⁰' | 'ⁱ' | '⁴'..='ⁿ');
        if superscript && !raised {
            marked.push('^');
        }
        raised = superscript;
        // Spacing accents decompose into a space and a mark; people type them as quotes.
        marked.push(if c == '´' { '\'' } else { c });
    }
    Cow::Owned(marked.nfkc().collect())
}

/// Composes what the rules brought together in `out` from byte `start` on.
pub(super) fn compose(out: &mut String, start: usize) {
    let written = &out[start..];
    if written.is_ascii() || is_nfc_quick(written.chars()) == IsNormalized::Yes {
        return;
    }
    let composed: String = written.nfc().collect();
    out.truncate(start);
    out.push_str(&composed);
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
