//! Subscripts and superscripts.

use super::{End, Rewriter, letters};

impl Rewriter<'_, '_> {
    /// True where one letter, or up to eight digits, fill the argument that starts here.
    fn short_argument(&self) -> bool {
        let bytes = self.rest().as_bytes();
        let Some(inner) = bytes.strip_prefix(b"{") else {
            return bytes.first().is_some_and(u8::is_ascii_alphanumeric);
        };
        let digits = inner.iter().take(8).take_while(|b| b.is_ascii_digit());
        let length = match digits.count() {
            0 => usize::from(inner.first().is_some_and(u8::is_ascii_alphabetic)),
            count => count,
        };
        length > 0 && inner.get(length) == Some(&b'}')
    }

    pub(super) fn subscript(&mut self) {
        if self.short_argument() {
            return;
        }
        self.out.gap();
        if self.eat('{') {
            self.open(End::Gap);
        }
    }

    pub(super) fn superscript(&mut self) {
        let short = self.short_argument();
        let braced = self.next_is(&['{']);
        let inner = self.rest().strip_prefix('{').unwrap_or(self.rest());
        let inner = inner.trim_start();
        let sign = match inner
            .strip_prefix('\\')
            .map(|name| name.split_at(letters(name)))
        {
            Some(("circ", _)) => Some("°"),
            Some(("prime", _)) => Some("'"),
            _ => None,
        };
        let ordinal = [
            "th}",
            "st}",
            "nd}",
            "rd}",
            "\\rm th}",
            "\\text{th}",
            "\\mathrm{th}",
        ]
        .iter()
        .any(|ending| inner.starts_with(ending));
        // An isotope's mass number: `$^{12}$C` → `12C`.
        let mass = self.out.at_word_start() && inner.starts_with(|c: char| c.is_ascii_digit());
        let skip = self.rest().len() - inner.len();
        if let Some(sign) = sign {
            let name = letters(&inner[1..]);
            self.at += skip + 1 + name;
            if braced {
                self.open(End::Nothing);
            }
            self.out.text(sign);
            return;
        }
        if !(mass || braced && ordinal) {
            self.out.put('^');
        }
        if braced && !short && !ordinal {
            self.at += 1;
            self.open(End::Gap);
        }
    }
}
