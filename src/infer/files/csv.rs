//! CSV with a header line.

use super::Record;
use super::open::{Source, Text};
use crate::error::{Error, Result};
use csv::{ByteRecord, Reader, ReaderBuilder};
use std::io::{self, Read};

/// Put after the last byte: a line of its own, which no table has, unless a quotation mark is still
/// open there.
const END: &[u8] = b"\n\x04end of arxiv-core's input\x04";

/// A text with [`END`] after it.
struct Ended<'a> {
    text: Text<'a>,
    left: &'static [u8],
}

impl Read for Ended<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.text.read(buffer)? {
            0 => self.left.read(buffer),
            read => Ok(read),
        }
    }
}

/// The rows under a header that names at least `title` and `abstract`.
pub(super) struct Rows<'a> {
    place: String,
    reader: Reader<Ended<'a>>,
    record: ByteRecord,
    columns: usize,
    title: usize,
    abstract_: usize,
    id: Option<usize>,
    row: u64,
    ended: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn open(text: Text<'a>) -> Result<Self> {
        let place = text.place.clone();
        // Rows of another length are told apart here, with their place, not by the parser.
        let text = Ended { text, left: END };
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(text);
        let header = match reader.byte_headers() {
            Ok(header) => header.clone(),
            Err(error) => return Err(failure(&reader.get_ref().text, error)),
        };
        let names: Vec<String> = header
            .iter()
            .filter(|name| **name != END[1..])
            .map(|name| String::from_utf8_lossy(name).trim().to_owned())
            .collect();
        let find = |wanted: &str| names.iter().position(|name| name == wanted);
        let need = |wanted: &str| {
            find(wanted).ok_or_else(|| {
                let reason = format!("no such column; the header has {}", names.join(", "));
                Error::input(format!("{place}:1: field {wanted:?}"), reason)
            })
        };
        let (title, abstract_, id) = (need("title")?, need("abstract")?, find("id"));
        let columns = names.len();
        Ok(Self {
            place,
            reader,
            record: ByteRecord::new(),
            columns,
            title,
            abstract_,
            id,
            row: 0,
            ended: false,
        })
    }

    fn record(&self) -> Result<Record> {
        let line = self.record.position().map_or(0, csv::Position::line);
        let place = || format!("{}:{line}", self.place);
        if self
            .record
            .iter()
            .next_back()
            .is_some_and(|last| last.ends_with(END))
        {
            return Err(Error::input(place(), "a quotation mark is never closed"));
        }
        if self.record.len() != self.columns {
            let reason = format!(
                "{} fields under a header of {}",
                self.record.len(),
                self.columns
            );
            return Err(Error::input(place(), reason));
        }
        let text = |name: &str, column: usize| {
            std::str::from_utf8(&self.record[column])
                .map(ToOwned::to_owned)
                .map_err(|error| Error::input(format!("{}: field {name:?}", place()), error))
        };
        Ok(Record {
            row: self.row,
            id: self.id.map(|column| text("id", column)).transpose()?,
            title: text("title", self.title)?,
            abstract_: text("abstract", self.abstract_)?,
        })
    }
}

impl Source for Rows<'_> {
    fn next(&mut self) -> Result<Option<Result<Record>>> {
        self.reader.get_mut().text.begin_record();
        let mut record = std::mem::take(&mut self.record);
        let read = self.reader.read_byte_record(&mut record);
        self.record = record;
        match read {
            Ok(true) if self.record.len() != 1 || self.record[0] != END[1..] => {}
            Ok(_) => {
                self.ended = true;
                return Ok(None);
            }
            Err(error) => return Err(failure(&self.reader.get_ref().text, error)),
        }
        let record = self.record();
        self.row += 1;
        Ok(Some(record))
    }

    fn expected(&self) -> Option<u64> {
        self.reader.get_ref().text.expected(self.row, self.ended)
    }
}

fn failure(text: &Text<'_>, error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(source) => text.fail(source),
        other => Error::input(&text.place, format!("{other:?}")),
    }
}
