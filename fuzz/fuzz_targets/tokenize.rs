//! Whatever stands in a title or an abstract: it is cleaned, put together, tokenized and taken
//! apart as documented. The first line of an input is the title.
//!
//! `TOKENIZER` is the path of a `tokenizer.json`.

#![no_main]

#[path = "../oracles/cleaning.rs"]
mod cleaning;
#[path = "../oracles/parts.rs"]
mod parts;
#[path = "../oracles/tokens.rs"]
mod tokens;

use std::sync::OnceLock;

static TOKENIZERS: OnceLock<tokens::Tokenizers> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let input = String::from_utf8_lossy(data);
    let (title, text) = input.split_once('\n').unwrap_or(("", &input));
    let read = cleaning::check(title, text);
    parts::check(title, text);
    let tokenizers = TOKENIZERS.get_or_init(tokens::Tokenizers::load);
    tokenizers.check(&[&input, &read, title, ""]);
});
