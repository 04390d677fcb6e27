//! The texts without those of papers that are left out.

use super::Table;
use crate::corpus::pages::{Column, Page};
use crate::corpus::texts::{GROUP, TEXTS, TextFile};
use crate::error::Result;
use crate::observe::Observer;
use rayon::prelude::*;
use std::ops::Range;
use std::path::Path;

/// Bytes of abstracts from several blocks after which their page is full.
const PAGE: usize = 1 << 20;

impl Table<'_> {
    /// The texts of the papers that stay. Pages that lose no paper are copied as they are.
    pub(super) fn reduce(
        &self,
        texts: &TextFile,
        out: &Path,
        pool: &rayon::ThreadPool,
        observer: &dyn Observer,
    ) -> Result<TextFile> {
        let mut kept = TextFile::new(out)?;
        let total = texts.pieces().len() as u64;
        let mut done = 0;
        for window in self.plan(texts).chunks(2 * pool.current_num_threads()) {
            let pages: Vec<Result<Vec<_>>> = pool.install(|| {
                let pages = window.par_iter().map(|pieces| {
                    observer.check()?;
                    self.keep(texts, pieces)
                });
                pages.collect()
            });
            for (pieces, pages) in window.iter().zip(pages) {
                observer.check()?;
                for pages in pages? {
                    kept.append(pages)?;
                }
                done += pieces.len() as u64;
                observer.report("pack", done, total, "blocks");
            }
        }
        kept.finish()?;
        Ok(kept)
    }

    /// Pieces, and the first row of each, joined until they make a row group.
    fn plan(&self, texts: &TextFile) -> Vec<Vec<(usize, usize)>> {
        let mut groups = Vec::new();
        let (mut pieces, mut papers, mut start) = (Vec::new(), 0, 0);
        for (number, piece) in texts.pieces().iter().enumerate() {
            let rows = start..start + piece.rows;
            pieces.push((number, start));
            papers += self.stay(rows.clone()).filter(|stay| *stay).count();
            start = rows.end;
            if papers >= GROUP {
                groups.push(std::mem::take(&mut pieces));
                papers = 0;
            }
        }
        groups.push(pieces);
        groups
    }

    /// Whether each of `rows` stays.
    fn stay(&self, rows: Range<usize>) -> impl Iterator<Item = bool> {
        self.splits[rows].iter().map(Option::is_some)
    }

    fn keep(&self, texts: &TextFile, pieces: &[(usize, usize)]) -> Result<Vec<[Page; TEXTS]>> {
        let mut pages = Vec::new();
        let mut open: [Column; TEXTS] = Default::default();
        let close = |open: &mut [Column; TEXTS], pages: &mut Vec<_>| -> Result<()> {
            let mut packed: [Page; TEXTS] = Default::default();
            for (page, column) in packed.iter_mut().zip(std::mem::take(open)) {
                *page = column.pack(self.zstd_level)?;
            }
            pages.push(packed);
            Ok(())
        };
        for &(number, start) in pieces {
            let rows = start..start + texts.pieces()[number].rows;
            let keep: Vec<bool> = self.stay(rows).collect();
            if !keep.contains(&true) {
                continue;
            }
            let whole = !keep.contains(&false);
            if whole && open[0].rows() > 0 {
                close(&mut open, &mut pages)?;
            }
            let read = texts.read(number)?;
            if whole {
                pages.push(read);
                continue;
            }
            for (open, page) in open.iter_mut().zip(read) {
                open.extend(&page.unpack()?, &keep);
            }
            if open[TEXTS - 1].bytes() >= PAGE {
                close(&mut open, &mut pages)?;
            }
        }
        if open[0].rows() > 0 {
            close(&mut open, &mut pages)?;
        }
        Ok(pages)
    }
}
