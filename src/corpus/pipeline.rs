//! Source → texts on disk and rows, in the order of the lines.
//!
//! A pool parses, cleans, signs and packs blocks; this thread puts their results back in order and
//! decides on exact duplicates. The blocks of a bare file are read in the pool too; a packed one is
//! unpacked by a thread of its own.
//! What is in flight is bounded, so memory does not grow with the source.

mod feed;
mod gatherer;

use super::batch::{LeftOut, Reader};
use super::dedup::Deduper;
use super::lines::{BLOCK, Block};
use super::options::PrepareOptions;
use super::pages::Page;
use super::profile::Profile;
use super::quarantine::Quarantine;
use super::source::{Format, Meter, Source};
use super::subset;
use super::texts::{TEXTS, TextFile};
use crate::error::Result;
use crate::observe::{self, Observer, Progress};
use feed::{Feed, Message, Read};
use gatherer::Gatherer;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

/// Everything known once the source has been read.
pub(super) struct Gathered {
    pub checksum: String,
    pub bytes: u64,
    pub format: &'static str,
    pub lines: u64,
    pub blank: u64,
    pub left_out: LeftOut,
    pub legacy: BTreeMap<&'static str, u64>,
    pub unknown: BTreeMap<String, u64>,
    pub rows: subset::Rows,
    /// By row: index into `archive_names`.
    pub archives: Vec<u8>,
    pub archive_names: Vec<Option<&'static str>>,
}

/// Reads `source`; unreadable lines go to `quarantine`.
///
/// # Errors
/// [`Error::Io`], [`Error::Input`] for a damaged source, [`Error::Interrupted`].
pub(super) fn gather(
    source: Source,
    out: &Path,
    options: &PrepareOptions,
    pool: &rayon::ThreadPool,
    quarantine: &mut Quarantine,
    profile: &Profile,
    observer: &dyn Observer,
) -> Result<(Gathered, TextFile, Deduper)> {
    let meter = Meter::default();
    let stop = AtomicBool::new(false);
    let (bytes, format) = (source.bytes(), source.format());
    let reader = Reader::new(options, profile)?;
    let mut deduper = Deduper::new(&options.dedup)?;
    deduper.reserve(expected(bytes, format));
    let mut gatherer = Gatherer {
        stage: Stage {
            reader: &reader,
            profile,
            threads: pool.current_num_threads(),
            zstd_level: options.zstd_level,
        },
        quarantine,
        texts: TextFile::new(out)?,
        deduper,
        rows: subset::Rows::default(),
        archives: Vec::new(),
        archive_names: vec![None],
        archive_places: vec![(0, 0)],
        lines: 0,
        blank: 0,
        left_out: LeftOut::default(),
        legacy: BTreeMap::new(),
        unknown: BTreeMap::new(),
    };
    let (sender, receiver) = channel();
    let tick = |lines: u64| {
        observer.check()?;
        let figures = vec![("papers", lines as f64)];
        let done = meter.bytes();
        let (stage, unit) = ("read", "bytes");
        observer.progress(&Progress {
            stage,
            done,
            total: bytes,
            unit,
            figures,
        });
        Ok(())
    };
    let mut run = |feed| {
        let receiver = &receiver;
        pool.in_place_scope_fifo(|tasks| {
            let result = gatherer.run(tasks, &sender, receiver, feed, &tick);
            stop.store(result.is_err(), Ordering::Relaxed);
            result
        })
    };
    let max_line = options.max_line_bytes;
    let checksum = match source.into_slices(max_line) {
        Ok(slices) => run(Feed::Slices {
            slices: &slices,
            meter: &meter,
            stop: &stop,
            next: 0,
        }),
        Err(source) => std::thread::scope(|scope| {
            let (permits, wait) = channel();
            let (meter, stop, blocks) = (&meter, &stop, sender.clone());
            scope.spawn(move || {
                observe::watched(move || {
                    let result = feed::read(source, meter, stop, max_line, &wait, &blocks, profile);
                    let _ = blocks.send(Message::End(result));
                    Ok(())
                })
            });
            run(Feed::Stream(permits))
        }),
    }?;
    // The last tick is as old as its interval.
    observer.report("read", meter.bytes().max(bytes), bytes, "bytes");
    profile.write.time(|| gatherer.texts.finish())?;
    let gathered = Gathered {
        checksum,
        bytes: meter.bytes().max(bytes),
        format: format.as_str(),
        lines: gatherer.lines,
        blank: gatherer.blank,
        left_out: gatherer.left_out,
        legacy: gatherer.legacy,
        unknown: gatherer.unknown,
        rows: gatherer.rows,
        archives: gatherer.archives,
        archive_names: gatherer.archive_names,
    };
    Ok((gathered, gatherer.texts, gatherer.deduper))
}

/// About how many papers a source of `bytes` holds.
fn expected(bytes: u64, format: Format) -> usize {
    /// A record of the snapshot, authors and versions included.
    const RECORD: u64 = 1_700;
    /// How far such records are packed.
    const PACKED: u64 = 3;
    /// More than arXiv has: a source of something else is not to take the memory.
    const MOST: u64 = 3_500_000;
    let unpacked = match format {
        Format::Json => bytes,
        _ => bytes.saturating_mul(PACKED),
    };
    (unpacked / RECORD).min(MOST) as usize
}

/// What the tasks share.
#[derive(Clone, Copy)]
struct Stage<'a> {
    reader: &'a Reader<'a>,
    profile: &'a Profile,
    threads: usize,
    zstd_level: i32,
}

impl Stage<'_> {
    /// Parses, cleans, signs and packs a block.
    fn parse(&self, block: Block, first: bool, checksum: u128) -> Result<Read> {
        let batch = self.reader.read(&block, first).map(Box::new)?;
        Ok(Read {
            batch,
            // A buffer that grew by its last line has room for two blocks and more.
            buffer: block.into_buffer(4 * BLOCK),
            checksum,
        })
    }

    /// The pages without the rows in `duplicates`, which are in order.
    fn without(&self, pages: &[Page; TEXTS], duplicates: &[u32]) -> Result<[Page; TEXTS]> {
        let mut duplicates = duplicates.iter().peekable();
        let keep: Vec<bool> = (0..pages[0].rows as u32)
            .map(|row| duplicates.next_if_eq(&&row).is_none())
            .collect();
        let mut kept: [Page; TEXTS] = Default::default();
        for (kept, page) in kept.iter_mut().zip(pages) {
            *kept = page.keep(&keep, self.zstd_level)?;
        }
        Ok(kept)
    }

    /// How many blocks may be on their way at once.
    fn blocks(&self) -> u64 {
        2 * self.threads as u64 + 2
    }
}
