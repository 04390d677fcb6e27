//! Cuts a stream of bytes into blocks of whole lines without ever holding a line longer than
//! the bound.

use crate::checksum;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::{ControlFlow, Range};

/// Bytes of a block: small enough for a core's own cache, large enough to hide the hand-over.
pub const BLOCK: usize = checksum::BLOCK;
/// Bytes of an overlong line that are kept to show it.
pub(super) const HEAD: usize = 256;

/// A part of the source: whole lines, and perhaps an overlong one after them.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    pub(super) buffer: Vec<u8>,
    /// Where the lines are in `buffer`.
    pub(super) lines: Range<usize>,
    /// The overlong line.
    pub long: Option<Long>,
}

/// A line that is longer than the bound.
#[derive(Debug, PartialEq, Eq)]
pub struct Long {
    /// Its first bytes.
    pub head: Vec<u8>,
    /// Its length without the newline.
    pub bytes: u64,
}

impl Block {
    /// The lines; only the source's last one may lack its newline.
    #[must_use]
    pub fn lines(&self) -> &[u8] {
        &self.buffer[self.lines.clone()]
    }

    /// Completes the last line, which has no end yet, by what `scan` hands on part by part: each is
    /// answered by `Break` with how many bytes of it were the line's, once it ends.
    ///
    /// # Errors
    /// What `scan` returns.
    pub(super) fn finish<E>(
        &mut self,
        max_line: usize,
        scan: impl FnOnce(&mut dyn FnMut(&[u8]) -> ControlFlow<usize>) -> Result<(), E>,
    ) -> Result<(), E> {
        let lines = self.lines.clone();
        let before = memchr::memrchr(b'\n', &self.buffer[lines.clone()]);
        let line = lines.start + before.map_or(0, |at| at + 1);
        let mut end = lines.end;
        self.buffer.truncate(end);
        scan(&mut |part| {
            let newline = memchr::memchr(b'\n', part);
            end += newline.unwrap_or(part.len());
            let used = newline.map_or(part.len(), |at| at + 1);
            if end - line <= max_line {
                self.buffer.extend_from_slice(&part[..used]);
            }
            match newline {
                Some(_) => ControlFlow::Break(used),
                None => ControlFlow::Continue(()),
            }
        })?;
        if end - line <= max_line {
            self.lines.end = self.buffer.len();
        } else {
            let head = &self.buffer[line..];
            self.long = Some(Long {
                head: head[..head.len().min(HEAD)].to_vec(),
                bytes: (end - line) as u64,
            });
            self.lines.end = line;
        }
        Ok(())
    }

    /// Its buffer, to be used again, unless it has grown beyond `limit` bytes.
    #[must_use]
    pub fn into_buffer(self, limit: usize) -> Vec<u8> {
        if self.buffer.capacity() <= limit {
            self.buffer
        } else {
            Vec::new()
        }
    }
}

/// The blocks of a stream, in order. A line belongs to the block in whose bytes it starts, so that
/// a stream and a file read in any order have the same blocks.
pub struct Blocks<R> {
    reader: BufReader<R>,
    block: usize,
    max_line: usize,
    at: u64,
}

impl<R: Read> Blocks<R> {
    /// Blocks of `block` bytes each, the last line of one completed, with lines of at most
    /// `max_line` bytes.
    pub fn new(reader: R, block: usize, max_line: usize) -> Self {
        // Blocks are read past this buffer; it serves the end of their last lines.
        let reader = BufReader::with_capacity(1 << 14, reader);
        Self {
            reader,
            block,
            max_line,
            at: 0,
        }
    }

    /// The next block, `None` at the end. `buffer` is used for it, its content thrown away.
    ///
    /// # Errors
    /// What the stream answers.
    pub fn next(&mut self, mut buffer: Vec<u8>) -> io::Result<Option<Block>> {
        let wanted = self.block - (self.at % self.block as u64) as usize;
        // A buffer that comes back is about as long as a block already: little is zeroed twice.
        buffer.resize(wanted, 0);
        let filled = self.fill(&mut buffer)?;
        if filled == 0 {
            return Ok(None);
        }
        self.at += filled as u64;
        buffer.truncate(filled);
        let ended = buffer.ends_with(b"\n") || filled < wanted;
        let mut block = Block {
            lines: 0..filled,
            buffer,
            long: None,
        };
        if !ended {
            let Self { reader, at, .. } = self;
            block.finish(self.max_line, |take| {
                loop {
                    let part = match reader.fill_buf() {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                        part => part?,
                    };
                    let taken = take(part);
                    let used = taken.break_value().unwrap_or(part.len());
                    reader.consume(used);
                    *at += used as u64;
                    if used == 0 || taken.is_break() {
                        return Ok::<_, io::Error>(());
                    }
                }
            })?;
        }
        Ok(Some(block))
    }

    /// Reads until `buffer` is full or the stream ends; how far it is full then.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.reader.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every line with its newline, an overlong one as its length.
    fn blocks(text: &[u8], block: usize, max_line: usize) -> Vec<Result<Vec<u8>, u64>> {
        let mut blocks = Blocks::new(text, block, max_line);
        let mut lines = Vec::new();
        while let Some(block) = blocks.next(Vec::new()).unwrap() {
            let whole = block.lines().split_inclusive(|byte| *byte == b'\n');
            lines.extend(whole.map(|line| Ok(line.to_vec())));
            lines.extend(block.long.map(|long| Err(long.bytes)));
        }
        lines
    }

    proptest! {
        #[test]
        fn blocks_are_the_lines_in_order(
            lines in prop::collection::vec("[a-z]{0,30}", 0..20),
            newline in any::<bool>(),
            block in 1..40usize,
        ) {
            let mut text = lines.join("\n");
            if newline { text.push('\n') }
            let wanted: Vec<_> = text.as_bytes().split_inclusive(|byte| *byte == b'\n')
                .map(|line| Ok(line.to_vec())).collect();
            prop_assert_eq!(blocks(text.as_bytes(), block, 1000), wanted);
        }

        #[test]
        fn overlong_lines_are_told_by_their_length(
            sizes in prop::collection::vec(prop_oneof![0..20usize, 200..300usize], 1..12),
            newline in any::<bool>(),
        ) {
            let mut text = sizes.iter().map(|size| "x".repeat(*size)).collect::<Vec<_>>().join("\n");
            if newline { text.push('\n') }
            // A line within a block of other lines may pass even when it is over the bound.
            let found = blocks(text.as_bytes(), 16, 100);
            let lengths: Vec<usize> = found.iter().map(|line| match line {
                Ok(line) => line.iter().filter(|byte| **byte != b'\n').count(),
                Err(bytes) => *bytes as usize,
            }).collect();
            let mut wanted = sizes.clone();
            if wanted.last() == Some(&0) && !newline {
                wanted.pop();
            }
            prop_assert_eq!(lengths, wanted);
            for line in found.into_iter().flatten() {
                prop_assert!(line.len() <= 100 + 16 + 1);
            }
        }
    }
}
