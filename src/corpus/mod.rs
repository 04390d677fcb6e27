//! Room `corpus`.

pub mod taxonomy;
