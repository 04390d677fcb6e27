//! Blocks of a bare file, each read by the task that parses it: what is hashed and parsed then
//! still lies in the core's own cache.

use super::lines::{BLOCK, Block};
use super::source::Meter;
use crate::checksum;
use crate::error::{Error, Result};
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes read in one go beyond a block, for the end of its last line.
const STEP: usize = 1 << 13;
/// Bytes of a page of the system's. A block lies in memory as it does in the pages of the system's
/// cache: some processors (AMD's Zen 3) copy at half the speed to an address a little further
/// into its page than the one copied from.
const PAGE: usize = 1 << 12;

/// A file of known size as blocks of [`BLOCK`] bytes. A line belongs to the block it starts in.
#[derive(Debug)]
pub(super) struct Slices {
    path: PathBuf,
    file: File,
    bytes: u64,
    max_line: usize,
}

impl Slices {
    /// The first `bytes` of `file`, with lines of at most `max_line` bytes.
    pub(super) fn new(path: PathBuf, file: File, bytes: u64, max_line: usize) -> Self {
        Self {
            path,
            file,
            bytes,
            max_line,
        }
    }

    /// How many blocks there are.
    pub(super) fn count(&self) -> u64 {
        self.bytes.div_ceil(BLOCK as u64)
    }

    /// The lines of a block, and its checksum. `buffer` is
    /// used for it, its content thrown away.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Input`] where the file has become shorter;
    /// [`Error::Interrupted`] once `stop` is set.
    pub(super) fn read(
        &self,
        number: u64,
        mut buffer: Vec<u8>,
        meter: &Meter,
        stop: &AtomicBool,
    ) -> Result<(Block, u128)> {
        let start = number * BLOCK as u64;
        let own = (self.bytes - start).min(BLOCK as u64) as usize;
        // The byte before says whether a line starts with the block.
        let before = usize::from(number > 0);
        if buffer.len() < 2 * PAGE + own {
            buffer.resize(2 * PAGE + own, 0);
        }
        let own_at = PAGE + buffer[PAGE..].as_ptr().align_offset(PAGE);
        let (first, end) = (own_at - before, own_at + own);
        self.file
            .read_exact_at(&mut buffer[first..end], start - before as u64)
            .map_err(|error| self.fault(error))?;
        meter.add(own as u64);
        let checksum = checksum::block(&buffer[own_at..end]);
        let newline = memchr::memchr(b'\n', &buffer[first..end]);
        let from = match newline {
            _ if before == 0 => own_at,
            Some(newline) => first + newline + 1,
            None => end,
        };
        let mut block = Block {
            buffer,
            lines: from..end,
            long: None,
        };
        if from < end && block.buffer[end - 1] != b'\n' {
            let end = start + own as u64;
            block.finish(self.max_line, |take| self.scan(end, stop, take))?;
        }
        Ok((block, checksum))
    }

    /// Hands the file from `at` on to `take`, part by part.
    fn scan(
        &self,
        mut at: u64,
        stop: &AtomicBool,
        take: &mut dyn FnMut(&[u8]) -> ControlFlow<usize>,
    ) -> Result<()> {
        let mut part = [0; STEP];
        while at < self.bytes {
            if stop.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            let step = (self.bytes - at).min(STEP as u64) as usize;
            self.file
                .read_exact_at(&mut part[..step], at)
                .map_err(|error| self.fault(error))?;
            if take(&part[..step]).is_break() {
                break;
            }
            at += step as u64;
        }
        Ok(())
    }

    fn fault(&self, error: io::Error) -> Error {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Error::input(
                self.path.display(),
                "has become shorter while it was read; nothing was written",
            )
        } else {
            Error::io(&self.path, error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Checksum;
    use std::io::Write;

    fn slices(text: &[u8], max_line: usize) -> Slices {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        Slices::new(PathBuf::from("papers"), file, text.len() as u64, max_line)
    }

    /// Every line with its newline, an overlong one as its length; and the hash.
    fn read(slices: &Slices) -> (Vec<Result<Vec<u8>, u64>>, String) {
        let (mut lines, mut values) = (Vec::new(), Vec::new());
        let (meter, stop) = (Meter::default(), AtomicBool::new(false));
        let mut buffer = Vec::new();
        for number in 0..slices.count() {
            let (block, value) = slices.read(number, buffer, &meter, &stop).unwrap();
            let whole = block.lines().split_inclusive(|byte| *byte == b'\n');
            lines.extend(whole.map(|line| Ok(line.to_vec())));
            lines.extend(block.long.iter().map(|long| Err(long.bytes)));
            values.push(value);
            buffer = block.into_buffer(usize::MAX);
        }
        assert_eq!(meter.bytes(), slices.bytes);
        (lines, checksum::whole(&values))
    }

    #[test]
    fn blocks_are_the_lines_in_order_and_the_hash_is_the_files() {
        // Around the ends of blocks: lines that end there, start there, reach over one or two.
        let mut texts = vec![b"a\nb".to_vec(), b"\n".to_vec(), vec![b'x'; BLOCK]];
        for at in [BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 5 * BLOCK + 7] {
            for newline in [at - 2, at - 1, at] {
                let mut text = vec![b'x'; at + 1];
                for end in [100, newline, BLOCK / 2, BLOCK - 1] {
                    if end < text.len() {
                        text[end] = b'\n';
                    }
                }
                texts.push(text);
            }
        }
        for text in texts {
            let wanted: Vec<_> = text
                .split_inclusive(|byte| *byte == b'\n')
                .map(|line| Ok(line.to_vec()))
                .collect();
            let (lines, hash) = read(&slices(&text, 8 * BLOCK));
            assert!(lines == wanted, "{} bytes", text.len());
            let mut wanted = Checksum::default();
            wanted.update(&text);
            assert_eq!(hash, wanted.finish());
        }
    }

    #[test]
    fn overlong_lines_are_told_by_their_length() {
        let text = [vec![b'a'; 10], vec![b'x'; 3 * BLOCK], vec![b'b'; 5]].join(&b'\n');
        let (lines, _) = read(&slices(&text, BLOCK));
        let wanted = [
            Ok(b"aaaaaaaaaa\n".to_vec()),
            Err(3 * BLOCK as u64),
            Ok(b"bbbbb".to_vec()),
        ];
        assert!(lines == wanted);
    }

    #[test]
    fn a_file_that_shrinks_is_told_by_its_name() {
        let slices = slices(b"some line\n", 100);
        slices.file.set_len(3).unwrap();
        let stop = AtomicBool::new(false);
        let error = slices.read(0, Vec::new(), &Meter::default(), &stop);
        let message = error.unwrap_err().to_string();
        assert!(
            message.contains("papers") && message.contains("shorter"),
            "{message}"
        );
    }
}
