//! Room `corpus`.

pub mod dedup;
pub mod split;
pub mod subset;
pub mod taxonomy;
