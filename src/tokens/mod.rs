//! Room `tokens`.

pub mod ngrams;
