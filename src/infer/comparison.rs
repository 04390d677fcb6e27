//! Two evaluated models on the same papers, from the scores that their evaluations left.

use super::evaluate::scores::Scores;
use crate::error::{Error, Result};
use crate::metrics::Scored;
use crate::metrics::compare::{self, Options};
use crate::metrics::confusion::best;
use crate::metrics::tally::Tally;
use crate::observe::Observer;
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// F1 of one label in both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Label {
    /// The label.
    pub label: String,
    /// Papers that have it.
    pub positives: u64,
    /// The first model's F1 at its threshold.
    pub a: f64,
    /// The second model's.
    pub b: f64,
}

/// Papers by whose best-scored label is theirs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Best {
    /// Both models'.
    pub both: u64,
    /// The first model's alone.
    pub only_a: u64,
    /// The second model's alone.
    pub only_b: u64,
    /// Neither's.
    pub neither: u64,
}

/// What two files of scores say about each other.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// The split of both.
    pub split: String,
    /// Labels that both models know: all figures are over them.
    pub labels: usize,
    /// Labels that only the first model knows.
    pub only_a: Vec<String>,
    /// Labels that only the second model knows.
    pub only_b: Vec<String>,
    /// The figures, by paired bootstrap.
    pub figures: compare::Comparison,
    /// Whether the best-scored label is right.
    pub best: Best,
    /// Every label, by name.
    pub per_label: Vec<Label>,
}

/// A model's columns of the common labels.
struct Columns {
    probabilities: Vec<f32>,
    truth: Vec<u8>,
    thresholds: Vec<f32>,
}

impl Columns {
    fn new(scores: &Scores, labels: &[&str]) -> Self {
        let place: HashMap<&str, usize> = scores
            .labels
            .iter()
            .enumerate()
            .map(|(at, label)| (label.as_str(), at))
            .collect();
        let columns: Vec<usize> = labels
            .iter()
            .filter_map(|label| place.get(label).copied())
            .collect();
        let width = scores.labels.len();
        let rows = || (0..scores.ids.len()).map(|paper| paper * width);
        let cells = || rows().flat_map(|row| columns.iter().map(move |column| row + column));
        Self {
            probabilities: cells().map(|at| scores.probabilities[at]).collect(),
            truth: cells().map(|at| scores.truth[at]).collect(),
            thresholds: columns.iter().map(|&at| scores.thresholds[at]).collect(),
        }
    }
}

/// Compares the models whose evaluations wrote the scores at `a` and `b`, over the labels that
/// both know.
///
/// # Errors
/// [`Error::Io`]; [`Error::Input`] where the files are no scores, or not of the same split, papers
/// and categories, or have no label in common; [`Error::Option`], [`Error::Interrupted`].
pub fn compare_files(
    a: &Path,
    b: &Path,
    options: &Options,
    observer: &dyn Observer,
) -> Result<Comparison> {
    let (first, second) = (Scores::read(a)?, Scores::read(b)?);
    let place = || format!("{} and {}", a.display(), b.display());
    same_papers(&first, &second, place)?;
    let in_second: HashSet<&str> = second.labels.iter().map(String::as_str).collect();
    let in_first: HashSet<&str> = first.labels.iter().map(String::as_str).collect();
    let mut labels: Vec<&str> = in_first.intersection(&in_second).copied().collect();
    labels.sort_unstable();
    if labels.is_empty() {
        return Err(Error::input(place(), "the models have no label in common"));
    }
    let missing = |labels: &[String], from: &HashSet<&str>| -> Vec<String> {
        let alone = labels.iter().filter(|label| !from.contains(label.as_str()));
        alone.cloned().collect()
    };
    let columns = [
        Columns::new(&first, &labels),
        Columns::new(&second, &labels),
    ];
    let width = labels.len();
    if let Some(at) =
        (0..columns[0].truth.len()).find(|&at| columns[0].truth[at] != columns[1].truth[at])
    {
        let reason = format!(
            "paper {} has {} in one and not in the other: they were evaluated on different data",
            first.ids[at / width],
            labels[at % width]
        );
        return Err(Error::input(place(), reason));
    }
    let [one, other] = &columns;
    let scored = [
        Scored::probabilities(&one.probabilities, &one.truth, width)?,
        Scored::probabilities(&other.probabilities, &one.truth, width)?,
    ];
    let figures = compare::compare(
        (&scored[0], &one.thresholds),
        (&scored[1], &other.thresholds),
        options,
        observer,
    )?;
    Ok(Comparison {
        split: first.split.clone(),
        labels: width,
        only_a: missing(&first.labels, &in_second),
        only_b: missing(&second.labels, &in_first),
        figures,
        best: by_best(&scored),
        per_label: per_label(&labels, &scored, [&one.thresholds, &other.thresholds])?,
    })
}

fn same_papers(a: &Scores, b: &Scores, place: impl Fn() -> String) -> Result<()> {
    if a.split != b.split {
        let reason = format!(
            "scored on different splits, {} and {}: two models can be compared on the same papers only",
            a.split, b.split
        );
        return Err(Error::input(place(), reason));
    }
    if a.ids != b.ids {
        let known: HashSet<&String> = a.ids.iter().collect();
        let shared = b.ids.iter().filter(|id| known.contains(id)).count();
        let reason = format!(
            "scored on different papers ({} and {}, {shared} of them in both): two models can be compared on the same papers only",
            a.ids.len(),
            b.ids.len()
        );
        return Err(Error::input(place(), reason));
    }
    Ok(())
}

fn by_best(scored: &[Scored<'_>; 2]) -> Best {
    let mut counts = Best::default();
    for paper in 0..scored[0].papers() {
        let right = scored.each_ref().map(|one| {
            let (scores, truth) = one.row(paper);
            truth[best(scores)] != 0
        });
        match right {
            [true, true] => counts.both += 1,
            [true, false] => counts.only_a += 1,
            [false, true] => counts.only_b += 1,
            [false, false] => counts.neither += 1,
        }
    }
    counts
}

fn per_label(
    labels: &[&str],
    scored: &[Scored<'_>; 2],
    thresholds: [&[f32]; 2],
) -> Result<Vec<Label>> {
    let counts = |at: usize| -> Result<_> {
        Ok(Tally::new(&scored[at], thresholds[at], None)?.label_counts(|_| 1))
    };
    let (a, b) = (counts(0)?, counts(1)?);
    let rows = labels.iter().zip(a.iter().zip(&b));
    Ok(rows
        .map(|(label, (a, b))| Label {
            label: (*label).to_owned(),
            positives: a.positives,
            a: a.scores()[2],
            b: b.scores()[2],
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Silent;
    use std::path::PathBuf;

    fn scores(labels: [&str; 3], probabilities: [f32; 6]) -> Scores {
        Scores {
            split: "test".into(),
            ids: vec!["1".into(), "2".into()],
            labels: labels.map(str::to_owned).to_vec(),
            thresholds: vec![0.5; 3],
            probabilities: probabilities.to_vec(),
            truth: vec![1, 0, 0, 0, 1, 0],
        }
    }

    fn written(folder: &Path, name: &str, scores: &Scores) -> PathBuf {
        let path = folder.join(name);
        scores.write(&path).unwrap();
        path
    }

    fn run(a: &Scores, b: &Scores) -> Result<Comparison> {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (
            written(folder.path(), "a", a),
            written(folder.path(), "b", b),
        );
        let mut options = Options::default();
        options.bootstrap.samples = 10;
        compare_files(&a, &b, &options, &Silent)
    }

    #[test]
    fn labels_are_matched_by_name_and_the_rest_is_told() -> Result<()> {
        let a = scores(["x", "y", "z"], [0.9, 0.1, 0.2, 0.1, 0.9, 0.2]);
        let mut b = scores(["y", "x", "w"], [0.1, 0.9, 0.0, 0.4, 0.6, 0.0]);
        b.truth = vec![0, 1, 0, 1, 0, 0];
        let found = run(&a, &b)?;
        assert_eq!(
            (found.labels, found.only_a, found.only_b),
            (2, vec!["z".into()], vec!["w".into()])
        );
        let best = Best {
            both: 1,
            only_a: 1,
            ..Best::default()
        };
        assert_eq!(found.best, best);
        let names: Vec<_> = found
            .per_label
            .iter()
            .map(|one| one.label.as_str())
            .collect();
        assert_eq!(names, ["x", "y"]);
        assert_eq!((found.per_label[1].a, found.per_label[1].b), (1.0, 0.0));
        Ok(())
    }

    #[test]
    fn other_papers_splits_and_categories_are_refused_in_one_sentence() {
        let a = scores(["x", "y", "z"], [0.5; 6]);
        let refused = |change: &dyn Fn(&mut Scores)| {
            let mut b = a.clone();
            change(&mut b);
            run(&a, &b).unwrap_err().to_string()
        };
        let papers = refused(&|b| b.ids[1] = "3".into());
        assert!(
            papers.contains("different papers (2 and 2, 1 of them in both)"),
            "{papers}"
        );
        let split = refused(&|b| b.split = "validation".into());
        assert!(
            split.contains("different splits, test and validation"),
            "{split}"
        );
        let truth = refused(&|b| b.truth[4] = 0);
        assert!(truth.contains("paper 2 has y in one"), "{truth}");
        let labels = refused(&|b| b.labels = vec!["u".into(), "v".into(), "w".into()]);
        assert!(labels.contains("no label in common"), "{labels}");
    }
}
