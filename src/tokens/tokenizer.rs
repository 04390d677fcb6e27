//! Text → token ids, as sentence-transformers does it: the truncation and padding written in
//! `tokenizer.json` are replaced by the model's own maximum length and no padding.

use crate::error::{Error, Result};
use crate::observe::Observer;
use rayon::prelude::*;
use std::path::Path;
use tokenizers::{TruncationDirection, TruncationParams, TruncationStrategy};

/// Texts tokenized between two looks at whether to go on.
const BETWEEN_LOOKS: usize = 512;

/// One text as the model reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Token ids, special tokens included, at most the tokenizer's maximum length.
    pub ids: Vec<u32>,
    /// Whether the text was longer than the maximum length.
    pub truncated: bool,
}

/// A Hugging Face fast tokenizer with a maximum length.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    prompt: String,
    lowercase: bool,
    max_length: usize,
}

impl Tokenizer {
    /// Loads `tokenizer.json` at `path`; texts are cut to `max_length` tokens, special tokens
    /// included, and lowercased first where the model says so (`do_lower_case`).
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be read, [`Error::Model`] where it is no tokenizer,
    /// [`Error::Option`] where `max_length` leaves no room for text.
    pub fn load(path: &Path, max_length: usize, lowercase: bool) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
        let mut inner = tokenizers::Tokenizer::from_bytes(&bytes)
            .map_err(|error| Error::model(path, format!("not a fast tokenizer: {error}")))?;
        let special = inner.get_post_processor().map_or(0, |post| {
            use tokenizers::PostProcessor;
            post.added_tokens(false)
        });
        if max_length <= special {
            return Err(Error::option(
                "max_length",
                max_length,
                format!("must be more than the {special} special tokens"),
            ));
        }
        inner.with_padding(None);
        inner
            .with_truncation(Some(TruncationParams {
                max_length,
                strategy: TruncationStrategy::LongestFirst,
                stride: 0,
                direction: TruncationDirection::Right,
            }))
            .map_err(|error| Error::model(path, error))?;
        Ok(Self {
            inner,
            prompt: String::new(),
            lowercase,
            max_length,
        })
    }

    /// Puts `prompt` before every text.
    pub fn with_prompt(mut self, prompt: String) -> Self {
        self.prompt = prompt;
        self
    }

    /// What stands before every text.
    pub fn prompt(&self) -> &str {
        &self.prompt
    }

    /// The most tokens a text keeps, special tokens included.
    pub fn max_length(&self) -> usize {
        self.max_length
    }

    /// The largest token id plus one.
    pub fn vocabulary(&self) -> usize {
        let vocabulary = self.inner.get_vocab(true);
        vocabulary.values().max().map_or(0, |&id| id as usize + 1)
    }

    /// The id of `token`, where there is one.
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Token ids of one text.
    ///
    /// # Errors
    /// [`Error::Input`] where the tokenizer refuses the text.
    pub fn encode(&self, text: &str) -> Result<Tokens> {
        let (prompted, lowered);
        let mut text = text;
        if !self.prompt.is_empty() {
            prompted = format!("{}{text}", self.prompt);
            text = &prompted;
        }
        // sentence-transformers strips the text before its tokenizer sees it.
        text = text.trim();
        if self.lowercase {
            lowered = text.to_lowercase();
            text = &lowered;
        }
        let encoding = self
            .inner
            .encode_fast(text, true)
            .map_err(|error| Error::input("tokenizer", error))?;
        Ok(Tokens {
            ids: encoding.get_ids().to_vec(),
            truncated: !encoding.get_overflowing().is_empty(),
        })
    }

    /// Token ids of many texts, on all cores, in the order of `texts`.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`]; [`Error::Interrupted`].
    pub fn encode_all<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        observer: &dyn Observer,
    ) -> Result<Vec<Tokens>> {
        let mut tokens = Vec::with_capacity(texts.len());
        for part in texts.chunks(BETWEEN_LOOKS) {
            observer.check()?;
            let encode = |text: &S| self.encode(text.as_ref());
            tokens.extend(part.par_iter().map(encode).collect::<Result<Vec<_>>>()?);
        }
        Ok(tokens)
    }
}
