//! Snapshot bytes → papers table.
//!
//! - [`source`]: the snapshot as one stream of bytes, whatever it is packed in.
//! - [`record`], [`json`], [`when`]: one line of it, borrowed; its submission day.
//! - [`taxonomy`]: arXiv's categories and the canonical labels.
//! - [`dedup`], [`subset`], [`split`]: duplicates over the whole corpus; which papers stay; which are for what.
//! - [`papers`], [`parquet`]: the papers table in memory and on disk.

pub mod dedup;
pub mod json;
pub mod papers;
pub mod parquet;
pub mod record;
pub mod source;
pub mod split;
pub mod subset;
pub mod taxonomy;
pub mod when;
