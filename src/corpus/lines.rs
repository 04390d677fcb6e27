//! Cuts a stream of bytes into blocks of whole lines without ever holding a line longer than
//! the bound.

use std::io::{self, BufRead, BufReader, Read};

/// Bytes of an overlong line that are kept to show it.
const HEAD: usize = 256;

/// A part of the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Block {
    /// Whole lines; only the stream's last one may lack its newline.
    Lines(Vec<u8>),
    /// One line that is longer than the bound.
    Long {
        /// Its first bytes.
        head: Vec<u8>,
        /// Its length without the newline.
        bytes: u64,
    },
}

impl Block {
    /// Its buffer, to be used again, unless it has grown beyond `limit` bytes.
    pub fn into_buffer(self, limit: usize) -> Vec<u8> {
        match self {
            Self::Lines(buffer) if buffer.capacity() <= limit => buffer,
            _ => Vec::new(),
        }
    }
}

/// The blocks of a stream, in order.
pub struct Blocks<R> {
    reader: BufReader<R>,
    block: usize,
    max_line: usize,
    carry: Vec<u8>,
}

impl<R: Read> Blocks<R> {
    /// Blocks of about `block` bytes, with lines of at most `max_line` bytes.
    pub fn new(reader: R, block: usize, max_line: usize) -> Self {
        // Blocks are read past this buffer; it serves the end of an overlong line.
        let reader = BufReader::with_capacity(1 << 16, reader);
        Self {
            reader,
            block,
            max_line,
            carry: Vec::new(),
        }
    }

    /// The next block, `None` at the end. `buffer` is used for it, its content thrown away.
    ///
    /// # Errors
    /// What the stream answers.
    pub fn next(&mut self, mut buffer: Vec<u8>) -> io::Result<Option<Block>> {
        let mut filled = self.carry.len();
        let mut wanted = self.block.max(filled + 1);
        loop {
            // A buffer that comes back is as long as a block already: nothing is zeroed twice.
            if buffer.len() < wanted {
                buffer.resize(wanted, 0);
            }
            let seen = filled - self.carry.len();
            buffer[seen..filled].copy_from_slice(&self.carry);
            self.carry.clear();
            filled = self.fill(&mut buffer[..wanted], filled)?;
            if filled < wanted {
                buffer.truncate(filled);
                return Ok((filled > 0).then(|| self.last(buffer)));
            }
            if let Some(newline) = memchr::memrchr(b'\n', &buffer[seen..filled]) {
                self.carry
                    .extend_from_slice(&buffer[seen + newline + 1..filled]);
                buffer.truncate(seen + newline + 1);
                return Ok(Some(Block::Lines(buffer)));
            }
            if filled > self.max_line {
                buffer.truncate(filled);
                return self.long(buffer).map(Some);
            }
            wanted = filled + self.block;
        }
    }

    /// Reads until `buffer` is full or the stream ends; how far it is full then.
    fn fill(&mut self, buffer: &mut [u8], mut filled: usize) -> io::Result<usize> {
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

    fn last(&self, buffer: Vec<u8>) -> Block {
        // The carry never holds a newline, so a short block may still be one overlong line.
        if buffer.len() > self.max_line && memchr::memchr(b'\n', &buffer).is_none() {
            return Block::Long {
                bytes: buffer.len() as u64,
                head: head(buffer),
            };
        }
        Block::Lines(buffer)
    }

    fn long(&mut self, buffer: Vec<u8>) -> io::Result<Block> {
        let mut bytes = buffer.len() as u64;
        let head = head(buffer);
        loop {
            let part = self.reader.fill_buf()?;
            let newline = memchr::memchr(b'\n', part);
            let used = newline.unwrap_or(part.len());
            bytes += used as u64;
            let ended = newline.is_some() || part.is_empty();
            self.reader.consume(used + usize::from(newline.is_some()));
            if ended {
                return Ok(Block::Long { head, bytes });
            }
        }
    }
}

fn head(mut line: Vec<u8>) -> Vec<u8> {
    line.truncate(HEAD);
    line.shrink_to_fit();
    line
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
            match block {
                Block::Lines(text) => {
                    lines.extend(
                        text.split_inclusive(|byte| *byte == b'\n')
                            .map(|line| Ok(line.to_vec())),
                    );
                }
                Block::Long { bytes, .. } => lines.push(Err(bytes)),
            }
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
