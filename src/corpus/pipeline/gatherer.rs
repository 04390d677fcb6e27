//! Takes parsed blocks in the order of their lines: counts, drops exact duplicates, and hands on
//! the texts.

use super::super::batch::{Batch, LeftOut};
use super::super::dedup::{Deduper, Fate};
use super::super::pages::Page;
use super::super::quarantine::Quarantine;
use super::super::subset;
use super::super::texts::{TEXTS, TextFile};
use super::Stage;
use super::feed::{Feed, InOrder, Message, Read};
use crate::checksum;
use crate::error::{Error, Result};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// How often a waiting stage looks whether it is to stop.
const POLL: Duration = Duration::from_millis(100);

thread_local! {
    /// What a block of a bare file is read into.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What is known so far.
pub(super) struct Gatherer<'a> {
    pub stage: Stage<'a>,
    pub quarantine: &'a mut Quarantine,
    pub texts: TextFile,
    pub deduper: Deduper,
    pub rows: subset::Rows,
    pub archives: Vec<u8>,
    pub archive_names: Vec<Option<&'static str>>,
    /// Address of a name, and its index in `archive_names`.
    pub archive_places: Vec<(usize, u8)>,
    pub lines: u64,
    pub blank: u64,
    pub left_out: LeftOut,
    pub legacy: BTreeMap<&'static str, u64>,
    pub unknown: BTreeMap<String, u64>,
}

impl<'a> Gatherer<'a> {
    /// Takes all blocks that `feed` has; gives the source's hash.
    pub(super) fn run<'s>(
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
        // Texts of blocks whose duplicates are known, those without them.
        let mut pages = InOrder::new();
        let (mut sent, mut granted) = (0, 0);
        let mut spare = vec![Vec::new(); stage.blocks() as usize];
        let mut ended = None;
        let mut checksums = Vec::new();
        let mut ticked = Instant::now();
        loop {
            // A buffer is a permit to read a block.
            while granted - pages.first < stage.blocks()
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
                            // The thread's own buffer still lies in its core's cache.
                            let own = BUFFER.take();
                            let read = clock.time(|| slices.read(number, own, meter, stop));
                            let read = read.and_then(|(block, checksum)| {
                                let mut read = stage.parse(block, number == 0, checksum)?;
                                BUFFER.set(std::mem::replace(&mut read.buffer, buffer));
                                Ok(read)
                            });
                            let _ = sender.send(Message::Batch(number, read));
                        });
                    }
                    Feed::Slices { .. } => {}
                }
            }
            if let Feed::Slices { slices, next, .. } = &feed
                && *next == slices.count()
                && pages.first == sent
            {
                return Ok(checksum::whole(&checksums));
            }
            if ended.is_some() && pages.first == sent {
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
                        let read = stage.parse(block, number == 0, 0);
                        let _ = sender.send(Message::Batch(number, read));
                    });
                }
                Some(Message::End(hash)) => ended = Some(hash?),
                Some(Message::Batch(number, read)) => {
                    let Read {
                        batch,
                        buffer,
                        checksum,
                    } = read?;
                    spare.push(buffer);
                    batches.put(number, (batch, checksum));
                    while let Some((batch, checksum)) = batches.take() {
                        checksums.push(checksum);
                        let number = batches.first - 1;
                        let (all, duplicates) = stage.profile.gather.time(|| self.count(*batch))?;
                        if duplicates.is_empty() {
                            pages.put(number, all);
                            continue;
                        }
                        let sender = sender.clone();
                        tasks.spawn_fifo(move |_| {
                            let clock = &stage.profile.encode;
                            let kept = clock.time(|| stage.without(&all, &duplicates));
                            let _ = sender.send(Message::Pages(number, kept));
                        });
                    }
                }
                Some(Message::Pages(number, kept)) => pages.put(number, kept?),
            }
            while let Some(pages) = pages.take() {
                if pages[0].rows > 0 {
                    let clock = &stage.profile.write;
                    clock.time(|| self.texts.append(pages))?;
                }
            }
        }
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
