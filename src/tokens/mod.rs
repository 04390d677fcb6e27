//! Room `tokens`: text → token ids → length-sorted, token-budgeted batches, and sparse
//! word n-grams.

pub mod batches;
pub mod ngrams;

#[cfg(feature = "torch")]
pub mod tokenizer;
#[cfg(feature = "torch")]
pub mod vocabulary;
