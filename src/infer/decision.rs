//! What a moderator does with a submission: a paper's probabilities and its declared primary →
//! accept, propose another primary, or abstain; and cross-lists to suggest.

use super::prediction::{Category, Prediction};
use crate::corpus::taxonomy::{self, Resolution};
use crate::error::{Error, Result};
use crate::options::parse;
use serde::{Deserialize, Serialize};

/// From which probabilities on a moderator acts; crosses from Python as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// A declared primary with at least this probability stays.
    pub keep: f32,
    /// Another is proposed only with at least this one.
    pub propose: f32,
    /// A cross-list is suggested only with at least this one.
    pub cross_list: f32,
    /// Cross-lists that are suggested at most.
    pub cross_lists: usize,
}

impl Default for Limits {
    /// Those that arXiv's own classifier service is asked for: keep from one half, propose from
    /// .57, at most two cross-lists.
    fn default() -> Self {
        Self {
            keep: 0.5,
            propose: 0.57,
            cross_list: 0.57,
            cross_lists: 2,
        }
    }
}

impl Limits {
    /// Reads and checks `limits`, a JSON object.
    ///
    /// # Errors
    /// [`Error::Option`] naming the key.
    pub fn parse(limits: &str) -> Result<Self> {
        let limits: Self = parse(limits)?;
        for (name, value) in [
            ("keep", limits.keep),
            ("propose", limits.propose),
            ("cross_list", limits.cross_list),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::option(name, value, "must be a probability"));
            }
        }
        Ok(limits)
    }
}

/// What becomes of the declared primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It stays.
    Accept,
    /// Another one is proposed.
    Propose,
    /// The model does not know enough to say.
    Abstain,
}

/// What a moderator is told.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// What becomes of the declared primary.
    pub verdict: Verdict,
    /// The primary that stays or is proposed; none where the model abstains.
    pub primary: Option<Category>,
    /// Suggested cross-lists, best first; never the primary.
    pub cross_lists: Vec<Category>,
}

/// Decides by `all`, every label of a model best first, about a submission to `declared`.
///
/// Another primary is sought in the declared one's archive first, and elsewhere only where that
/// has none. Of a primary that the model does not know it says nothing.
///
/// # Errors
/// [`Error::Input`] for a declared category that arXiv does not have.
pub fn decide(all: &Prediction, declared: Option<&str>, limits: &Limits) -> Result<Decision> {
    let declared = declared.map(super::prediction::resolve).transpose()?;
    let known =
        |category: &&Category| declared.is_some_and(|label| label.name() == category.category);
    let labels = &all.categories;
    let (verdict, primary) = match (declared, labels.iter().find(known)) {
        (Some(_), None) => (Verdict::Abstain, None),
        (Some(_), Some(own)) if own.probability >= limits.keep => (Verdict::Accept, Some(own)),
        (declared, _) => {
            let others = || {
                labels
                    .iter()
                    .filter(|other| other.probability >= limits.propose && !known(other))
            };
            let near = declared.and_then(|label| {
                others().find(|other| archive(&other.category) == Some(label.archive()))
            });
            match near.or_else(|| others().next()) {
                Some(other) => (Verdict::Propose, Some(other)),
                None => (Verdict::Abstain, None),
            }
        }
    };
    let cross_lists = match primary {
        None => Vec::new(),
        Some(primary) => labels
            .iter()
            .filter(|other| other.probability >= limits.cross_list)
            .filter(|other| other.category != primary.category)
            .take(limits.cross_lists)
            .cloned()
            .collect(),
    };
    Ok(Decision {
        verdict,
        primary: primary.cloned(),
        cross_lists,
    })
}

fn archive(category: &str) -> Option<&'static str> {
    match taxonomy::resolve(category) {
        Resolution::Label(label) => Some(label.archive()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(probabilities: &[(&str, f32)]) -> Prediction {
        let mut categories: Vec<Category> = probabilities
            .iter()
            .map(|&(category, probability)| Category {
                category: category.to_owned(),
                name: "",
                probability,
                assigned: false,
                threshold: None,
            })
            .collect();
        categories.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        Prediction {
            categories,
            truncated: false,
        }
    }

    fn told(probabilities: &[(&str, f32)], declared: Option<&str>) -> (Verdict, String, String) {
        let decision = decide(&all(probabilities), declared, &Limits::default()).unwrap();
        let name = |category: &Category| category.category.clone();
        (
            decision.verdict,
            decision.primary.as_ref().map(name).unwrap_or_default(),
            decision
                .cross_lists
                .iter()
                .map(name)
                .collect::<Vec<_>>()
                .join(" "),
        )
    }

    fn said(verdict: Verdict, primary: &str, cross_lists: &str) -> (Verdict, String, String) {
        (verdict, primary.to_owned(), cross_lists.to_owned())
    }

    #[test]
    fn a_likely_primary_stays_even_where_another_is_likelier() {
        let probabilities = [("cs.LG", 0.9), ("cs.CL", 0.5), ("cs.CV", 0.1)];
        let expected = said(Verdict::Accept, "cs.CL", "cs.LG");
        assert_eq!(told(&probabilities, Some("cs.CL")), expected);
    }

    #[test]
    fn another_primary_is_sought_in_the_same_archive_first() {
        let probabilities = [("math.PR", 0.9), ("cs.DS", 0.6), ("cs.CC", 0.1)];
        let expected = said(Verdict::Propose, "cs.DS", "math.PR");
        assert_eq!(told(&probabilities, Some("cs.CC")), expected);
        let expected = said(Verdict::Propose, "math.PR", "cs.DS");
        assert_eq!(told(&probabilities, None), expected);
        let probabilities = [("math.PR", 0.9), ("cs.DS", 0.56), ("cs.CC", 0.1)];
        let expected = said(Verdict::Propose, "math.PR", "");
        assert_eq!(told(&probabilities, Some("cs.CC")), expected);
    }

    #[test]
    fn who_is_unsure_abstains_and_suggests_nothing() {
        let probabilities = [("cs.LG", 0.56), ("cs.CL", 0.49)];
        let expected = said(Verdict::Abstain, "", "");
        assert_eq!(told(&probabilities, Some("cs.CL")), expected);
        assert_eq!(told(&probabilities, None), expected);
    }

    #[test]
    fn of_a_primary_that_the_model_does_not_know_nothing_is_said() {
        let expected = said(Verdict::Abstain, "", "");
        assert_eq!(told(&[("cs.LG", 0.9)], Some("hep-lat")), expected);
        assert!(decide(&all(&[]), Some("cs.XX"), &Limits::default()).is_err());
    }

    #[test]
    fn an_alias_is_the_category_it_stands_for() {
        let expected = said(Verdict::Accept, "cs.SY", "");
        assert_eq!(told(&[("cs.SY", 0.8)], Some("eess.SY")), expected);
    }

    #[test]
    fn a_limit_that_is_no_probability_is_named() {
        for (limits, name) in [
            (r#"{"keep": 1.5}"#, "keep"),
            (r#"{"propose": -0.1}"#, "propose"),
            (r#"{"cross_list": "high"}"#, "cross_list"),
            (r#"{"mercy": 1}"#, "mercy"),
        ] {
            let error = Limits::parse(limits).unwrap_err();
            assert!(
                matches!(&error, Error::Option { name: got, .. } if got == name),
                "{error}"
            );
        }
        assert_eq!(Limits::parse("{}").unwrap(), Limits::default());
    }

    proptest! {
        #[test]
        fn nothing_below_its_limit_is_ever_proposed(
            probabilities in proptest::collection::vec(0f32..1.0, 5),
            (keep, propose, cross_list) in (0f32..1.0, 0f32..1.0, 0f32..1.0),
            cross_lists in 0usize..4,
            declared in 0usize..6,
        ) {
            let names = ["cs.LG", "cs.CL", "math.PR", "stat.ML", "hep-th"];
            let pairs: Vec<(&str, f32)> = names.into_iter().zip(probabilities).collect();
            let limits = Limits { keep, propose, cross_list, cross_lists };
            let declared = names.get(declared).copied();
            let found = decide(&all(&pairs), declared, &limits).unwrap();
            let own = pairs.iter().find(|(name, _)| Some(*name) == declared);
            match (found.verdict, &found.primary) {
                (Verdict::Accept, Some(primary)) => {
                    prop_assert_eq!(Some(primary.category.as_str()), declared);
                    prop_assert!(primary.probability >= keep);
                }
                (Verdict::Propose, Some(primary)) => {
                    prop_assert_ne!(Some(primary.category.as_str()), declared);
                    prop_assert!(primary.probability >= propose);
                    prop_assert!(own.is_none_or(|(_, probability)| *probability < keep));
                }
                (Verdict::Abstain, None) => prop_assert!(found.cross_lists.is_empty()),
                other => return Err(TestCaseError::fail(format!("{other:?}"))),
            }
            prop_assert!(found.cross_lists.len() <= cross_lists);
            let primary = found.primary.map(|primary| primary.category);
            for other in found.cross_lists {
                prop_assert!(other.probability >= cross_list && Some(other.category) != primary);
            }
        }
    }
}
