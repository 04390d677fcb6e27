//! Commands: what each action does to the text, and the arguments that go with it.

use super::super::commands::{Action, named, single};
use super::super::unicode::character;
use super::{End, Math, Rewriter, letters};

/// Longest argument that is dropped with its command; longer ones stay as text.
const ARGUMENT: usize = 400;

impl Rewriter<'_, '_> {
    pub(super) fn command(&mut self) {
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
