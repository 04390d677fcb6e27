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
    /// Whether the probability reaches the label's threshold, or what else was asked to decide;
    /// an archive is assigned when one of its categories is.
    pub assigned: bool,
    /// The probability from which the label is assigned; none for an archive, for a category that
    /// the model does not know, and where an expected precision was asked to decide.
    pub threshold: Option<f32>,
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
        let thresholds = self.thresholds(options)?;
        let assigned: Vec<bool> = match options.min_precision {
            Some(precision) => expected_precision(probabilities, precision),
            None => reached(probabilities, &thresholds).collect(),
        };
        let thresholds = options.min_precision.is_none().then_some(&*thresholds);
        let mut ranked = match options.level {
            Level::Category => self.categories(probabilities, &assigned, thresholds, options),
            Level::Archive => self.archives(probabilities, &assigned, options),
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

    /// Where a canonical category stands in a row of probabilities.
    pub(super) fn position(&self, category: &str) -> Option<usize> {
        self.labels
            .iter()
            .position(|label| label.name() == category)
    }

    fn categories(
        &self,
        probabilities: &[f32],
        assigned: &[bool],
        thresholds: Option<&[f32]>,
        options: &Ranking,
    ) -> Vec<Category> {
        let shown = shares_if(options.distribution, probabilities);
        self.labels
            .iter()
            .enumerate()
            .map(|(position, &label)| Category {
                category: written(label, options.aliases),
                name: label.category().name,
                probability: shown[position],
                assigned: assigned[position],
                threshold: thresholds.map(|thresholds| thresholds[position]),
            })
            .collect()
    }

    fn archives(
        &self,
        probabilities: &[f32],
        assigned: &[bool],
        options: &Ranking,
    ) -> Vec<Category> {
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
                assigned: archive.members.iter().any(|&position| assigned[position]),
                threshold: None,
            })
            .collect()
    }

    /// Canonical names of the categories that the model's own thresholds assign to one paper.
    pub fn assigned<'a>(&'a self, probabilities: &'a [f32]) -> impl Iterator<Item = &'static str> {
        let labels = self.labels.iter();
        labels
            .zip(reached(probabilities, &self.thresholds))
            .filter(|(_, assigned)| *assigned)
            .map(|(label, _)| label.name())
    }

    /// The model's thresholds, those in `options` before them.
    fn thresholds(&self, options: &Ranking) -> Result<Vec<f32>> {
        let mut thresholds = self.thresholds.clone();
        for (category, &threshold) in &options.thresholds {
            let asked = resolve(category)?;
            if let Some(position) = self.position(asked.name()) {
                thresholds[position] = threshold;
            }
        }
        Ok(thresholds)
    }
}

/// Whether each probability reaches its threshold.
fn reached(probabilities: &[f32], thresholds: &[f32]) -> impl Iterator<Item = bool> {
    let pairs = probabilities.iter().zip(thresholds);
    pairs.map(|(probability, threshold)| probability >= threshold)
}

/// The most labels, best first, whose probabilities' mean is at least `precision`.
fn expected_precision(probabilities: &[f32], precision: f32) -> Vec<bool> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    let (mut sum, mut assigned) = (0.0, vec![false; probabilities.len()]);
    for (rank, position) in order.into_iter().enumerate() {
        sum += f64::from(probabilities[position]);
        // The mean only falls from here on.
        if sum < f64::from(precision) * (rank + 1) as f64 {
            break;
        }
        assigned[position] = true;
    }
    assigned
}

/// The probability that at least one of an archive's categories applies, from theirs: midway
/// between independent categories, `1 - Π(1 - p)`, and exclusive ones, `min(1, Σ p)`.
///
/// It is never below the largest of them, never above their sum or one, and equals the
/// category's own where an archive has one. Categories of an archive stand in for each other
/// more often than independent ones would. Under the default model, on later papers than it
/// was fitted to, midway has the least calibration error and log loss, before independent and
/// exclusive categories and their largest: `benches/results/derived.json`.
fn at_least_one(probabilities: impl Iterator<Item = f32>) -> f32 {
    let (mut none, mut largest, mut sum) = (1.0, 0.0, 0.0);
    for probability in probabilities.map(f64::from) {
        none *= 1.0 - probability;
        largest = f64::max(largest, probability);
        sum += probability;
    }
    let exclusive = f64::min(sum, 1.0).max(largest);
    // Rounding alone could leave the bounds, which hold exactly.
    (0.5 * (1.0 - none + exclusive)).clamp(largest, exclusive) as f32
}

/// Power by which probabilities of applying are sharpened into shares of the primary.
///
/// Papers have 1.6 categories and one primary, so probabilities in proportion are too even.
/// Chosen on papers of 2016-01 to 2016-03 by the log loss of the primary:
/// `benches/results/derived.json`, where powers of the odds stand beside powers of the
/// probabilities. On the papers of 2025-11 and 2025-12 the odds themselves have less.
const SHARPNESS: f64 = 1.4;

/// Each label's share of the primary category.
fn shares(probabilities: &[f32]) -> Vec<f64> {
    let weights: Vec<f64> = probabilities
        .iter()
        .map(|&probability| f64::from(probability).powf(SHARPNESS))
        .collect();
    let sum: f64 = weights.iter().sum();
    if sum > 0.0 {
        weights.into_iter().map(|weight| weight / sum).collect()
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
///
/// # Errors
/// [`Error::Input`] for a name that arXiv does not have, or that is an archive's.
pub fn resolve(declared: &str) -> Result<Label> {
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
        threshold: None,
    }
}

#[cfg(test)]
mod tests;
