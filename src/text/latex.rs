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

mod accents;
mod command;
mod scripts;

use super::clean::plain_end;
use super::unicode::character;
use super::writer::Writer;

/// Open groups whose end is remembered; deeper ones end without effect.
const DEPTH: usize = 256;

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
}

/// How many ASCII letters `text` starts with.
fn letters(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_alphabetic).count()
}
