//! Room `model`: a model directory ↔ encoder, pooling and head.
//!
//! A model directory holds `classifier.json` ([`spec`]), `head.safetensors`, what else its
//! head needs, and `manifest.json` ([`manifest`]); [`directory`] writes it in one step and
//! verifies it before anything is used; [`package`] copies one to hand on. The encoder is
//! read from a directory of transformers or sentence-transformers ([`checkpoint`]): [`config`],
//! [`architecture`], [`weights`], [`bert`], [`pooling`], [`prompt`]; [`batch`] is what it reads.

pub mod activation;
pub mod architecture;
pub mod batch;
pub mod bert;
pub mod checkpoint;
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
pub(crate) mod tensors;
pub mod weights;
