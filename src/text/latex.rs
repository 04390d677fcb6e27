//! LaTeX → readable text in one pass from left to right.
//!
//! Math stays, without its mark-up, as someone would type it in plain text, because a BERT
//! vocabulary knows words and knows no commands: `$\alpha_{s}$` → `alpha s`,
//! `$\mathbb{R}^n$` → `R^n`, `\frac{a}{b}` → `a/b`, `$10^{-3}$` → `10^-3`, `H$_2$O` → `H2O`,
//! `$t\bar{t}$` → `ttbar`, `$M_\odot$` → `M sun`. Greek letters become words, not symbols:
//! they are single word pieces that pre-training saw often, and `$\gamma$-ray` meets
//! `gamma-ray`. A subscript of one character or of digits joins its base (`T_c` → `Tc`),
//! any other stands apart (`E_{max}` → `E max`).
//!
//! Groups and dollars are never matched before they are dropped, so an unbalanced one costs
//! itself only; math mode decides nothing but what `_` and one-letter commands mean.

use super::clean::plain_end;
use super::commands::{Action, named, single};
use super::unicode::character;
use super::writer::Writer;

/// Open groups whose end is remembered; deeper ones end without effect.
const DEPTH: usize = 256;
/// Longest argument that is dropped with its command; longer ones stay as text.
const ARGUMENT: usize = 400;
/// Most accents on one letter.
const MARKS: usize = 4;

/// Appends `text`, which is in NFKC, to `out` without its LaTeX.
pub(super) fn rewrite(text: &str, out: &mut String) {
    Rewriter {
        text,
        at: 0,
        out: Writer::new(out),
        math: Math::Outside,
        groups: Vec::new(),
        deeper: 0,
        keep_arguments_until: 0,
    }
    .run();
}

#[derive(Clone, Copy, PartialEq)]
enum Math {
    Outside,
    Inline,
    Display,
}

/// What the end of a group does.
#[derive(Clone, Copy)]
enum End {
    Nothing,
    Gap,
    Bar,
    Slash,
    Binomial,
}

struct Rewriter<'t, 'o> {
    text: &'t str,
    at: usize,
    out: Writer<'o>,
    math: Math,
    groups: Vec<End>,
    deeper: usize,
    keep_arguments_until: usize,
}

impl Rewriter<'_, '_> {
    fn run(mut self) {
        while self.at < self.text.len() {
            let math = self.math != Math::Outside;
            let end = plain_end(self.text.as_bytes(), self.at, math);
            if end > self.at {
                self.out.span(&self.text[self.at..end]);
                self.at = end;
                continue;
            }
            let Some(c) = self.peek() else { break };
            self.at += c.len_utf8();
            match c {
                '\\' => self.command(),
                '$' => self.dollar(),
                '{' => self.open(End::Nothing),
                '}' => self.close(),
                '`' => self.out.put('\''),
                '_' if math || self.next_is(&['{', '\\']) => self.subscript(),
                '^' if math || self.next_is(&['{', '\\']) => self.superscript(),
                _ => {
                    if let Some(c) = character(c) {
                        self.out.put(c);
                    }
                }
            }
        }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next_is(&self, any: &[char]) -> bool {
        self.rest().starts_with(any)
    }

    /// Moves over `c` if it is next.
    fn eat(&mut self, c: char) -> bool {
        let found = self.next_is(&[c]);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    /// Moves over blanks; true if there were any.
    fn blanks(&mut self) -> bool {
        let before = self.at;
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        self.at > before
    }

    fn open(&mut self, end: End) {
        if self.groups.len() < DEPTH {
            self.groups.push(end);
        } else {
            self.deeper += 1;
        }
    }

    fn close(&mut self) {
        if self.deeper > 0 {
            self.deeper -= 1;
            return;
        }
        match self.groups.pop().unwrap_or(End::Nothing) {
            End::Nothing => {}
            End::Gap => self.out.gap_after(),
            End::Bar => self.bar(),
            End::Slash => {
                self.out.put('/');
                if self.eat('{') {
                    self.open(End::Gap);
                }
            }
            End::Binomial => {
                self.out.space();
                if self.eat('{') {
                    self.open(End::Gap);
                }
            }
        }
    }

    fn bar(&mut self) {
        self.out.text("bar");
        self.out.gap_after();
    }

    fn dollar(&mut self) {
        let double = self.next_is(&['$']);
        self.math = match self.math {
            Math::Outside if double => Math::Display,
            Math::Outside => Math::Inline,
            // `$a$$b$`: one formula ends where the next begins.
            Math::Inline if double => Math::Inline,
            _ => Math::Outside,
        };
        if double {
            self.at += 1;
        }
    }

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

    fn subscript(&mut self) {
        if self.short_argument() {
            return;
        }
        self.out.gap();
        if self.eat('{') {
            self.open(End::Gap);
        }
    }

    fn superscript(&mut self) {
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

    fn command(&mut self) {
        let length = letters(self.rest());
        if length == 0 {
            let Some(c) = self.peek() else { return };
            self.at += c.len_utf8();
            match c {
                '(' => self.math = Math::Inline,
                '[' => {
                    self.math = Math::Display;
                    self.out.space();
                }
                ')' => self.math = Math::Outside,
                ']' => {
                    self.math = Math::Outside;
                    self.out.space();
                }
                _ => match single(c) {
                    Action::Accent(mark) => {
                        if !self.accent(mark) && c != '~' {
                            self.out.put(if c == '`' { '\'' } else { c });
                        }
                    }
                    // What is no command, a letter of another script say, stays.
                    Action::Space if !c.is_ascii() => {
                        if let Some(c) = character(c) {
                            self.out.put(c);
                        }
                    }
                    action => self.act("", action),
                },
            }
            return;
        }
        let text = self.text;
        let name = &text[self.at..self.at + length];
        self.at += length;
        match named(name) {
            Some(action) => {
                self.eat('*');
                self.act(name, action);
            }
            None => self.out.word(name),
        }
    }

    fn act(&mut self, name: &str, action: Action) {
        match action {
            Action::Symbol(text) => self.out.text(text),
            Action::Word(word) => self.out.word(word),
            Action::Glyph(_) | Action::LetterAccent(_)
                if self.math != Math::Outside && name.len() == 1 =>
            {
                self.out.word(name);
            }
            Action::Glyph(text) => {
                self.out.text(text);
                if self.blanks() && !self.peek().is_some_and(char::is_alphabetic) {
                    self.out.space();
                }
            }
            Action::LetterAccent(mark) | Action::Accent(mark) => {
                let opens = |c: char| c == '{' || c.is_whitespace();
                let inner = self.rest().trim_start_matches(opens);
                let blank = self.rest().starts_with(|c| opens(c) || c == '\\');
                let letter = inner.starts_with(|c: char| c.is_alphabetic() || c == '\\');
                if !(blank && letter && self.accent(mark)) && name.len() == 1 {
                    self.out.word(name);
                }
            }
            Action::Nothing => {
                if !name.is_empty() {
                    self.blanks();
                }
            }
            Action::Delimiter => {
                self.blanks();
                self.eat('.');
            }
            Action::Space => self.out.space(),
            Action::Drop(groups) => self.drop_arguments(name, groups),
            Action::Bar => self.barred(),
            Action::Fraction => self.fraction(),
            Action::Binomial => {
                self.out.word("binom");
                self.out.space();
                self.blanks();
                if self.eat('{') {
                    self.open(End::Binomial);
                }
            }
        }
    }

    fn barred(&mut self) {
        self.blanks();
        if self.eat('{') {
            return self.open(End::Bar);
        }
        match self.peek() {
            Some(c) if c.is_alphanumeric() => {
                self.at += c.len_utf8();
                self.out.put(c);
                self.bar();
            }
            _ => self.out.word("bar"),
        }
    }

    fn fraction(&mut self) {
        self.out.gap();
        self.blanks();
        if self.eat('{') {
            return self.open(End::Slash);
        }
        if let Some(c) = self.peek().filter(char::is_ascii_alphanumeric) {
            self.at += 1;
            self.out.put(c);
            self.out.put('/');
        }
    }

    /// Puts `mark` and the accents that follow on the letter after them. False where there is
    /// no letter; braces and blanks on the way are passed for good either way.
    fn accent(&mut self, mark: char) -> bool {
        let mut marks = [mark; MARKS];
        let mut count = 1;
        let mut blank = false;
        let base = loop {
            blank |= self.blanks();
            if self.eat('{') {
                self.open(End::Nothing);
                continue;
            }
            match self.peek() {
                Some(c) if c.is_alphabetic() => {
                    self.at += c.len_utf8();
                    break Some(c);
                }
                Some('\\') => {}
                _ => break None,
            }
            let name = &self.rest()[1..];
            let length = letters(name).max(usize::from(name.starts_with(|c: char| c.is_ascii())));
            match (letters(name), &name[..length]) {
                (0, symbol) => match symbol.chars().next().map(single) {
                    Some(Action::Accent(mark)) if count < MARKS => marks[count] = mark,
                    _ => break None,
                },
                (_, name) => match named(name) {
                    Some(Action::Glyph(text)) => {
                        self.at += 1 + length;
                        self.blanks();
                        break text.chars().next();
                    }
                    Some(Action::LetterAccent(mark)) if count < MARKS => marks[count] = mark,
                    _ => break None,
                },
            }
            count += 1;
            self.at += 1 + length;
        };
        match base {
            Some(base) => {
                self.out.put(base);
                marks[..count]
                    .iter()
                    .rev()
                    .for_each(|&mark| self.out.put(mark));
            }
            None if blank => self.out.space(),
            None => {}
        }
        base.is_some()
    }

    /// Leaves out options in brackets and `groups` groups, if they end soon.
    fn drop_arguments(&mut self, name: &str, groups: u8) {
        match name {
            "begin" | "end" => self.out.space(),
            "href" | "textcolor" | "color" => {}
            _ => self.out.left_out(),
        }
        if self.at < self.keep_arguments_until {
            return;
        }
        let bytes = self.text.as_bytes();
        let limit = bytes.len().min(self.at + ARGUMENT);
        let (mut at, mut left) = (self.at, groups);
        while left > 0 {
            while at < limit && bytes[at].is_ascii_whitespace() {
                at += 1;
            }
            let (open, close) = match bytes.get(at) {
                Some(b'[') => (b'[', b']'),
                Some(b'{') => (b'{', b'}'),
                _ => return,
            };
            let mut depth = 0_usize;
            loop {
                if at >= limit {
                    self.keep_arguments_until = limit;
                    return;
                }
                let byte = bytes[at];
                depth += usize::from(byte == open);
                depth -= usize::from(byte == close);
                at += 1;
                if depth == 0 {
                    break;
                }
            }
            left -= u8::from(open == b'{');
            // One found is left out even where the next is missing.
            self.at = at;
        }
    }
}

/// How many ASCII letters `text` starts with.
fn letters(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_alphabetic).count()
}
