//! Where blocks come from, and the order in which their results leave.

use super::super::batch::Batch;
use super::super::lines::{BLOCK, Block, Blocks};
use super::super::pages::Page;
use super::super::profile::Profile;
use super::super::slices::Slices;
use super::super::source::{Meter, Source};
use super::super::texts::TEXTS;
use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};

/// What the thread that gathers is told.
pub(super) enum Message {
    Block(Block),
    End(Result<String>),
    Batch(u64, Result<Read>),
    /// The pages of a block that lost its duplicates.
    Pages(u64, Result<[Page; TEXTS]>),
}

/// A block that has been read and parsed.
pub(super) struct Read {
    pub batch: Box<Batch>,
    pub buffer: Vec<u8>,
    /// Of a bare file's block.
    pub checksum: u128,
}

/// Where the blocks come from.
pub(super) enum Feed<'f> {
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

/// Sends the blocks of `source`, one for each permit; gives the source's hash.
pub(super) fn read(
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
    let stopped = || stop.load(Ordering::Relaxed);
    let ((), checksum) = source.read(meter, stopped, |reader| {
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
    Ok(checksum)
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

/// Results that come in any order and leave in the order of their numbers.
pub(super) struct InOrder<T> {
    pub first: u64,
    waiting: VecDeque<Option<T>>,
}

impl<T> InOrder<T> {
    pub(super) fn new() -> Self {
        Self {
            first: 0,
            waiting: VecDeque::new(),
        }
    }

    pub(super) fn put(&mut self, number: u64, value: T) {
        let at = (number - self.first) as usize;
        if self.waiting.len() <= at {
            self.waiting.resize_with(at + 1, || None);
        }
        self.waiting[at] = Some(value);
    }

    pub(super) fn take(&mut self) -> Option<T> {
        let value = self.waiting.front_mut()?.take()?;
        self.waiting.pop_front();
        self.first += 1;
        Some(value)
    }
}
