//! Probabilities → what a person reads: ranked categories or archives.

use super::options::{Level, Ranking};
use crate::corpus::taxonomy::{self, Label, Resolution};
use crate::error::{Error, Result};
use serde::Serialize;
use std::cmp::Ordering;

/// One category or archive of a prediction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Category {
    /// Canonical name (`cs.LG`, or `cs` at archive level), with the alias where asked for.
    pub category: String,
    /// The name as people read it: `Machine Learning`.
    pub name: &'static str,
    /// Probability, or share of the primary category where a distribution was asked for.
    pub probability: f32,
    /// Whether the probability reaches the label's threshold; an archive is assigned when
    /// one of its categories is.
    pub assigned: bool,
}

/// What is said about one paper.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Best first; equal probabilities in the order of the names.
    pub categories: Vec<Category>,
    /// Whether the text was longer than the model reads.
    pub truncated: bool,
}

/// Turns a row of probabilities into a [`Prediction`]. Built once for a model.
#[derive(Debug, Clone)]
pub struct Ranker {
    labels: Vec<Label>,
    thresholds: Vec<f32>,
    archives: Vec<Archive>,
}

/// An archive and the positions of its labels in a row of probabilities.
#[derive(Debug, Clone)]
struct Archive {
    id: &'static str,
    name: &'static str,
    members: Vec<usize>,
}

impl Ranker {
    /// `labels` are canonical names in the order of the probabilities, `thresholds` theirs.
    ///
    /// # Errors
    /// [`Error::Input`] for a name that is not a canonical label; [`Error::Shape`] for lists
    /// of different lengths.
    pub fn new(labels: &[String], thresholds: &[f32]) -> Result<Self> {
        if labels.len() != thresholds.len() {
            return Err(Error::shape(
                "thresholds",
                [labels.len()],
                [thresholds.len()],
            ));
        }
        let labels = labels
            .iter()
            .map(|name| match taxonomy::resolve(name) {
                Resolution::Label(label) if label.name() == name => Ok(label),
                _ => Err(Error::input(
                    "labels",
                    format!("{name:?} is not a canonical category"),
                )),
            })
            .collect::<Result<Vec<_>>>()?;
        let mut archives: Vec<Archive> = Vec::new();
        for (position, label) in labels.iter().enumerate() {
            let id = label.archive();
            match archives.iter_mut().find(|archive| archive.id == id) {
                Some(archive) => archive.members.push(position),
                None => {
                    let name = taxonomy::find(id).map_or(id, |row| row.name);
                    archives.push(Archive {
                        id,
                        name,
                        members: vec![position],
                    });
                }
            }
        }
        Ok(Self {
            labels,
            thresholds: thresholds.to_vec(),
            archives,
        })
    }

    /// The prediction for one paper. `declared` is the primary category that its author
    /// chose: it is listed last when it is not among the best, with probability 0 when the
    /// model does not know it.
    ///
    /// # Errors
    /// [`Error::Shape`] for a row of another length; [`Error::Input`] for a declared
    /// category that arXiv does not have, or a probability that is not a number.
    pub fn rank(
        &self,
        probabilities: &[f32],
        truncated: bool,
        declared: Option<&str>,
        options: &Ranking,
    ) -> Result<Prediction> {
        if probabilities.len() != self.labels.len() {
            return Err(Error::shape(
                "probabilities",
                [self.labels.len()],
                [probabilities.len()],
            ));
        }
        if let Some(position) = probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
            let place = format!("probability of {}", self.labels[position].name());
            return Err(Error::input(place, probabilities[position]));
        }
        let declared = declared.map(resolve).transpose()?;
        let mut ranked = match options.level {
            Level::Category => self.categories(probabilities, options),
            Level::Archive => self.archives(probabilities, options),
        };
        // A stable sort on the names' order would do, but the label list need not be sorted.
        ranked.sort_by(|a, b| {
            b.probability
                .partial_cmp(&a.probability)
                .unwrap_or(Ordering::Equal)
                .then_with(|| a.category.cmp(&b.category))
        });
        let kept = match options.top_k {
            _ if options.all => ranked.len(),
            Some(top_k) => top_k.min(ranked.len()),
            None => {
                // Thresholds differ by label, so the assigned ones need not be the first ones.
                let best = ranked.first().cloned();
                ranked.retain(|category| category.assigned);
                if ranked.is_empty() {
                    ranked.extend(best);
                }
                ranked.len()
            }
        };
        let rest = ranked.split_off(kept);
        if let Some(label) = declared {
            let name = match options.level {
                Level::Category => written(label, options.aliases),
                Level::Archive => label.archive().to_owned(),
            };
            if !ranked.iter().any(|category| category.category == name) {
                let found = rest.into_iter().find(|category| category.category == name);
                ranked.push(match found {
                    Some(category) => category,
                    None => unknown_to_the_model(label, name, options.level),
                });
            }
        }
        Ok(Prediction {
            categories: ranked,
            truncated,
        })
    }

    fn categories(&self, probabilities: &[f32], options: &Ranking) -> Vec<Category> {
        let shown = shares_if(options.distribution, probabilities);
        self.labels
            .iter()
            .enumerate()
            .map(|(position, &label)| Category {
                category: written(label, options.aliases),
                name: label.category().name,
                probability: shown[position],
                assigned: self.assigned(position, probabilities),
            })
            .collect()
    }

    fn archives(&self, probabilities: &[f32], options: &Ranking) -> Vec<Category> {
        let shares = options.distribution.then(|| shares(probabilities));
        self.archives
            .iter()
            .map(|archive| Category {
                category: archive.id.to_owned(),
                name: archive.name,
                probability: match &shares {
                    Some(shares) => archive
                        .members
                        .iter()
                        .map(|&position| shares[position])
                        .sum::<f64>() as f32,
                    None => at_least_one(
                        archive
                            .members
                            .iter()
                            .map(|&position| probabilities[position]),
                    ),
                },
                assigned: archive
                    .members
                    .iter()
                    .any(|&position| self.assigned(position, probabilities)),
            })
            .collect()
    }

    fn assigned(&self, position: usize, probabilities: &[f32]) -> bool {
        probabilities[position] >= self.thresholds[position]
    }
}

/// The probability that at least one of an archive's categories applies, from theirs: the
/// noisy-or `1 - Π(1 - p)`. It is never below the largest of them and never above their sum
/// or one, equals the category's own where an archive has one, and unlike the maximum it
/// grows when a paper is spread over several categories of the archive.
fn at_least_one(probabilities: impl Iterator<Item = f32>) -> f32 {
    let (mut none, mut largest, mut sum) = (1.0, 0.0, 0.0);
    for probability in probabilities.map(f64::from) {
        none *= 1.0 - probability;
        largest = f64::max(largest, probability);
        sum += probability;
    }
    // Rounding alone can leave the bounds, which hold exactly.
    (1.0 - none).clamp(largest, sum.min(1.0).max(largest)) as f32
}

/// Each label's share of the primary category: its probability among all labels' sum.
fn shares(probabilities: &[f32]) -> Vec<f64> {
    let sum: f64 = probabilities.iter().copied().map(f64::from).sum();
    if sum > 0.0 {
        probabilities
            .iter()
            .map(|&probability| f64::from(probability) / sum)
            .collect()
    } else {
        vec![1.0 / probabilities.len() as f64; probabilities.len()]
    }
}

fn shares_if(distribution: bool, probabilities: &[f32]) -> Vec<f32> {
    if distribution {
        shares(probabilities)
            .into_iter()
            .map(|share| share as f32)
            .collect()
    } else {
        probabilities.to_vec()
    }
}

/// A label as it is shown: alone, or with the other name of its alias pair.
fn written(label: Label, aliases: bool) -> String {
    match label.alias() {
        Some(alias) if aliases => format!("{}={alias}", label.name()),
        _ => label.name().to_owned(),
    }
}

/// The label that a declared primary category stands for.
pub(super) fn resolve(declared: &str) -> Result<Label> {
    match taxonomy::resolve(declared) {
        Resolution::Label(label) => Ok(label),
        Resolution::Legacy => Err(Error::input(
            "primary",
            format!("{declared:?} is an archive of arXiv, not a category in it"),
        )),
        Resolution::Unknown => Err(Error::input(
            "primary",
            format!("{declared:?} is not a category of arXiv"),
        )),
    }
}

fn unknown_to_the_model(label: Label, category: String, level: Level) -> Category {
    let row = match level {
        Level::Category => Some(label.category()),
        Level::Archive => taxonomy::find(label.archive()),
    };
    Category {
        category,
        name: row.map_or("", |row| row.name),
        probability: 0.0,
        assigned: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LABELS: [&str; 7] = [
        "cs.IT", "cs.LG", "math-ph", "math.AG", "math.CO", "quant-ph", "stat.ML",
    ];

    fn ranker(thresholds: &[f32]) -> Ranker {
        Ranker::new(&LABELS.map(String::from), thresholds).unwrap()
    }

    fn rank(row: &[f32], declared: Option<&str>, options: &Ranking) -> Vec<(String, f32, bool)> {
        let prediction = ranker(&[0.5; 7])
            .rank(row, false, declared, options)
            .unwrap();
        prediction
            .categories
            .into_iter()
            .map(|c| (c.category, c.probability, c.assigned))
            .collect()
    }

    fn names(row: &[f32], declared: Option<&str>, options: &Ranking) -> Vec<String> {
        rank(row, declared, options)
            .into_iter()
            .map(|(name, ..)| name)
            .collect()
    }

    const ROW: [f32; 7] = [0.1, 0.9, 0.2, 0.05, 0.3, 0.6, 0.7];

    fn options() -> Ranking {
        Ranking::default()
    }

    #[test]
    fn the_best_come_first_and_thresholds_assign() {
        let top = rank(
            &ROW,
            None,
            &Ranking {
                top_k: Some(4),
                ..options()
            },
        );
        let expected = [
            ("cs.LG", 0.9, true),
            ("stat.ML", 0.7, true),
            ("quant-ph", 0.6, true),
            ("math.CO", 0.3, false),
        ];
        assert_eq!(
            top,
            expected.map(|(name, p, assigned)| (name.to_owned(), p, assigned))
        );
    }

    #[test]
    fn each_label_has_its_own_threshold() {
        let mut thresholds = [0.95; 7];
        thresholds[3] = 0.05;
        let only = Ranking {
            top_k: None,
            ..options()
        };
        let prediction = ranker(&thresholds).rank(&ROW, true, None, &only).unwrap();
        assert_eq!(prediction.categories.len(), 1);
        assert_eq!(prediction.categories[0].category, "math.AG");
        assert_eq!(prediction.categories[0].name, "Algebraic Geometry");
        assert!(prediction.truncated);
    }

    #[test]
    fn with_nothing_assigned_the_best_remains() {
        let only = Ranking {
            top_k: None,
            ..options()
        };
        assert_eq!(
            rank(&[0.1; 7], None, &only),
            [("cs.IT".to_owned(), 0.1, false)]
        );
    }

    #[test]
    fn equal_probabilities_stand_in_the_order_of_names() {
        let all = Ranking {
            all: true,
            ..options()
        };
        assert_eq!(names(&[0.25; 7], None, &all), LABELS);
    }

    #[test]
    fn the_declared_primary_is_always_listed_once() {
        let top = Ranking {
            top_k: Some(2),
            ..options()
        };
        assert_eq!(names(&ROW, Some("cs.LG"), &top), ["cs.LG", "stat.ML"]);
        assert_eq!(
            names(&ROW, Some("math.AG"), &top),
            ["cs.LG", "stat.ML", "math.AG"]
        );
        // An alias and a subsumed archive stand for their canonical category.
        assert_eq!(
            names(&ROW, Some("math.IT"), &top),
            ["cs.LG", "stat.ML", "cs.IT"]
        );
        assert_eq!(
            names(&ROW, Some("alg-geom"), &top),
            ["cs.LG", "stat.ML", "math.AG"]
        );
        // This model does not know it; the answer still lists it.
        assert_eq!(
            rank(&ROW, Some("hep-th"), &top)[2],
            ("hep-th".to_owned(), 0.0, false)
        );
        let aliases = Ranking {
            aliases: true,
            ..top
        };
        assert_eq!(names(&ROW, Some("math.IT"), &aliases)[2], "cs.IT=math.IT");
        let archive = Ranking {
            top_k: Some(1),
            level: Level::Archive,
            ..options()
        };
        assert_eq!(names(&ROW, Some("math.IT"), &archive), ["cs"]);
        assert_eq!(names(&ROW, Some("math.AG"), &archive), ["cs", "math"]);
    }

    #[test]
    fn a_declared_primary_that_arxiv_does_not_have_is_named() {
        for (declared, said) in [("cs.XX", "not a category"), ("astro-ph", "an archive")] {
            let error = ranker(&[0.5; 7])
                .rank(&ROW, false, Some(declared), &options())
                .unwrap_err()
                .to_string();
            assert!(error.contains(declared) && error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_row_that_is_no_probability_is_refused() {
        let ranker = ranker(&[0.5; 7]);
        assert!(matches!(
            ranker.rank(&ROW[1..], false, None, &options()),
            Err(Error::Shape { .. })
        ));
        for wrong in [f32::NAN, -0.1, 1.5] {
            let mut row = ROW;
            row[2] = wrong;
            let error = ranker
                .rank(&row, false, None, &options())
                .unwrap_err()
                .to_string();
            assert!(error.contains("math-ph"), "{error}");
        }
    }

    #[test]
    fn labels_must_be_canonical_and_have_a_threshold_each() {
        assert!(Ranker::new(&["math.IT".into()], &[0.5]).is_err());
        assert!(Ranker::new(&["cs.IT".into()], &[]).is_err());
    }

    proptest! {
        #[test]
        fn an_archive_lies_between_its_best_category_and_their_sum(row in prop::array::uniform7(0f32..=1.0)) {
            let archives = rank(&row, None, &Ranking { all: true, level: Level::Archive, ..options() });
            let categories = rank(&row, None, &Ranking { all: true, ..options() });
            prop_assert_eq!(archives.len(), 5);
            for (archive, probability, assigned) in archives {
                let members: Vec<_> = categories
                    .iter()
                    .filter(|(name, ..)| name.split('.').next() == Some(archive.as_str()))
                    .collect();
                let largest = members.iter().map(|member| member.1).fold(0.0, f32::max);
                let sum: f64 = members.iter().map(|member| f64::from(member.1)).sum();
                prop_assert!(probability >= largest);
                prop_assert!(probability <= sum.min(1.0) as f32);
                prop_assert_eq!(assigned, members.iter().any(|member| member.2));
            }
        }

        #[test]
        fn a_distribution_sums_to_one_and_keeps_the_order(row in prop::array::uniform7(0f32..=1.0)) {
            for level in [Level::Category, Level::Archive] {
                let all = Ranking { all: true, level, distribution: true, ..options() };
                let shares = rank(&row, None, &all);
                let sum: f64 = shares.iter().map(|share| f64::from(share.1)).sum();
                prop_assert!((sum - 1.0).abs() < 1e-5);
                prop_assert!(shares.is_sorted_by(|a, b| a.1 >= b.1));
            }
        }

        #[test]
        fn the_top_k_are_the_first_of_all(row in prop::array::uniform7(0f32..=1.0), top_k in 1usize..10) {
            let all = names(&row, None, &Ranking { all: true, ..options() });
            let top = names(&row, None, &Ranking { top_k: Some(top_k), ..options() });
            prop_assert_eq!(&all[..top_k.min(7)], top);
        }
    }
}
