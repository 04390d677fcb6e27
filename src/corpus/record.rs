//! One line of the Kaggle snapshot, its 14 fields borrowed from the line.

use super::json::{Fault, Scanner, Text};
use super::when;

/// The fields, in the order in which the snapshot has them.
const FIELDS: [&str; 14] = [
    "id",
    "submitter",
    "authors",
    "title",
    "comments",
    "journal-ref",
    "doi",
    "report-no",
    "categories",
    "license",
    "abstract",
    "versions",
    "update_date",
    "authors_parsed",
];
const ID: usize = 0;
const TITLE: usize = 3;
const COMMENTS: usize = 4;
const CATEGORIES: usize = 8;
const ABSTRACT: usize = 10;
const VERSIONS: usize = 11;
const AUTHORS_PARSED: usize = 13;

/// A field's name between quotes as one word, none longer than its 16 bytes.
#[derive(Clone, Copy)]
struct Quoted {
    word: u128,
    mask: u128,
    length: usize,
}

const QUOTED: [Quoted; FIELDS.len()] = {
    let mut quoted = [Quoted {
        word: 0,
        mask: 0,
        length: 0,
    }; FIELDS.len()];
    let mut field = 0;
    while field < FIELDS.len() {
        let name = FIELDS[field].as_bytes();
        let mut bytes = [0; 16];
        bytes[0] = b'"';
        let mut at = 0;
        while at < name.len() {
            bytes[at + 1] = name[at];
            at += 1;
        }
        bytes[name.len() + 1] = b'"';
        let length = name.len() + 2;
        quoted[field] = Quoted {
            word: u128::from_le_bytes(bytes),
            mask: u128::MAX >> (128 - 8 * length),
            length,
        };
        field += 1;
    }
    quoted
};

/// A record of the snapshot. A field that is null or missing is `None`; an unknown field is
/// checked and left out; of a field given twice the last counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Record<'a> {
    values: [Option<Text<'a>>; FIELDS.len()],
}

impl<'a> Record<'a> {
    /// Reads one line. Fields in the snapshot's order are found fastest; any order is read.
    ///
    /// # Errors
    /// [`Fault`] naming field and byte where the line is not a JSON object, or a field is
    /// neither null nor of its kind.
    pub fn parse(line: &'a str) -> Result<Self, Fault> {
        let mut record = Self::default();
        let mut scanner = Scanner::new(line);
        scanner.expect(b'{', "expected '{'")?;
        if !scanner.eat(b'}') {
            let mut decoded = String::new();
            let mut next = 0;
            loop {
                let expected = QUOTED.get(next);
                let field = if expected
                    .is_some_and(|key| scanner.literal(key.word, key.mask, key.length))
                {
                    scanner.expect(b':', "expected ':'")?;
                    Some(next)
                } else {
                    let key = scanner.key()?.decode(&mut decoded)?;
                    FIELDS.iter().position(|name| *name == key)
                };
                match field {
                    Some(field) => {
                        record.values[field] = value(&mut scanner, field)?;
                        next = field + 1;
                    }
                    None => scanner.skip().map(drop)?,
                }
                if !scanner.eat(b',') {
                    scanner.expect(b'}', "expected ',' or '}'")?;
                    break;
                }
            }
        }
        scanner.end()?;
        Ok(record)
    }

    /// `2301.00001` or `hep-th/9901001`.
    #[must_use]
    pub fn id(&self) -> Option<Text<'a>> {
        self.values[ID]
    }

    /// Title, wrapped with `\n  `.
    #[must_use]
    pub fn title(&self) -> Option<Text<'a>> {
        self.values[TITLE]
    }

    /// The authors' comments.
    #[must_use]
    pub fn comments(&self) -> Option<Text<'a>> {
        self.values[COMMENTS]
    }

    /// Categories between blanks, the primary first.
    #[must_use]
    pub fn categories(&self) -> Option<Text<'a>> {
        self.values[CATEGORIES]
    }

    /// Abstract, wrapped.
    #[must_use]
    pub fn summary(&self) -> Option<Text<'a>> {
        self.values[ABSTRACT]
    }

    /// The day of `versions[0].created`, in days since 1970-01-01; none where it is missing or no date.
    #[must_use]
    pub fn created(&self) -> Option<i32> {
        let mut scanner = Scanner::new(self.values[VERSIONS]?.raw());
        if !(scanner.eat(b'[') && scanner.eat(b'{')) {
            return None;
        }
        let (mut key, mut value) = (String::new(), String::new());
        loop {
            let name = scanner.key().ok()?.decode(&mut key).ok()?;
            if name == "created" {
                let created = scanner.string().ok()?.decode(&mut value).ok()?;
                return when::rfc2822(created);
            }
            scanner.skip().ok()?;
            if !scanner.eat(b',') {
                return None;
            }
        }
    }
}

/// The field's value: a string, or the JSON text of a list.
#[inline]
fn value<'a>(scanner: &mut Scanner<'a>, field: usize) -> Result<Option<Text<'a>>, Fault> {
    let list = field == VERSIONS || field == AUTHORS_PARSED;
    let found = match scanner.peek() {
        b'"' if !list => scanner.string().map(Some),
        b'[' if list => scanner.skip().map(|json| Some(Text::plain(json))),
        b'n' => scanner.null().map(|_| None),
        _ => Err(unexpected(scanner, list)),
    };
    found.map_err(|fault| Fault {
        field: Some(FIELDS[field]),
        ..fault
    })
}

#[cold]
fn unexpected(scanner: &Scanner<'_>, list: bool) -> Fault {
    Fault {
        field: None,
        at: scanner.at(),
        what: if list {
            "expected a list or null"
        } else {
            "expected a string or null"
        },
    }
}

#[cfg(test)]
mod tests;
