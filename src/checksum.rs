//! Checksum of a file: XXH3, 128 bits wide, over the XXH3 of each of its blocks of 512 KiB, big-endian
//! and in order (<https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>).
//!
//! Blocks are hashed in any order by whoever holds them, nearly as fast as they can be read. It
//! tells one version of a file from another and finds damage; against forgery it protects nobody.

use crate::error::{Error, Result};
use crate::observe::Observer;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use twox_hash::XxHash3_128;

/// Bytes of a block; the last one may be shorter.
pub const BLOCK: usize = 1 << 19;

/// The checksum of a block.
#[must_use]
pub fn block(bytes: &[u8]) -> u128 {
    XxHash3_128::oneshot(bytes)
}

/// The checksum, in hex, of a file whose blocks have these.
#[must_use]
pub fn whole(blocks: &[u128]) -> String {
    let bytes: Vec<u8> = blocks
        .iter()
        .flat_map(|block| block.to_be_bytes())
        .collect();
    format!("{:032x}", XxHash3_128::oneshot(&bytes))
}

/// A checksum while bytes come in order, in pieces of any length.
#[derive(Default)]
pub struct Checksum {
    blocks: Vec<u128>,
    open: XxHash3_128,
    filled: usize,
}

impl Checksum {
    /// Takes the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (part, rest) = bytes.split_at(bytes.len().min(BLOCK - self.filled));
            self.open.write(part);
            self.filled += part.len();
            bytes = rest;
            if self.filled == BLOCK {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        let closed = std::mem::take(&mut self.open);
        self.blocks.push(closed.finish_128());
        self.filled = 0;
    }

    /// The checksum of all bytes taken, in hex.
    #[must_use]
    pub fn finish(mut self) -> String {
        if self.filled > 0 {
            self.close();
        }
        whole(&self.blocks)
    }
}

/// The checksum, in hex, of all that is left in `reader`.
///
/// # Errors
/// What reading returns.
pub fn read(mut reader: impl Read) -> io::Result<String> {
    let mut buffer = vec![0; BLOCK];
    let mut checksum = Checksum::default();
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(checksum.finish()),
            read => checksum.update(&buffer[..read]),
        }
    }
}

/// The checksum of the file at `path`, in hex.
///
/// # Errors
/// [`Error::Io`]; [`Error::Interrupted`].
pub fn file(path: &Path, observer: &dyn Observer) -> Result<String> {
    let fail = |source| Error::io(path, source);
    let mut file = File::open(path).map_err(fail)?;
    let mut buffer = vec![0; BLOCK];
    let mut checksum = Checksum::default();
    loop {
        observer.check()?;
        match file.read(&mut buffer).map_err(fail)? {
            0 => return Ok(checksum.finish()),
            read => checksum.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that repeat nowhere nearby.
    fn bytes(count: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    #[test]
    fn pieces_of_any_length_give_the_checksum_of_the_blocks() {
        for count in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5] {
            let bytes = bytes(count);
            let blocks: Vec<u128> = bytes.chunks(BLOCK).map(block).collect();
            for piece in [7_919, BLOCK / 2, BLOCK, 2 * BLOCK] {
                let mut checksum = Checksum::default();
                bytes.chunks(piece).for_each(|part| checksum.update(part));
                assert_eq!(checksum.finish(), whole(&blocks), "{count} by {piece}");
            }
        }
    }

    #[test]
    fn it_is_made_as_its_description_says() {
        // By Python's xxhash 4.1: xxh3_128(xxh3_128(b"abc").digest()).hexdigest().
        assert_eq!(block(b"abc"), 0x06b0_5ab6_733a_6185_78af_5f94_892f_3950);
        assert_eq!(whole(&[block(b"abc")]), "f758394eebabb2bb51ee911f78f31836");
    }

    #[test]
    fn a_changed_byte_and_swapped_blocks_are_seen() {
        let bytes = bytes(2 * BLOCK);
        let mut changed = bytes.clone();
        changed[BLOCK + 3] ^= 1;
        let mut swapped = bytes.clone();
        swapped.rotate_left(BLOCK);
        let of = |bytes: &[u8]| {
            let mut checksum = Checksum::default();
            checksum.update(bytes);
            checksum.finish()
        };
        assert_ne!(of(&bytes), of(&changed));
        assert_ne!(of(&bytes), of(&swapped));
    }

    #[test]
    fn a_file_has_the_checksum_of_its_bytes() {
        let place = tempfile::NamedTempFile::new().unwrap();
        let bytes = bytes(BLOCK + 17);
        std::fs::write(place.path(), &bytes).unwrap();
        let mut checksum = Checksum::default();
        checksum.update(&bytes);
        assert_eq!(
            file(place.path(), &crate::observe::Silent).unwrap(),
            checksum.finish()
        );
    }
}
