//! What a caller may choose about predictions and files; crosses from Python as JSON.

use super::prediction::resolve;
use crate::error::{Error, Result};
use crate::options::parse;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How probabilities become a prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// Probabilities from which categories are assigned, by any name arXiv has for them, in place
    /// of the model's own thresholds.
    pub thresholds: BTreeMap<String, f32>,
    /// Assign categories, best first, as long as the mean of their probabilities is at least
    /// this, whatever the thresholds say. As far as the probabilities are calibrated, that mean is
    /// the precision that can be expected of the assigned ones.
    pub min_precision: Option<f32>,
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
            thresholds: BTreeMap::new(),
            min_precision: None,
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
    /// [`Error::Option`] for `top_k = 0`, a number that is no probability, a category that arXiv
    /// does not have, or two names of the same one.
    pub(super) fn check(&self) -> Result<()> {
        if self.top_k == Some(0) {
            let reason = "at least one category must be listed";
            return Err(Error::option("top_k", 0, reason));
        }
        let mut given: BTreeMap<&str, &str> = BTreeMap::new();
        for (category, &threshold) in &self.thresholds {
            let name = format!("thresholds.{category}");
            let label = match resolve(category) {
                Ok(label) => label,
                Err(error) => return Err(Error::option(&name, threshold, error)),
            };
            if let Some(other) = given.insert(label.name(), category) {
                let reason = format!("{other} is the same category, and has a threshold too");
                return Err(Error::option(&name, threshold, reason));
            }
            probability(&name, threshold)?;
        }
        match self.min_precision {
            Some(_) if !self.thresholds.is_empty() => Err(Error::option(
                "min_precision",
                "given",
                "thresholds are given too, and only one of them can decide",
            )),
            Some(precision) => probability("min_precision", precision),
            None => Ok(()),
        }
    }
}

fn probability(name: &str, value: f32) -> Result<()> {
    match value {
        0.0..=1.0 => Ok(()),
        _ => Err(Error::option(name, value, "must be from 0 to 1")),
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
            (r#"{"min_precision": 1.5}"#, "min_precision"),
            (r#"{"thresholds": {"cs.LG": -0.1}}"#, "thresholds.cs.LG"),
            (r#"{"thresholds": {"cs.XX": 0.1}}"#, "thresholds.cs.XX"),
            (
                r#"{"thresholds": {"cs.IT": 0.1, "math.IT": 0.2}}"#,
                "thresholds.math.IT",
            ),
            (
                r#"{"thresholds": {"cs.LG": 0.1}, "min_precision": 0.5}"#,
                "min_precision",
            ),
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
