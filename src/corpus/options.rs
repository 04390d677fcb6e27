//! The options of `prepare`, as they cross the border in JSON.

use super::dedup::DedupOptions;
use super::split::SplitOptions;
use super::subset::SubsetOptions;
use crate::error::{Error, Result};
use crate::options;
use serde::{Deserialize, Serialize};

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
        let options: Self = options::parse(text)?;
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
