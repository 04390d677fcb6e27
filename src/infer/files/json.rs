//! JSON Lines, or one JSON array of objects.

use super::Record;
use super::open::{LONGEST, Source, Text};
use crate::error::{Error, Result};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::io::{BufRead, Read};

/// The fields that are read; others are passed over without being built.
#[derive(Deserialize)]
struct Fields<'a> {
    /// As it is written: as numbers, 2301.00010 and 2301.0001 are one.
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    title: Option<Value>,
    r#abstract: Option<Value>,
}

/// Tells an array from lines by the first byte that is not blank.
pub(super) fn open<'a>(mut text: Text<'a>) -> Result<Box<dyn Source + 'a>> {
    let mut line = 1;
    let stream = &mut text.stream;
    let first = loop {
        let buffer = match stream.fill_buf() {
            Ok(buffer) => buffer,
            Err(source) => return Err(text.fail(source)),
        };
        let blank = buffer
            .iter()
            .position(|byte| !is_blank(*byte))
            .unwrap_or(buffer.len());
        line += count_lines(&buffer[..blank]);
        let first = buffer.get(blank).copied();
        let ended = buffer.is_empty();
        stream.consume(blank);
        if first.is_some() || ended {
            break first;
        }
    };
    Ok(if first == Some(b'[') {
        text.stream.consume(1);
        Box::new(Array {
            text,
            line,
            row: 0,
            element: Vec::new(),
            state: State::First,
        })
    } else {
        Box::new(Lines {
            text,
            line: line - 1,
            row: 0,
            buffer: Vec::new(),
            ended: false,
        })
    })
}

/// Blank in JSON, and the byte-order mark that some editors put first.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xbb | 0xbf)
}

fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// One object a line; blank lines are passed over.
struct Lines<'a> {
    text: Text<'a>,
    /// The line read last, from 1.
    line: u64,
    row: u64,
    buffer: Vec<u8>,
    ended: bool,
}

impl Source for Lines<'_> {
    fn next(&mut self) -> Result<Option<Result<Record>>> {
        loop {
            self.buffer.clear();
            let read = (&mut self.text.stream)
                .take(LONGEST as u64 + 1)
                .read_until(b'\n', &mut self.buffer);
            if read.map_err(|source| self.text.fail(source))? == 0 {
                self.ended = true;
                return Ok(None);
            }
            self.line += 1;
            let place = || format!("{}:{}", self.text.place, self.line);
            if self.buffer.len() > LONGEST {
                return Err(Error::input(
                    place(),
                    format!("longer than {} MiB", LONGEST >> 20),
                ));
            }
            if self.buffer.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let record = record(&self.buffer, self.row, place);
            self.row += 1;
            return Ok(Some(record));
        }
    }

    fn expected(&self) -> Option<u64> {
        self.text.expected(self.row, self.ended)
    }
}

/// The elements of one array, cut out by counting brackets outside strings.
struct Array<'a> {
    text: Text<'a>,
    line: u64,
    row: u64,
    element: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first element or the end.
    First,
    /// After an element: a comma or the end.
    Between,
    /// After a comma: an element.
    Element,
    Ended,
}

impl Array<'_> {
    fn peek(&mut self) -> Result<Option<u8>> {
        match self.text.stream.fill_buf() {
            Ok(buffer) => Ok(buffer.first().copied()),
            Err(source) => Err(self.text.fail(source)),
        }
    }

    /// Moves past blanks and returns the byte there.
    fn sight(&mut self) -> Result<Option<u8>> {
        loop {
            match self.peek()? {
                Some(byte) if byte.is_ascii_whitespace() => {
                    self.line += u64::from(byte == b'\n');
                    self.text.stream.consume(1);
                }
                other => return Ok(other),
            }
        }
    }

    fn place(&self) -> String {
        format!("{}:{}", self.text.place, self.line)
    }

    /// Reads one element into `self.element`.
    fn cut(&mut self) -> Result<()> {
        self.element.clear();
        let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
        loop {
            let buffer = match self.text.stream.fill_buf() {
                Ok(buffer) => buffer,
                Err(source) => return Err(self.text.fail(source)),
            };
            if buffer.is_empty() {
                return Err(Error::input(
                    self.place(),
                    "the array ends within an element",
                ));
            }
            let mut end = None;
            for (at, &byte) in buffer.iter().enumerate() {
                if quoted {
                    quoted = escaped || byte != b'"';
                    escaped = byte == b'\\' && !escaped;
                    continue;
                }
                match byte {
                    b'"' => quoted = true,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' | b',' if depth == 0 => end = Some(at),
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                if end.is_some() {
                    break;
                }
            }
            let taken = end.unwrap_or(buffer.len());
            self.element.extend_from_slice(&buffer[..taken]);
            self.text.stream.consume(taken);
            if self.element.len() > LONGEST {
                return Err(Error::input(
                    self.place(),
                    format!("longer than {} MiB", LONGEST >> 20),
                ));
            }
            if end.is_some() {
                return Ok(());
            }
        }
    }
}

impl Source for Array<'_> {
    fn next(&mut self) -> Result<Option<Result<Record>>> {
        loop {
            let byte = self.sight()?;
            match (self.state, byte) {
                (State::Ended, None) => return Ok(None),
                (State::Ended, Some(_)) => {
                    return Err(Error::input(self.place(), "text after the array"));
                }
                (_, None) => return Err(Error::input(self.place(), "the array does not end")),
                (State::First | State::Between, Some(b']')) => {
                    self.text.stream.consume(1);
                    self.state = State::Ended;
                }
                (State::Between, Some(b',')) => {
                    self.text.stream.consume(1);
                    self.state = State::Element;
                }
                (State::Between, Some(_)) => {
                    return Err(Error::input(
                        self.place(),
                        "neither a comma nor the array's end after an element",
                    ));
                }
                (State::First | State::Element, Some(_)) => {
                    let place = self.place();
                    self.cut()?;
                    self.line += count_lines(&self.element);
                    self.state = State::Between;
                    let record = record(&self.element, self.row, || place.clone());
                    self.row += 1;
                    return Ok(Some(record));
                }
            }
        }
    }

    fn expected(&self) -> Option<u64> {
        self.text.expected(self.row, self.state == State::Ended)
    }
}

fn record(bytes: &[u8], row: u64, place: impl Fn() -> String) -> Result<Record> {
    // serde would take an array for the fields in their order.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(Error::input(
            place(),
            "not a JSON object of a paper: an array",
        ));
    }
    let fields: Fields<'_> =
        serde_json::from_slice(bytes).map_err(|error| Error::input(place(), plain(&error)))?;
    let text = |name: &str, value: Option<Value>| {
        let reason = match value {
            Some(Value::String(text)) => return Ok(text),
            None => "missing or null".to_owned(),
            Some(other) => format!("{} is not a string", short(&other.to_string())),
        };
        Err(Error::input(format!("{}: field {name:?}", place()), reason))
    };
    let id = match fields.id.map(RawValue::get) {
        Some(number) if number.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
            Some(number.to_owned())
        }
        Some(other) => Some(serde_json::from_str::<String>(other).map_err(|error| {
            let reason = if other.starts_with('"') {
                plain(&error)
            } else {
                format!("{} is neither a string nor a number", short(other))
            };
            Error::input(format!("{}: field \"id\"", place()), reason)
        })?),
        None => None,
    };
    Ok(Record {
        row,
        id,
        title: text("title", fields.title)?,
        abstract_: text("abstract", fields.r#abstract)?,
    })
}

/// serde_json's message without its own line number, which counts within the record.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    format!(
        "not a JSON object of a paper: {text} (column {})",
        error.column()
    )
}

fn short(json: &str) -> String {
    if json.chars().count() > 40 {
        format!("{}…", json.chars().take(40).collect::<String>())
    } else {
        json.to_owned()
    }
}
