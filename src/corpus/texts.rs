//! The texts on disk, laid out as the papers table has them: row group by row group, a column's
//! pages one after the other. They are written while the source is read; which papers stay is
//! known only after its last line. Where all do, this file becomes the table.

use super::pages::Page;
use crate::error::{Error, Result};
use crate::scratch::Pending;
use parquet::file::writer::TrackedWrite;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// How many columns are texts: the first ones of the table.
pub(super) const TEXTS: usize = 3;
/// A row group is full with this many papers.
pub(super) const GROUP: usize = 16_384;
/// What a Parquet file begins with (<https://parquet.apache.org/docs/file-format/>).
const MAGIC: &[u8] = b"PAR1";

/// Where what follows a page's header lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    at: u64,
    packed: usize,
    plain: usize,
}

/// The papers of one block: a page for each of their columns.
#[derive(Debug)]
pub(super) struct Piece {
    /// Papers in the pages.
    pub rows: usize,
    pages: [Place; TEXTS],
}

/// A column's pages in a row group.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Chunk {
    /// Where the first one's header lies.
    pub at: u64,
    /// Size.
    pub bytes: u64,
    /// Size before packing, headers included.
    pub plain: u64,
}

/// A row group.
#[derive(Debug)]
pub(super) struct Group {
    /// Papers in it.
    pub rows: usize,
    /// The text columns.
    pub chunks: [Chunk; TEXTS],
}

/// The file. Read from any thread.
pub(super) struct TextFile {
    folder: PathBuf,
    sink: TrackedWrite<File>,
    pending: Pending,
    /// Pages of the row group that is not full.
    open: Vec<[Page; TEXTS]>,
    open_rows: usize,
    pieces: Vec<Piece>,
    groups: Vec<Group>,
}

impl TextFile {
    /// A file in the folder `folder`, without a text.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn new(folder: &Path) -> Result<Self> {
        let (file, pending) = Pending::create(folder)?;
        let mut sink = TrackedWrite::new(file);
        sink.write_all(MAGIC)
            .map_err(|error| Error::io(folder, error))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            sink,
            pending,
            open: Vec::new(),
            open_rows: 0,
            pieces: Vec::new(),
            groups: Vec::new(),
        })
    }

    /// Appends pages of as many rows each.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn append(&mut self, pages: [Page; TEXTS]) -> Result<()> {
        self.open_rows += pages[0].rows;
        self.open.push(pages);
        if self.open_rows >= GROUP {
            self.close_group()?;
        }
        Ok(())
    }

    /// Ends the last row group.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn finish(&mut self) -> Result<()> {
        if self.open_rows > 0 {
            self.close_group()?;
        }
        self.sink
            .flush()
            .map_err(|error| Error::io(&self.folder, error))
    }

    fn close_group(&mut self) -> Result<()> {
        let first = self.pieces.len();
        let piece = |pages: &[Page; TEXTS]| Piece {
            rows: pages[0].rows,
            pages: pages.each_ref().map(|page| Place {
                at: 0,
                packed: page.packed.len(),
                plain: page.plain,
            }),
        };
        self.pieces.extend(self.open.iter().map(piece));
        let mut chunks = [Chunk::default(); TEXTS];
        for (column, chunk) in chunks.iter_mut().enumerate() {
            chunk.at = self.sink.bytes_written() as u64;
            for (piece, pages) in self.pieces[first..].iter_mut().zip(&self.open) {
                let page = &pages[column];
                chunk.plain += (page.plain + page.header.len()) as u64;
                for part in [&page.header, &page.packed] {
                    // The packed part's place is the one that stays.
                    piece.pages[column].at = self.sink.bytes_written() as u64;
                    self.sink
                        .write_all(part)
                        .map_err(|error| Error::io(&self.folder, error))?;
                }
            }
            chunk.bytes = self.sink.bytes_written() as u64 - chunk.at;
        }
        self.groups.push(Group {
            rows: std::mem::take(&mut self.open_rows),
            chunks,
        });
        self.open.clear();
        Ok(())
    }

    /// The blocks in full row groups, in the order of the corpus.
    pub(super) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The full row groups.
    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The pages of a piece, which has been written.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn read(&self, piece: usize) -> Result<[Page; TEXTS]> {
        let piece = &self.pieces[piece];
        let mut pages: [Page; TEXTS] = Default::default();
        for (page, place) in pages.iter_mut().zip(piece.pages) {
            let mut packed = vec![0; place.packed];
            self.sink
                .inner()
                .read_exact_at(&mut packed, place.at)
                .map_err(|error| Error::io(&self.folder, error))?;
            *page = Page::new(piece.rows, place.plain, packed);
        }
        Ok(pages)
    }

    /// What comes after the texts is written here.
    pub(super) fn sink(&mut self) -> &mut TrackedWrite<File> {
        &mut self.sink
    }

    /// The file, complete.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(super) fn into_file(self) -> Result<(File, Pending)> {
        let file = self
            .sink
            .into_inner()
            .map_err(|error| Error::io(&self.folder, std::io::Error::other(error)))?;
        Ok((file, self.pending))
    }
}
