//! The prompt that sentence-transformers puts before every text of some models.

use crate::error::{Error, Result};
use crate::model::config::read;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path;

const FILE: &str = "config_sentence_transformers.json";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Prompts {
    prompts: HashMap<String, Option<String>>,
    default_prompt_name: Option<String>,
}

/// The default prompt of the model in `directory`, empty where it has none.
///
/// # Errors
/// [`Error::Io`]; [`Error::Model`] where the default names no prompt.
pub fn default_prompt(directory: &Path) -> Result<String> {
    let path = directory.join(FILE);
    if !path.exists() {
        return Ok(String::new());
    }
    let mut found: Prompts = read(&path)?;
    let Some(name) = found.default_prompt_name else {
        return Ok(String::new());
    };
    match found.prompts.remove(&name) {
        Some(prompt) => Ok(prompt.unwrap_or_default()),
        None => Err(Error::model(
            &path,
            format!("default_prompt_name: {name:?} is none of the prompts"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(config: &str) -> Result<String> {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join(FILE), config).unwrap();
        default_prompt(place.path())
    }

    #[test]
    fn only_the_default_prompt_counts() {
        let prompts = r#""prompts": {"query": "find: ", "document": null}"#;
        let named = |name: &str| of(&format!("{{{prompts}, \"default_prompt_name\": {name}}}"));
        assert_eq!(named("\"query\"").unwrap(), "find: ");
        assert_eq!(named("\"document\"").unwrap(), "");
        assert_eq!(named("null").unwrap(), "");
        assert_eq!(of("{}").unwrap(), "");
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(default_prompt(empty.path()).unwrap(), "");
        let error = named("\"passage\"").unwrap_err().to_string();
        assert!(error.contains("default_prompt_name") && error.contains("passage"));
    }
}
