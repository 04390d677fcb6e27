//! Source → spilled texts and rows, in the order of the lines.
//!
//! A pool parses, cleans, signs and packs blocks; this thread puts their results back in order and
//! decides on exact duplicates. The blocks of a bare file are read in the pool too; a packed one is
//! unpacked by a thread of its own.
//! What is in flight is bounded, so memory does not grow with the source.

use super::batch::{Batch, LeftOut, Reader};
use super::dedup::{Deduper, Fate};
use super::lines::{BLOCK, Block, Blocks};
use super::options::PrepareOptions;
use super::pages::Page;
use super::profile::Profile;
use super::quarantine::Quarantine;
use super::slices::Slices;
use super::source::{Format, Meter, Source};
use super::spill::{Spill, Spilled, TEXTS};
use super::subset;
use crate::error::{Error, Result};
use crate::observe::{Observer, Progress};
use blake3::hazmat::ChainingValue;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// A row group is full with this many papers.
pub(super) const GROUP: usize = 16_384;
/// How often a waiting stage looks whether it is to stop.
const POLL: Duration = Duration::from_millis(100);

/// Everything known once the source has been read.
pub(super) struct Gathered {
    pub blake3: String,
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
    pub texts: Spilled,
}

enum Message {
    Block(Block),
    End(Result<String>),
    Batch(u64, Result<Read>),
}

/// A block that has been read and parsed.
struct Read {
    batch: Box<Batch>,
    buffer: Vec<u8>,
    /// What the hash of a bare file is made of.
    value: ChainingValue,
}

/// Where the blocks come from.
enum Feed<'f> {
    /// A thread that sends one for each buffer it gets.
    Stream(Sender<Vec<u8>>),
    /// A file whose next block is `next`.
    Slices {
        slices: &'f Slices,
        meter: &'f Meter,
        stop: &'f AtomicBool,
        next: u64,
    },
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
) -> Result<(Gathered, Deduper)> {
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
        },
        quarantine,
        spill: Spill::new(out)?,
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
    let blake3 = match source.into_slices(max_line) {
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
                let result = read(source, meter, stop, max_line, &wait, &blocks, profile);
                let _ = blocks.send(Message::End(result));
            });
            run(Feed::Stream(permits))
        }),
    }?;
    let gathered = Gathered {
        blake3,
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
        texts: gatherer.spill.finish()?,
    };
    Ok((gathered, gatherer.deduper))
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

/// Sends the blocks of `source`, one for each permit; gives the source's hash.
fn read(
    source: Source,
    meter: &Meter,
    stop: &AtomicBool,
    max_line: usize,
    permits: &Receiver<Vec<u8>>,
    blocks: &Sender<Message>,
    profile: &Profile,
) -> Result<String> {
    let (path, format) = (source.path().to_path_buf(), source.format());
    let fault = |error| {
        if stop.load(Ordering::Relaxed) {
            Error::Interrupted
        } else {
            Source::explain(&path, format, error)
        }
    };
    let ((), blake3) = source.read(meter, |reader| {
        let mut parts = Blocks::new(
            Stoppable {
                inner: reader,
                stop,
            },
            BLOCK,
            max_line,
        );
        // No permit: the other side has gone.
        while let Ok(buffer) = permits.recv() {
            let block = profile.read.time(|| parts.next(buffer)).map_err(fault)?;
            match block {
                Some(block) => {
                    let _ = blocks.send(Message::Block(block));
                }
                None => return Ok(()),
            }
        }
        Err(Error::Interrupted)
    })?;
    Ok(blake3)
}

/// Fails once the stage has stopped, however long the line it is in.
struct Stoppable<'a, R> {
    inner: R,
    stop: &'a AtomicBool,
}

impl<R: io::Read> io::Read for Stoppable<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("stopped"));
        }
        self.inner.read(buffer)
    }
}

/// What the tasks share.
#[derive(Clone, Copy)]
struct Stage<'a> {
    reader: &'a Reader<'a>,
    profile: &'a Profile,
    threads: usize,
}

impl Stage<'_> {
    /// Parses, cleans, signs and packs a block.
    fn parse(&self, block: Block, first: bool, value: ChainingValue) -> Result<Read> {
        let batch = self.reader.read(&block, first).map(Box::new)?;
        Ok(Read {
            batch,
            buffer: block.into_buffer(2 * BLOCK),
            value,
        })
    }

    /// How many blocks may be on their way at once.
    fn blocks(&self) -> u64 {
        2 * self.threads as u64 + 2
    }
}

struct Gatherer<'a> {
    stage: Stage<'a>,
    quarantine: &'a mut Quarantine,
    spill: Spill,
    deduper: Deduper,
    rows: subset::Rows,
    archives: Vec<u8>,
    archive_names: Vec<Option<&'static str>>,
    /// Address of a name, and its index in `archive_names`.
    archive_places: Vec<(usize, u8)>,
    lines: u64,
    blank: u64,
    left_out: LeftOut,
    legacy: BTreeMap<&'static str, u64>,
    unknown: BTreeMap<String, u64>,
}

/// Results that come in any order and leave in the order of their numbers.
struct InOrder<T> {
    first: u64,
    waiting: VecDeque<Option<T>>,
}

impl<T> InOrder<T> {
    fn new() -> Self {
        Self {
            first: 0,
            waiting: VecDeque::new(),
        }
    }

    fn put(&mut self, number: u64, value: T) {
        let at = (number - self.first) as usize;
        if self.waiting.len() <= at {
            self.waiting.resize_with(at + 1, || None);
        }
        self.waiting[at] = Some(value);
    }

    fn take(&mut self) -> Option<T> {
        let value = self.waiting.front_mut()?.take()?;
        self.waiting.pop_front();
        self.first += 1;
        Some(value)
    }
}

impl<'a> Gatherer<'a> {
    /// Takes all blocks that `feed` has; gives the source's hash.
    fn run<'s>(
        &mut self,
        tasks: &rayon::ScopeFifo<'s>,
        sender: &Sender<Message>,
        receiver: &Receiver<Message>,
        mut feed: Feed<'s>,
        tick: &dyn Fn(u64) -> Result<()>,
    ) -> Result<String>
    where
        'a: 's,
    {
        let stage = self.stage;
        let mut batches = InOrder::new();
        let (mut sent, mut granted) = (0, 0);
        let mut spare = vec![Vec::new(); stage.blocks() as usize];
        let mut ended = None;
        let mut values = Vec::new();
        let mut ticked = Instant::now();
        loop {
            // A buffer is a permit to read a block.
            while granted - batches.first < stage.blocks()
                && let Some(buffer) = spare.pop()
            {
                granted += 1;
                match &mut feed {
                    Feed::Stream(permits) => {
                        let _ = permits.send(buffer);
                    }
                    Feed::Slices {
                        slices,
                        meter,
                        stop,
                        next,
                    } if *next < slices.count() => {
                        let (slices, meter, stop, number) = (*slices, *meter, *stop, *next);
                        *next += 1;
                        sent = *next;
                        let sender = sender.clone();
                        tasks.spawn_fifo(move |_| {
                            let clock = &stage.profile.read;
                            let read = clock.time(|| slices.read(number, buffer, meter, stop));
                            let read = read
                                .and_then(|(block, value)| stage.parse(block, number == 0, value));
                            let _ = sender.send(Message::Batch(number, read));
                        });
                    }
                    Feed::Slices { .. } => {}
                }
            }
            if let Feed::Slices { slices, next, .. } = &feed
                && *next == slices.count()
                && batches.first == sent
            {
                return Ok(Slices::hash(&values));
            }
            if ended.is_some() && batches.first == sent {
                return Ok(ended.unwrap_or_default());
            }
            let message = match receiver.recv_timeout(POLL) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Err(Error::Interrupted),
            };
            if message.is_none() || ticked.elapsed() > POLL {
                tick(u64::from(self.deduper.rows()))?;
                ticked = Instant::now();
            }
            match message {
                None => {}
                Some(Message::Block(block)) => {
                    let (number, sender) = (sent, sender.clone());
                    sent += 1;
                    tasks.spawn_fifo(move |_| {
                        let read = stage.parse(block, number == 0, ChainingValue::default());
                        let _ = sender.send(Message::Batch(number, read));
                    });
                }
                Some(Message::End(hash)) => ended = Some(hash?),
                Some(Message::Batch(number, read)) => {
                    let Read {
                        batch,
                        buffer,
                        value,
                    } = read?;
                    spare.push(buffer);
                    batches.put(number, (batch, value));
                    while let Some((batch, value)) = batches.take() {
                        values.push(value);
                        self.take(*batch)?;
                    }
                }
            }
        }
    }

    /// Takes the next block's papers.
    fn take(&mut self, batch: Batch) -> Result<()> {
        let profile = self.stage.profile;
        let (pages, duplicates) = profile.gather.time(|| self.count(batch))?;
        if pages[0].rows > duplicates.len() {
            profile
                .spill
                .time(|| self.spill.append(&pages, duplicates))?;
        }
        Ok(())
    }

    /// Takes what is known of the next block's papers; gives their pages, and which of them
    /// are duplicates.
    fn count(&mut self, batch: Batch) -> Result<([Page; TEXTS], Vec<u32>)> {
        for bad in &batch.bad {
            self.quarantine.push(self.lines, bad)?;
        }
        self.lines += batch.lines;
        self.blank += batch.blank;
        self.left_out += batch.left_out;
        for (name, papers) in batch.legacy {
            *self.legacy.entry(name).or_default() += papers;
        }
        for (name, papers) in batch.unknown {
            *self.unknown.entry(name).or_default() += papers;
        }
        let papers = batch.papers.iter();
        self.deduper
            .announce(papers.map(|paper| (paper.id, &paper.fingerprint)));
        let mut duplicates = Vec::new();
        let mut start = 0;
        for (at, paper) in batch.papers.iter().enumerate() {
            let labels = &batch.labels[start..paper.labels_end];
            start = paper.labels_end;
            if self.deduper.push(paper.id, &paper.fingerprint) == Fate::Keep {
                self.rows
                    .push(paper.id, paper.days, paper.primary, labels.iter().copied());
                let archive = self.archive(paper.archive);
                self.archives.push(archive);
            } else {
                duplicates.push(at as u32);
            }
        }
        Ok((batch.pages, duplicates))
    }

    fn archive(&mut self, name: Option<&'static str>) -> u8 {
        // Names are the taxonomy's own: where they lie tells them apart faster than their letters.
        let place = name.map_or(0, |name| name.as_ptr() as usize);
        let known = self.archive_places.iter().find(|known| known.0 == place);
        if let Some(&(_, number)) = known {
            return number;
        }
        let same = self.archive_names.iter().position(|known| *known == name);
        let number = same.unwrap_or_else(|| {
            self.archive_names.push(name);
            // arXiv has fewer than 60 archives, subsumed ones included.
            self.archive_names.len() - 1
        }) as u8;
        self.archive_places.push((place, number));
        number
    }
}
