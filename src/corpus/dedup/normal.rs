//! Text as duplicates are compared: case folded, letters and digits only, cut into words.

/// Bytes after the last one that may be read (never used): words are loaded eight at a time.
const PAD: usize = 8;
/// Buffers longer than this are not kept from one text to the next.
const KEEP: usize = 1 << 20;

/// The lower-case byte of an ASCII letter or digit; 0 for everything else.
static FOLDED: [u8; 128] = folded();

const fn folded() -> [u8; 128] {
    let mut table = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() {
            table[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    table
}

/// One or more texts, normalised into one run of bytes; the buffers are reused.
#[derive(Debug, Default)]
pub(super) struct Normal {
    /// Letters and digits, words run together; longer than `used`.
    bytes: Vec<u8>,
    used: usize,
    /// Where each word ends in `bytes`; longer than `words`.
    ends: Vec<u32>,
    words: usize,
}

impl Normal {
    /// Forgets what was read.
    pub(super) fn clear(&mut self) {
        if self.bytes.len() > KEEP {
            *self = Self::default();
        }
        (self.used, self.words) = (0, 0);
    }

    /// Appends `text`; its first word is a new word.
    pub(super) fn push(&mut self, text: &str) {
        let mut rest = text;
        let mut open = false;
        while !rest.is_empty() {
            let ascii = rest
                .bytes()
                .position(|byte| !byte.is_ascii())
                .unwrap_or(rest.len());
            open = self.push_ascii(&rest.as_bytes()[..ascii], open);
            rest = &rest[ascii..];
            let mut chars = rest.chars();
            while let Some(letter) = chars.as_str().chars().next().filter(|c| !c.is_ascii()) {
                chars.next();
                open = self.push_char(letter, open);
            }
            rest = chars.as_str();
        }
        if open {
            self.reserve(0);
            self.end_word();
        }
    }

    /// Letters and digits of everything read.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.used]
    }

    /// How many words were read.
    pub(super) fn words(&self) -> usize {
        self.words
    }

    /// A hash of each word from the `first` on.
    pub(super) fn word_hashes(&self, first: usize) -> impl Iterator<Item = u64> {
        let start = first.checked_sub(1).map_or(0, |word| self.ends[word]);
        let ends = self.ends.get(first..self.words).unwrap_or_default();
        ends.iter().scan(start as usize, |start, &end| {
            let word = hash_word(&self.bytes, *start, end as usize);
            *start = end as usize;
            Some(word)
        })
    }

    /// Makes room for `more` bytes, each of which may end a word.
    fn reserve(&mut self, more: usize) {
        let bytes = self.used + more + PAD;
        if self.bytes.len() < bytes {
            self.bytes.resize(bytes.next_power_of_two(), 0);
        }
        let ends = self.words + more + 1;
        if self.ends.len() < ends {
            self.ends.resize(ends.next_power_of_two(), 0);
        }
    }

    fn end_word(&mut self) {
        self.ends[self.words] = self.used as u32;
        self.words += 1;
    }

    // No branch depends on the text: word ends are too irregular to be predicted.
    fn push_ascii(&mut self, run: &[u8], open: bool) -> bool {
        self.reserve(run.len());
        let (mut used, mut words, mut inside) = (0, 0, usize::from(open));
        let bytes = &mut self.bytes[self.used..][..run.len() + PAD];
        let ends = &mut self.ends[self.words..][..run.len() + 1];
        for &byte in run {
            let folded = FOLDED[usize::from(byte & 0x7f)];
            let letter = usize::from(folded != 0);
            ends[words] = (self.used + used) as u32;
            words += inside & (letter ^ 1);
            bytes[used] = folded;
            used += letter;
            inside = letter;
        }
        self.used += used;
        self.words += words;
        inside == 1
    }

    fn push_char(&mut self, letter: char, open: bool) -> bool {
        self.reserve(2 * PAD);
        if !letter.is_alphanumeric() {
            if open {
                self.end_word();
            }
            return false;
        }
        for lower in letter.to_lowercase() {
            self.reserve(PAD);
            let written = lower.encode_utf8(&mut self.bytes[self.used..]).len();
            self.used += written;
        }
        true
    }
}

/// Folds the 128-bit product into 64 bits, the mixing step of wyhash
/// (<https://github.com/wangyi-fudan/wyhash>).
pub(super) fn mix(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    (product as u64) ^ ((product >> 64) as u64)
}

fn hash_word(bytes: &[u8], start: usize, end: usize) -> u64 {
    let load = |at: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[at..at + 8]);
        u64::from_le_bytes(word)
    };
    let mut at = start;
    let mut state = 0xa076_1d64_78bd_642f ^ (end - start) as u64;
    while end - at > 8 {
        state = mix(state ^ load(at), 0xe703_7ed1_a0b4_28db);
        at += 8;
    }
    // A word has at least one byte, so the shift is below 64.
    let last = load(at) & (u64::MAX >> (64 - 8 * (end - at)));
    mix(state ^ last, 0x8ebc_6af0_9c88_c6e3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> (String, usize, Vec<u64>) {
        let mut normal = Normal::default();
        normal.push(text);
        let bytes = String::from_utf8(normal.bytes().to_vec()).unwrap();
        (bytes, normal.words(), normal.word_hashes(0).collect())
    }

    fn words_of(text: &str) -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(|word| word.chars().flat_map(char::to_lowercase).collect())
            .collect()
    }

    #[test]
    fn case_punctuation_and_blanks_do_not_count() {
        assert_eq!(read("A Multi-Agent, système!").0, "amultiagentsystème");
        assert_eq!(
            read("a multi agent SYSTÈME").0,
            read("A Multi-Agent, système!").0
        );
        assert_eq!(read("").1, 0);
        assert_eq!(read(" — ").1, 0);
    }

    #[test]
    fn a_reused_buffer_reads_like_a_fresh_one() {
        let mut normal = Normal::default();
        normal.push("something much longer that was there before");
        normal.clear();
        normal.push("Two words");
        normal.push("then three more");
        assert_eq!(normal.bytes(), b"twowordsthenthreemore");
        assert_eq!(normal.words(), 5);
        let last: Vec<_> = normal.word_hashes(2).collect();
        assert_eq!(last, read("then three more").2);
    }

    proptest! {
        #[test]
        fn words_are_cut_as_the_plain_definition_cuts_them(text in "\\PC{0,80}") {
            let (bytes, words, hashes) = read(&text);
            let expected = words_of(&text);
            prop_assert_eq!(bytes, expected.concat());
            prop_assert_eq!(words, expected.len());
            for (word, hash) in expected.iter().zip(hashes) {
                prop_assert_eq!(read(word).2, vec![hash]);
            }
        }
    }
}
