//! Accents on the letter that follows them.

use super::super::commands::{Action, named, single};
use super::{End, Rewriter, letters};

/// Most accents on one letter.
const MARKS: usize = 4;

impl Rewriter<'_, '_> {
    /// Puts `mark` and the accents that follow on the letter after them. False where there is
    /// no letter; braces and blanks on the way are passed for good either way.
    pub(super) fn accent(&mut self, mark: char) -> bool {
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
}
