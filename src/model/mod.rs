//! Room `model`: a model directory ↔ encoder, pooling and head.
//!
//! A model directory holds `classifier.json` ([`spec`]), `head.safetensors`, what else its
//! head needs, and `manifest.json` ([`manifest`]); [`directory`] writes it in one step and
//! verifies it before anything is used; [`package`] copies one to hand on. The encoder is
//! read from a directory of transformers or sentence-transformers: [`config`], [`architecture`],
//! [`weights`], [`bert`], [`pooling`], [`prompt`].

pub mod activation;
pub mod architecture;
pub mod bert;
pub mod config;
pub mod device;
pub mod directory;
pub mod embeddings;
pub mod head;
pub mod manifest;
pub mod package;
pub mod pooling;
pub mod prompt;
pub mod spec;
pub mod weights;
