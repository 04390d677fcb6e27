//! Room `tokens`.
