//! A column of texts ↔ a Parquet page. A block's texts are laid out as a page holds them while
//! they are cleaned, so that a page is one call of zstd away, and pages of papers that all stay
//! are never unpacked again.

use crate::error::{Error, Result};
use bytes::Bytes;
use std::cell::RefCell;
use std::io;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{CParameter, ParamSwitch};

/// Room for a text's length in front of it.
const LENGTH: &str = "\0\0\0\0";

/// Texts one after the other, each behind its length in four bytes, as Parquet's encoding PLAIN
/// has them (<https://parquet.apache.org/docs/file-format/data-pages/encodings/>).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Column {
    bytes: Vec<u8>,
    /// Where each text ends in `bytes`.
    ends: Vec<u32>,
}

impl Column {
    /// Number of texts.
    pub(super) fn rows(&self) -> usize {
        self.ends.len()
    }

    /// Bytes of the texts and their lengths.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Appends the texts of `other` for which `keep` holds.
    pub(super) fn extend(&mut self, other: &Self, keep: &[bool]) {
        let mut start = 0;
        for (end, keep) in other.ends.iter().zip(keep) {
            let end = *end as usize;
            if *keep {
                self.bytes.extend_from_slice(&other.bytes[start..end]);
                self.ends.push(self.bytes.len() as u32);
            }
            start = end;
        }
    }

    /// The column that `bytes` of `rows` texts lay out.
    fn parse(bytes: Vec<u8>, rows: usize) -> Option<Self> {
        let mut ends = Vec::with_capacity(rows);
        let mut at = 0;
        for _ in 0..rows {
            let length = bytes.get(at..)?.first_chunk::<4>()?;
            at += 4 + u32::from_le_bytes(*length) as usize;
            ends.push(at as u32);
        }
        (at == bytes.len()).then_some(Self { bytes, ends })
    }

    /// The column as a page, packed by zstd at `level`.
    ///
    /// # Errors
    /// [`Error::Option`] for a level that zstd does not have.
    pub(super) fn pack(&self, level: i32) -> Result<Page> {
        /// For small and for large pages.
        type Compressors = [Option<(i32, Compressor<'static>)>; 2];
        thread_local! {
            static COMPRESSORS: RefCell<Compressors> = RefCell::default();
        }
        let fault = |error: io::Error| Error::option("zstd_level", level, error);
        let large = self.bytes.len() >= LARGE;
        let packed = COMPRESSORS.with_borrow_mut(|slots| {
            let slot = &mut slots[usize::from(large)];
            let mut compressor = match slot.take() {
                Some((made_for, compressor)) if made_for == level => compressor,
                _ => compressor(level, large).map_err(fault)?,
            };
            let packed = compressor.compress(&self.bytes).map_err(fault);
            *slot = Some((level, compressor));
            packed
        })?;
        Ok(Page::new(self.rows(), self.bytes.len(), packed))
    }
}

/// Pages from this size on are packed by zstd's settings for large ones.
const LARGE: usize = 1 << 17;

fn compressor(level: i32, large: bool) -> io::Result<Compressor<'static>> {
    let mut compressor = Compressor::new(level)?;
    if level == 1 && large {
        // Level 1 with half of its hash table, which leaves the first cache to the text, and with
        // wider steps between the places where a match is looked for. zstd would take a target
        // length for a level below 1, where literals are left as they are.
        compressor.set_parameter(CParameter::HashLog(13))?;
        compressor.set_parameter(CParameter::MinMatch(7))?;
        compressor.set_parameter(CParameter::TargetLength(3))?;
        compressor.set_parameter(CParameter::LiteralCompressionMode(ParamSwitch::Enable))?;
    }
    Ok(compressor)
}

/// A [`Column`] while its texts are written one after the other.
#[derive(Debug)]
pub(super) struct Texts {
    bytes: String,
    ends: Vec<u32>,
}

impl Texts {
    /// An empty column with room for `bytes`.
    pub(super) fn new(bytes: usize) -> Self {
        let mut text = String::with_capacity(bytes);
        text.push_str(LENGTH);
        Self {
            bytes: text,
            ends: Vec::new(),
        }
    }

    /// Where the open text is appended to.
    pub(super) fn out(&mut self) -> &mut String {
        &mut self.bytes
    }

    fn start(&self) -> usize {
        self.ends.last().map_or(0, |end| *end as usize) + LENGTH.len()
    }

    /// The open text.
    pub(super) fn open(&self) -> &str {
        &self.bytes[self.start()..]
    }

    /// Ends the open text and opens the next.
    pub(super) fn end(&mut self) {
        // A block is far below 4 GiB: see max_line_bytes.
        self.ends.push(self.bytes.len() as u32);
        self.bytes.push_str(LENGTH);
    }

    /// Empties the open text.
    pub(super) fn undo(&mut self) {
        self.bytes.truncate(self.start());
    }

    /// The text of `row`, which has ended.
    pub(super) fn get(&self, row: usize) -> &str {
        let before = row.checked_sub(1).map_or(0, |row| self.ends[row] as usize);
        &self.bytes[before + LENGTH.len()..self.ends[row] as usize]
    }

    /// The texts that have ended.
    pub(super) fn into_column(self) -> Column {
        let mut bytes = self.bytes.into_bytes();
        bytes.truncate(self.ends.last().map_or(0, |end| *end as usize));
        let mut start = 0;
        for end in &self.ends {
            let end = *end as usize;
            let length = (end - start - LENGTH.len()) as u32;
            bytes[start..start + LENGTH.len()].copy_from_slice(&length.to_le_bytes());
            start = end;
        }
        Column {
            bytes,
            ends: self.ends,
        }
    }
}

/// A page of texts, packed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Number of texts.
    pub rows: usize,
    /// Bytes before packing.
    pub plain: usize,
    /// Parquet's header of the page.
    pub header: Bytes,
    /// What follows the header.
    pub packed: Bytes,
}

impl Page {
    /// A page of `rows` texts, which are `plain` bytes before packing.
    pub(super) fn new(rows: usize, plain: usize, packed: Vec<u8>) -> Self {
        Self {
            rows,
            plain,
            header: header(rows, plain, packed.len()),
            packed: packed.into(),
        }
    }

    /// The column it holds.
    ///
    /// # Errors
    /// [`Error::Input`] where the page is damaged.
    pub(super) fn unpack(&self) -> Result<Column> {
        Decompressor::new()
            .and_then(|mut codec| codec.decompress(&self.packed, self.plain))
            .ok()
            .and_then(|bytes| Column::parse(bytes, self.rows))
            .ok_or_else(|| Error::input("a page of texts", "is damaged"))
    }

    /// A page of the texts for which `keep` holds.
    ///
    /// # Errors
    /// As [`Page::unpack`] and [`Column::pack`].
    pub(super) fn keep(&self, keep: &[bool], level: i32) -> Result<Self> {
        let mut kept = Column::default();
        kept.extend(&self.unpack()?, keep);
        kept.pack(level)
    }
}

/// `PageHeader` of parquet.thrift in Thrift's compact protocol: a data page of the first
/// version, PLAIN, without levels.
fn header(rows: usize, plain: usize, packed: usize) -> Bytes {
    /// Types of the compact protocol, and one step on from the field before.
    const INTEGER: u8 = 0x15;
    const STRUCT: u8 = 0x0c;
    const DATA_PAGE: u64 = 0;
    const PLAIN: u64 = 0;
    const RLE: u64 = 3;
    let mut out = Vec::with_capacity(32);
    let integer = |out: &mut Vec<u8>, value: u64| {
        out.push(INTEGER);
        // Zigzag, then seven bits a byte.
        let mut rest = value << 1;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    };
    for value in [DATA_PAGE, plain as u64, packed as u64] {
        integer(&mut out, value);
    }
    // Field 4, a checksum, is left out; 5 is the data page's own header.
    out.push(2 << 4 | STRUCT);
    for value in [rows as u64, PLAIN, RLE, RLE] {
        integer(&mut out, value);
    }
    out.extend([0, 0]);
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn column(texts: &[String]) -> Column {
        let mut column = Texts::new(0);
        for text in texts {
            column.out().push_str("left out");
            column.undo();
            column.out().push_str(text);
            assert_eq!(column.open(), text);
            column.end();
        }
        for (row, text) in texts.iter().enumerate() {
            assert_eq!(column.get(row), text);
        }
        column.into_column()
    }

    proptest! {
        #[test]
        fn a_page_holds_its_texts(texts in prop::collection::vec(any::<String>(), 0..20)) {
            let column = column(&texts);
            let page = column.pack(1).unwrap();
            prop_assert_eq!(page.rows, texts.len());
            prop_assert_eq!(page.unpack().unwrap(), column);
        }

        #[test]
        fn texts_that_are_kept_come_in_order(
            texts in prop::collection::vec((any::<String>(), any::<bool>()), 0..20),
        ) {
            let (all, keep): (Vec<String>, Vec<bool>) = texts.iter().cloned().unzip();
            let kept: Vec<String> =
                texts.into_iter().filter(|(_, keep)| *keep).map(|(text, _)| text).collect();
            let mut found = column(&["before".to_owned()]);
            found.extend(&column(&all), &keep);
            let page = column(&all).pack(1).unwrap().keep(&keep, 1).unwrap();
            prop_assert_eq!(page, column(&kept).pack(1).unwrap());
            let wanted: Vec<String> = ["before".to_owned()].into_iter().chain(kept).collect();
            prop_assert_eq!(found, column(&wanted));
        }
    }

    #[test]
    fn a_damaged_page_is_told() {
        let mut page = column(&["a".to_owned(), "b".to_owned()]).pack(1).unwrap();
        page.rows = 3;
        assert!(page.unpack().is_err());
        page.packed = Bytes::from_static(b"no zstd");
        assert!(page.unpack().is_err());
    }
}
