//! What each LaTeX command becomes.

mod table;

use self::table::COMMANDS;

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Action {
    /// Writes this, as tight as the source had it.
    Symbol(&'static str),
    /// Writes this as a word of its own.
    Word(&'static str),
    /// A letter outside math mode, a user's macro inside.
    Glyph(&'static str),
    /// Puts this combining mark on the letter that follows.
    Accent(char),
    /// The same, but only outside math and before a letter: these names are popular macros.
    LetterAccent(char),
    /// A font, a size, a decoration: the content stays, the command goes.
    Nothing,
    /// `\left` and its kin: goes with the full stop that may stand for no delimiter.
    Delimiter,
    /// Blank space.
    Space,
    /// Goes together with its options and so many groups.
    Drop(u8),
    /// `\bar{p}` → `pbar`, as physicists write it in plain text.
    Bar,
    /// `\frac{a}{b}` → `a/b`.
    Fraction,
    /// `\binom{n}{k}` → `binom n k`.
    Binomial,
}
use Action::*;

/// The action of a command of letters; `None`: not a command known here.
pub(super) fn named(name: &str) -> Option<Action> {
    let first = usize::from(*name.as_bytes().first()?);
    let known = usize::from(*FIRST.get(first)?)..usize::from(*FIRST.get(first + 1)?);
    let head = head(name.as_bytes());
    let start = known.start + HEADS[known.clone()].partition_point(|known| *known < head);
    let alike = COMMANDS[start..known.end].iter().zip(&HEADS[start..]);
    alike
        .take_while(|(_, known)| **known == head)
        .find(|((known, _), _)| *known == name)
        .map(|((_, action), _)| *action)
}

/// The first eight bytes of a name as a number, in the order of names.
const fn head(name: &[u8]) -> u64 {
    let (mut head, mut at) = (0, 0);
    while at < 8 {
        let byte = if at < name.len() { name[at] } else { 0 };
        head = head << 8 | byte as u64;
        at += 1;
    }
    head
}

/// [`head`] of each of [`COMMANDS`].
static HEADS: [u64; COMMANDS.len()] = {
    let mut heads = [0; COMMANDS.len()];
    let mut at = 0;
    while at < heads.len() {
        heads[at] = head(COMMANDS[at].0.as_bytes());
        at += 1;
    }
    heads
};

/// Where the commands that start with each ASCII character begin in [`COMMANDS`].
static FIRST: [u16; 129] = {
    let mut first = [0; 129];
    let (mut letter, mut at) = (0, 0);
    while letter < first.len() {
        while at < COMMANDS.len() && (COMMANDS[at].0.as_bytes()[0] as usize) < letter {
            at += 1;
        }
        first[letter] = at as u16;
        letter += 1;
    }
    first
};

/// The action of a command of one other character.
pub(super) fn single(c: char) -> Action {
    match c {
        '\'' => Accent('\u{301}'),
        '`' => Accent('\u{300}'),
        '^' => Accent('\u{302}'),
        '"' => Accent('\u{308}'),
        '~' => Accent('\u{303}'),
        '=' => Accent('\u{304}'),
        '.' => Accent('\u{307}'),
        '{' => Symbol("("),
        '}' => Symbol(")"),
        '$' => Word("USD"),
        '&' => Symbol("&"),
        '%' => Symbol("%"),
        '#' => Symbol("#"),
        '_' => Symbol("_"),
        '|' => Symbol("|"),
        '!' | '-' | '/' | '@' => Nothing,
        _ => Space,
    }
}

#[cfg(test)]
mod tests;
