//! Snapshot bytes → papers table.
//!
//! - [`prepare`]: the stage; [`options`] in, [`manifest`] out.
//! - [`source`], [`lines`]: the snapshot as one stream of bytes, whatever it is packed in; blocks of lines.
//! - [`record`], [`json`], [`when`]: one line of it, borrowed; its submission day.
//! - [`taxonomy`]: arXiv's categories and the canonical labels.
//! - [`withdrawn`]: papers that say they were withdrawn.
//! - [`dedup`], [`subset`], [`split`]: duplicates over the whole corpus; which papers stay; which are for what.
//! - [`papers`], [`parquet`]: the papers table in memory and on disk.
//! - [`statistics`]: what is in such a table.
//!
//! Inside: `choice` puts subset and split in their order; `pipeline` runs `batch` on blocks of lines and collects texts, packed by `pages`, in the
//! file of `texts`; `table` completes it with the papers that stay; `quarantine` holds lines that
//! cannot be read; `profile` clocks.

mod batch;
mod choice;
pub mod dedup;
pub mod json;
pub mod lines;
pub mod manifest;
pub mod options;
mod pages;
pub mod papers;
pub mod parquet;
mod pipeline;
pub mod prepare;
mod profile;
mod quarantine;
pub mod record;
mod slices;
pub mod source;
pub mod split;
pub mod statistics;
pub mod subset;
mod table;
pub mod taxonomy;
mod texts;
pub mod when;
pub mod withdrawn;
