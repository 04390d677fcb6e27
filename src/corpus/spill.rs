//! The texts on their way to disk. Which papers stay is known only after the last line, so the
//! texts wait in a nameless file, packed as the pages of the papers table: pages that lose no
//! paper are then copied byte for byte.

use super::pages::{Column, Page};
use crate::error::{Error, Result};
use bytes::Bytes;
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many columns are spilled: the first ones of the table.
pub(super) const TEXTS: usize = 3;
/// Larger pages are written past this buffer.
const BUFFER: usize = 1 << 16;

/// Where a page lies.
#[derive(Debug, Clone)]
struct Place {
    at: u64,
    packed: usize,
    plain: usize,
    header: Bytes,
}

/// The papers of one block: a page for each of their columns.
#[derive(Debug)]
pub(super) struct Piece {
    /// Papers in the pages.
    pub rows: usize,
    /// Those that are duplicates and no rows of the corpus, in order.
    pub duplicates: Vec<u32>,
    pages: [Place; TEXTS],
}

/// The spill while it is written.
pub(super) struct Spill {
    path: PathBuf,
    writer: BufWriter<File>,
    at: u64,
    pieces: Vec<Piece>,
}

impl Spill {
    /// A spill in the folder `out`, without a name: when the process ends it is gone.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn new(out: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(out).map_err(|error| Error::io(out, error))?;
        Ok(Self {
            path: out.to_path_buf(),
            writer: BufWriter::with_capacity(BUFFER, file),
            at: 0,
            pieces: Vec::new(),
        })
    }

    /// Appends one block's pages, which have as many rows each; `duplicates` among them are no
    /// rows of the corpus.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn append(&mut self, pages: &[Page; TEXTS], duplicates: Vec<u32>) -> Result<()> {
        let mut at = self.at;
        let places = pages.each_ref().map(|page| {
            let place = Place {
                at,
                packed: page.packed.len(),
                plain: page.plain,
                header: page.header.clone(),
            };
            at += place.packed as u64;
            place
        });
        for page in pages {
            self.writer
                .write_all(&page.packed)
                .map_err(|error| Error::io(&self.path, error))?;
        }
        self.at = at;
        self.pieces.push(Piece {
            rows: pages[0].rows,
            duplicates,
            pages: places,
        });
        Ok(())
    }

    /// The spill, to be read.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn finish(self) -> Result<Spilled> {
        let file = self
            .writer
            .into_inner()
            .map_err(|error| Error::io(&self.path, error.into_error()))?;
        Ok(Spilled {
            path: self.path,
            file: Arc::new(file),
            pieces: self.pieces,
        })
    }
}

/// The spill, complete. Read from any thread.
pub(super) struct Spilled {
    path: PathBuf,
    file: Arc<File>,
    pieces: Vec<Piece>,
}

impl Spilled {
    /// The blocks, in the order of the corpus.
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The texts of a column of a piece.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn read(&self, piece: usize, column: usize) -> Result<Column> {
        let place = &self.pieces[piece].pages[column];
        let mut packed = vec![0; place.packed];
        self.file
            .read_exact_at(&mut packed, place.at)
            .map_err(|error| Error::io(&self.path, error))?;
        let page = Page {
            rows: self.pieces[piece].rows,
            plain: place.plain,
            header: place.header.clone(),
            packed: packed.into(),
        };
        page.unpack()
            .ok_or_else(|| Error::input(self.path.display(), "the spilled texts are damaged"))
    }

    /// Adds the page of a column of a piece to `chunk` as it is.
    pub(super) fn copy(&self, piece: usize, column: usize, chunk: &mut Chunk) {
        let place = &self.pieces[piece].pages[column];
        chunk.plain += place.plain + place.header.len();
        chunk.push(Part::Memory(place.header.clone()));
        chunk.push(Part::File {
            file: Arc::clone(&self.file),
            at: place.at,
            bytes: place.packed,
        });
    }
}

/// A column chunk put together from pages in memory and in the spill.
#[derive(Debug, Clone, Default)]
pub(super) struct Chunk {
    parts: Vec<Part>,
    /// Its size.
    pub bytes: usize,
    /// Its size before packing, headers included.
    pub plain: usize,
}

#[derive(Debug, Clone)]
enum Part {
    Memory(Bytes),
    File {
        file: Arc<File>,
        at: u64,
        bytes: usize,
    },
}

impl Chunk {
    /// Adds a page.
    pub(super) fn page(&mut self, page: Page) {
        self.plain += page.plain + page.header.len();
        self.push(Part::Memory(page.header));
        self.push(Part::Memory(page.packed));
    }

    fn push(&mut self, part: Part) {
        self.bytes += match &part {
            Part::Memory(bytes) => bytes.len(),
            Part::File { bytes, .. } => *bytes,
        };
        self.parts.push(part);
    }
}

impl Length for Chunk {
    fn len(&self) -> u64 {
        self.bytes as u64
    }
}

impl ChunkReader for Chunk {
    // Copied piece by piece into the writer's own buffer: another one here would cost a copy.
    type T = Parts;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        let mut parts = Parts {
            next: self.parts.clone().into_iter(),
            open: Box::new(io::empty()),
        };
        io::copy(&mut parts.by_ref().take(start), &mut io::sink())?;
        Ok(parts)
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let mut buffer = vec![0; length];
        self.get_read(start)?.read_exact(&mut buffer)?;
        Ok(buffer.into())
    }
}

/// The parts of a [`Chunk`], one after the other.
pub(super) struct Parts {
    next: std::vec::IntoIter<Part>,
    open: Box<dyn Read>,
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.open.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.open = match self.next.next() {
                None => return Ok(0),
                Some(Part::Memory(bytes)) => Box::new(io::Cursor::new(bytes)),
                Some(Part::File { file, at, bytes }) => {
                    Box::new(Cursor { file, at }.take(bytes as u64))
                }
            };
        }
    }
}

/// A place in a file that other threads read too.
struct Cursor {
    file: Arc<File>,
    at: u64,
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
