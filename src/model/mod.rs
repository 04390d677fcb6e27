//! Room `model`: a model directory ↔ encoder, pooling and head.
//!
//! A model directory holds `classifier.json` ([`spec`]), `head.safetensors`, what else its
//! head needs, and `manifest.json` ([`manifest`]); [`directory`] writes it in one step and
//! verifies it before anything is used.

pub mod directory;
pub mod head;
pub mod manifest;
pub mod spec;
