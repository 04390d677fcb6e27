//! Room `infer`.
