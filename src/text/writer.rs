//! Where cleaned text is written: keeps the rules about neighbouring characters.

/// Appends cleaned text to a string; what was in the string before is not looked at.
pub(super) struct Writer<'o> {
    out: &'o mut String,
    start: usize,
    last: char,
    space: bool,
    word: bool,
    tight: bool,
}

/// `last` before anything is written.
const NOTHING: char = '\0';

impl<'o> Writer<'o> {
    pub(super) fn new(out: &'o mut String) -> Self {
        let start = out.len();
        Self {
            out,
            start,
            last: NOTHING,
            space: false,
            word: false,
            tight: false,
        }
    }

    /// Asks for one space before whatever comes next; none at either end of the text.
    pub(super) fn space(&mut self) {
        self.space = true;
        self.word = false;
    }

    /// Asks for a space if the text so far ends in a letter or digit.
    pub(super) fn gap(&mut self) {
        if self.last.is_alphanumeric() {
            self.space = true;
        }
    }

    /// Asks for a space if a letter or digit comes next.
    pub(super) fn gap_after(&mut self) {
        self.word = true;
    }

    /// Something was left out here: closing punctuation that follows moves up to the text.
    pub(super) fn left_out(&mut self) {
        self.tight = true;
    }

    /// True where a new word would start.
    pub(super) fn at_word_start(&self) -> bool {
        self.space || matches!(self.last, NOTHING | ' ' | '(' | '-' | '/' | '–' | ',')
    }

    /// Writes `word` with a space to letters or digits on either side.
    pub(super) fn word(&mut self, word: &str) {
        self.gap();
        self.text(word);
        self.gap_after();
    }

    /// Writes `text` character by character.
    pub(super) fn text(&mut self, text: &str) {
        text.chars().for_each(|c| self.put(c));
    }

    /// Writes `span`, in which only the first character can meet a rule.
    pub(super) fn span(&mut self, span: &str) {
        let mut rest = span.chars();
        if let Some(first) = rest.next() {
            self.put(first);
            let rest = rest.as_str();
            if let Some(last) = rest.chars().next_back() {
                self.out.push_str(rest);
                self.last = last;
            }
        }
    }

    /// Writes one character under the rules of this file.
    pub(super) fn put(&mut self, c: char) {
        if c == ' ' {
            return self.space();
        }
        if self.word {
            self.word = false;
            self.space |= c.is_alphanumeric();
        }
        if self.tight {
            self.tight = false;
            self.space &= !matches!(c, '.' | ',' | ';' | ':' | ')' | ']');
        }
        // A tie between two words is a space; one that starts a word says "about".
        if c == '~' && !self.space && !matches!(self.last, NOTHING | ' ' | '(' | '/') {
            return self.space();
        }
        if self.space {
            self.space = false;
            if self.out.len() > self.start {
                self.out.push(' ');
                self.last = ' ';
            }
        }
        let c = match (self.last, c) {
            ('\'', '\'') => self.instead('"'),
            ('-', '-') => self.instead('–'),
            ('–', '-') => self.instead('—'),
            ('—', '-') => return,
            _ => c,
        };
        self.out.push(c);
        self.last = c;
    }

    fn instead(&mut self, c: char) -> char {
        self.out.pop();
        c
    }
}
