//! What token ids are: those of the `tokenizers` crate by itself, cut to the length asked for.

use arxiv_core::observe::Silent;
use arxiv_core::tokens::batches::{Layout, plan};
use arxiv_core::tokens::tokenizer::Tokenizer;
use std::path::PathBuf;

/// Tokens in a batch at most.
const BUDGET: usize = 64;

/// One of ours, and what it puts before a text.
struct Ours {
    tokenizer: Tokenizer,
    prompt: &'static str,
    lowercase: bool,
}

/// Ours, and the plain one.
pub struct Tokenizers {
    ours: Vec<Ours>,
    plain: tokenizers::Tokenizer,
}

impl Tokenizers {
    /// Loads them all from the file `TOKENIZER`.
    pub fn load() -> Self {
        let path = PathBuf::from(std::env::var_os("TOKENIZER").expect("TOKENIZER is a path"));
        let mut plain = tokenizers::Tokenizer::from_file(&path).expect("TOKENIZER is a tokenizer");
        plain
            .with_padding(None)
            .with_truncation(None)
            .expect("nothing is cut");
        let ours = [
            (512, "", false),
            (12, "", true),
            (3, "search_query: ", false),
        ];
        let ours = ours.map(|(max_length, prompt, lowercase)| Ours {
            tokenizer: Tokenizer::load(&path, max_length, lowercase)
                .expect("TOKENIZER is a tokenizer")
                .with_prompt(prompt.to_owned()),
            prompt,
            lowercase,
        });
        Self {
            ours: ours.into(),
            plain,
        }
    }

    /// Checks texts, each by itself and together.
    pub fn check(&self, texts: &[&str]) {
        for ours in &self.ours {
            let most = ours.tokenizer.max_length();
            let together = ours
                .tokenizer
                .encode_all(texts, &Silent)
                .expect("every text has tokens");
            assert_eq!(together.len(), texts.len());
            for (text, found) in texts.iter().zip(&together) {
                assert_eq!(
                    *found,
                    ours.tokenizer.encode(text).expect("every text has tokens")
                );
                let (expected, cut) = self.expected(ours, text, most);
                assert!(
                    found.ids.len() <= most,
                    "{} ids of {most}: {text:?}",
                    found.ids.len()
                );
                assert_eq!(
                    found.ids, expected,
                    "other ids than the plain tokenizer's: {text:?}"
                );
                assert_eq!(found.truncated, cut, "whether it was cut: {text:?}");
            }
            let lengths: Vec<usize> = together.iter().map(|one| one.ids.len()).collect();
            let batches = plan(&lengths, BUDGET, Layout::Packed);
            let cost = |batch: &Vec<usize>| batch.iter().map(|&row| lengths[row]).sum::<usize>();
            assert!(
                batches
                    .iter()
                    .all(|batch| batch.len() == 1 || cost(batch) <= BUDGET)
            );
            assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), texts.len());
        }
    }

    /// The ids of all of the text, without those that are too many before the last, special one.
    fn expected(&self, ours: &Ours, text: &str, most: usize) -> (Vec<u32>, bool) {
        let mut text = format!("{}{text}", ours.prompt).trim().to_owned();
        if ours.lowercase {
            text = text.to_lowercase();
        }
        let encoding = self
            .plain
            .encode(text, true)
            .expect("every text has tokens");
        let mut ids = encoding.get_ids().to_vec();
        let size = self.plain.get_vocab_size(true);
        assert!(
            ids.iter().all(|&id| (id as usize) < size),
            "an id beyond the vocabulary"
        );
        let cut = ids.len() > most;
        if cut {
            ids.drain(most - 1..ids.len() - 1);
        }
        (ids, cut)
    }
}
