//! What a caller may choose about predictions and files; crosses from Python as JSON.

use crate::error::{Error, Result};
use crate::options::parse;
use serde::{Deserialize, Serialize};

/// How probabilities become a prediction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ranking {
    /// How many categories a prediction lists; none: the assigned ones, at least the best.
    pub top_k: Option<usize>,
    /// List every label, whatever `top_k` says.
    pub all: bool,
    /// Write the second name of an alias pair beside the first: `cs.IT=math.IT`.
    pub aliases: bool,
    /// Categories, or the archives above them.
    pub level: Level,
    /// Shares of the primary category that add up to one, in place of probabilities.
    pub distribution: bool,
}

/// Which level of arXiv's hierarchy a prediction speaks of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// `cs.LG`.
    #[default]
    Category,
    /// `cs`.
    Archive,
}

impl Default for Ranking {
    fn default() -> Self {
        Self {
            top_k: Some(5),
            all: false,
            aliases: false,
            level: Level::Category,
            distribution: false,
        }
    }
}

impl Ranking {
    /// Reads and checks `options`, a JSON object.
    ///
    /// # Errors
    /// [`Error::Option`] naming the key.
    pub fn parse(options: &str) -> Result<Self> {
        let ranking: Self = parse(options)?;
        ranking.check()?;
        Ok(ranking)
    }

    /// # Errors
    /// [`Error::Option`] for `top_k = 0`.
    pub(super) fn check(&self) -> Result<()> {
        match self.top_k {
            Some(0) => Err(Error::option(
                "top_k",
                0,
                "at least one category must be listed",
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_given_is_the_top_five() {
        assert_eq!(Ranking::parse("{}").unwrap(), Ranking::default());
        assert_eq!(Ranking::parse(r#"{"top_k": null}"#).unwrap().top_k, None);
    }

    #[test]
    fn a_wrong_option_is_named_with_its_value() {
        for (options, name) in [
            (r#"{"top_k": "five"}"#, "top_k"),
            (r#"{"top_k": 0}"#, "top_k"),
            (r#"{"level": "group"}"#, "level"),
            (r#"{"colour": 1}"#, "colour"),
        ] {
            let error = Ranking::parse(options).unwrap_err();
            assert!(
                matches!(&error, Error::Option { name: got, .. } if got == name),
                "{error}"
            );
        }
        assert!(matches!(Ranking::parse("[]"), Err(Error::Option { .. })));
    }
}
