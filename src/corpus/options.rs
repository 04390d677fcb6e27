//! The options of `prepare`, as they cross the border in JSON.

use super::dedup::DedupOptions;
use super::split::SplitOptions;
use super::subset::SubsetOptions;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What is done to titles and abstracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clean {
    /// LaTeX to Unicode, Unicode normalised, single spaces: what models are trained on.
    Full,
    /// Runs of ASCII white space become one space, none at either end.
    Whitespace,
}

/// Options of `prepare`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrepareOptions {
    /// What is done to titles and abstracts.
    pub clean: Clean,
    /// Papers whose cleaned abstract has fewer characters than this are left out.
    pub min_abstract_chars: usize,
    /// Keep papers that say they were withdrawn.
    pub keep_withdrawn: bool,
    /// Keep papers without a canonical category.
    pub keep_unlabelled: bool,
    /// Duplicates.
    pub dedup: DedupOptions,
    /// Which papers stay.
    pub subset: SubsetOptions,
    /// Train, validation and test.
    pub split: SplitOptions,
    /// zstd level of the papers table, 1 to 22.
    pub zstd_level: i32,
    /// A longer line goes into quarantine unread.
    pub max_line_bytes: usize,
    /// Threads to work on; none: one a core. Changes nothing in the output.
    #[serde(skip_serializing)]
    pub threads: Option<usize>,
}

impl Default for PrepareOptions {
    fn default() -> Self {
        Self {
            clean: Clean::Full,
            min_abstract_chars: 50,
            keep_withdrawn: false,
            keep_unlabelled: false,
            dedup: DedupOptions::default(),
            subset: SubsetOptions::default(),
            split: SplitOptions::default(),
            zstd_level: 1,
            max_line_bytes: 16 << 20,
            threads: None,
        }
    }
}

impl PrepareOptions {
    /// Reads and checks options written in JSON.
    ///
    /// # Errors
    /// [`Error::Option`] naming the option.
    pub fn from_json(text: &str) -> Result<Self> {
        let value: Value =
            serde_json::from_str(text).map_err(|error| Error::option("options", text, error))?;
        let options: Self = serde_json::from_value(value.clone()).map_err(|error| {
            let (name, value, reason) = blame(&value, &mut Vec::new()).unwrap_or((
                "options".into(),
                value,
                error.to_string(),
            ));
            Error::option(name, value, reason)
        })?;
        options.check()?;
        Ok(options)
    }

    /// Checks everything that can be known without the papers.
    ///
    /// # Errors
    /// [`Error::Option`] naming the option.
    pub fn check(&self) -> Result<()> {
        self.subset.check()?;
        self.split.check()?;
        super::parquet::properties(self.zstd_level)?;
        if self.threads == Some(0) {
            return Err(Error::option(
                "threads",
                0,
                "must be at least 1; null: one a core",
            ));
        }
        if !(1024..=1 << 30).contains(&self.max_line_bytes) {
            let reason = "must be 1024 to 1073741824";
            return Err(Error::option("max_line_bytes", self.max_line_bytes, reason));
        }
        Ok(())
    }
}

/// The first leaf that serde refuses when it stands alone: its dotted name, value and the reason.
fn blame(value: &Value, path: &mut Vec<String>) -> Option<(String, Value, String)> {
    if let Value::Object(fields) = value {
        let alone = fields.iter().find_map(|(key, value)| {
            path.push(key.clone());
            let found = blame(value, path);
            path.pop();
            found
        });
        if alone.is_some() {
            return alone;
        }
    }
    let nested = path.iter().rev().fold(value.clone(), |inner, key| {
        Value::Object(Map::from_iter([(key.clone(), inner)]))
    });
    let error = serde_json::from_value::<PrepareOptions>(nested).err()?;
    Some((path.join("."), value.clone(), error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_survive_json() {
        let options = PrepareOptions::default();
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(PrepareOptions::from_json(&text).unwrap(), options);
        assert_eq!(PrepareOptions::from_json("{}").unwrap(), options);
    }

    #[test]
    fn errors_name_the_option() {
        for (json, start) in [
            (r#"{"zstd": 3}"#, "option zstd = 3: unknown field"),
            (
                r#"{"subset": {"max_papers": "many"}}"#,
                "option subset.max_papers = \"many\": invalid",
            ),
            (
                r#"{"subset": {"size": 3}, "zstd_level": 2}"#,
                "option subset.size = 3: unknown field",
            ),
            (
                r#"{"zstd_level": 99}"#,
                "option zstd_level = 99: expected 1 to 22",
            ),
            (r#"{"threads": 0}"#, "option threads = 0: must be"),
            ("[", "option options = [: EOF"),
        ] {
            let error = PrepareOptions::from_json(json).unwrap_err().to_string();
            assert!(error.starts_with(start), "{error}");
        }
    }
}
