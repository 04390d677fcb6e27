//! Room `text`: raw title and abstract → cleaned text ([`clean()`]), and the one text a model
//! reads ([`template()`]).
//!
//! Cleaning is idempotent by construction. The output holds no character that starts a rule:
//! no backslash, dollar, brace or backtick, no control character, no two spaces in a row, no
//! space at either end, no `--` or `''`. Everything that is written passes [`writer`], which
//! keeps the rules about neighbours, and a rule never looks at what it wrote. So a second pass
//! finds nothing to do.
//!
//! In a build with the feature `raw-text` white space alone is cleaned, everywhere:
//! `benches/cleaning` measures with it what cleaning does.

pub mod clean;
mod commands;
mod latex;
mod squeeze;
pub mod template;
mod unicode;
mod writer;

#[cfg(test)]
mod tests;

pub use clean::{clean, clean_into};
pub use template::{TEMPLATE_VERSION, template};
pub use unicode::beyond_ascii;
