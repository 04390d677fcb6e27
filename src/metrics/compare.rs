//! Two models on the same papers: is the second better, or was the draw of papers kind to it?

use super::bootstrap::{Bootstrap, interval, resampled};
use super::scored::Scored;
use super::tally::{Figures, Tally};
use crate::error::{Error, Result};
use crate::observe::Observer;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How to compare.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Positives that a label needs to enter the `macro_*` figures.
    pub min_positives: u64,
    /// Resampling of the papers.
    pub bootstrap: Bootstrap,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            min_positives: 10,
            bootstrap: Bootstrap::default(),
        }
    }
}

/// One figure of both models.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// The first model's.
    pub a: f64,
    /// The second model's.
    pub b: f64,
    /// `b − a`.
    pub difference: f64,
    /// Interval of the difference; `None` without resamples.
    pub interval: Option<[f64; 2]>,
    /// Share of the resamples in which `b` is above `a`; `None` without resamples.
    pub above: Option<f64>,
}

/// Every figure of both models; serialises to one JSON object with the figures at its top.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// Figures by name; those that the papers do not define are left out.
    #[serde(flatten)]
    pub figures: BTreeMap<&'static str, Difference>,
    /// Papers compared on.
    pub papers: usize,
    /// Labels in the `macro_*` figures.
    pub macro_labels: u64,
    /// Resamples drawn.
    pub samples: usize,
    /// Share of the resamples inside an interval.
    pub level: f64,
}

/// Compares model `a` with model `b`, each given by its probabilities and thresholds, over the
/// same papers and labels. Both are measured on the same resamples, so that what is hard for both
/// moves both and leaves their difference alone: the interval is that of the difference, not of
/// either figure.
///
/// # Errors
/// [`Error::Shape`] where the two do not fit, [`Error::Input`] where their truths differ,
/// [`Error::Option`], [`Error::Interrupted`].
pub fn compare(
    (a, thresholds_a): (&Scored<'_>, &[f32]),
    (b, thresholds_b): (&Scored<'_>, &[f32]),
    options: &Options,
    observer: &dyn Observer,
) -> Result<Comparison> {
    let bootstrap = options.bootstrap;
    bootstrap
        .check()
        .map_err(|error| error.in_group("bootstrap"))?;
    if (a.papers(), a.labels()) != (b.papers(), b.labels()) {
        return Err(Error::shape(
            "the second model's scores",
            [a.papers(), a.labels()],
            [b.papers(), b.labels()],
        ));
    }
    let same = |(one, other): (&u8, &u8)| (*one != 0) == (*other != 0);
    if let Some(at) = a.truth().iter().zip(b.truth()).position(|pair| !same(pair)) {
        let place = format!("truth[{}, {}]", at / a.labels(), at % a.labels());
        return Err(Error::input(place, "differs between the two models"));
    }
    let tallies = [
        Tally::new(a, thresholds_a, None)?,
        Tally::new(b, thresholds_b, None)?,
    ];
    let macro_labels: Vec<bool> = a
        .positives()
        .iter()
        .map(|&positives| positives >= options.min_positives.max(1))
        .collect();
    let measure = |weight: &dyn Fn(usize) -> u32| -> [Figures; 2] {
        [&tallies[0], &tallies[1]].map(|tally| tally.figures(weight, |l, _| macro_labels[l]))
    };
    let [first, second] = measure(&|_| 1);
    let draws = resampled(a.papers(), bootstrap, observer, |weights| {
        measure(&|paper| weights[paper])
    })?;
    let mut figures = BTreeMap::new();
    for (at, (name, a)) in first.named().into_iter().enumerate() {
        let (Some(a), Some(b)) = (a, second.named()[at].1) else {
            continue;
        };
        let moved: Vec<f64> = draws
            .iter()
            .filter_map(|[a, b]| Some(b.named()[at].1? - a.named()[at].1?))
            .collect();
        let above = moved.iter().filter(|&&difference| difference > 0.0).count();
        let difference = Difference {
            a,
            b,
            difference: b - a,
            above: (!moved.is_empty()).then(|| above as f64 / moved.len() as f64),
            interval: interval(moved, bootstrap.level),
        };
        figures.insert(name, difference);
    }
    Ok(Comparison {
        figures,
        papers: a.papers(),
        macro_labels: first.macro_labels,
        samples: bootstrap.samples,
        level: bootstrap.level,
    })
}

#[cfg(test)]
mod tests {
    use super::super::random::Random;
    use super::*;
    use crate::observe::Silent;

    const LABELS: usize = 4;

    /// Truth with one label a paper, and scores that are right as often as `right` says.
    fn scores(papers: usize, right: &[f64], seed: u64) -> (Vec<f32>, Vec<u8>) {
        let mut random = Random::new(seed, 1);
        let mut draws = |bound: usize| random.below(bound);
        let (mut scores, mut truth) = (Vec::new(), Vec::new());
        for paper in 0..papers {
            let share = right[paper % right.len()];
            let found = (draws(1000) as f64) < share * 1000.0;
            for label in 0..LABELS {
                let own = label == paper % LABELS;
                let chosen = label == (paper + usize::from(!found)) % LABELS;
                truth.push(u8::from(own));
                scores.push(if chosen { 0.9 } else { 0.1 });
            }
        }
        (scores, truth)
    }

    fn run(a: &[f32], b: &[f32], truth: &[u8], options: &Options) -> Result<Comparison> {
        let a = Scored::probabilities(a, truth, LABELS)?;
        let b = Scored::probabilities(b, truth, LABELS)?;
        compare((&a, &[0.5; LABELS]), (&b, &[0.5; LABELS]), options, &Silent)
    }

    #[test]
    fn a_model_does_not_differ_from_itself() -> Result<()> {
        let (scores, truth) = scores(100, &[0.7], 1);
        let comparison = run(&scores, &scores, &truth, &Options::default())?;
        let f1 = comparison.figures["micro_f1"];
        assert_eq!((f1.difference, f1.interval), (0.0, Some([0.0, 0.0])));
        assert_eq!(f1.above, Some(0.0));
        Ok(())
    }

    #[test]
    fn a_better_model_is_better_beyond_chance_and_turning_around_turns_the_sign() -> Result<()> {
        let (bad, truth) = scores(2000, &[0.6], 1);
        let (good, _) = scores(2000, &[0.7], 2);
        let ahead = run(&bad, &good, &truth, &Options::default())?.figures["micro_f1"];
        let behind = run(&good, &bad, &truth, &Options::default())?.figures["micro_f1"];
        let [low, high] = ahead.interval.unwrap_or_default();
        assert!(0.0 < low && low < ahead.difference && ahead.difference < high);
        assert_eq!(ahead.above, Some(1.0));
        assert_eq!(behind.difference, -ahead.difference);
        Ok(())
    }

    #[test]
    fn papers_hard_for_both_leave_the_difference_alone() -> Result<()> {
        // The same errors but for one paper in fifty: each figure alone moves far more.
        let (a, truth) = scores(1000, &[0.0, 1.0], 1);
        let mut b = a.clone();
        for paper in (0..1000).step_by(50) {
            for label in 0..LABELS {
                let own = label == paper % LABELS;
                b[paper * LABELS + label] = if own { 0.9 } else { 0.1 };
            }
        }
        let comparison = run(&a, &b, &truth, &Options::default())?;
        let [low, high] = comparison.figures["precision_at_1"]
            .interval
            .unwrap_or_default();
        // 20 of 1000 papers changed: the difference's deviation is √(.02 · .98 / 1000) = .0044.
        assert!((high - low) > 0.012 && (high - low) < 0.022, "{low} {high}");
        Ok(())
    }

    #[test]
    fn without_resamples_there_is_no_interval() -> Result<()> {
        let (scores, truth) = scores(20, &[0.5], 1);
        let mut options = Options::default();
        options.bootstrap.samples = 0;
        let comparison = run(&scores, &scores, &truth, &options)?;
        let f1 = comparison.figures["micro_f1"];
        assert_eq!((f1.interval, f1.above), (None, None));
        assert_eq!(comparison.macro_labels, 0);
        assert!(!comparison.figures.contains_key("primary_at_1"));
        Ok(())
    }

    #[test]
    fn two_truths_are_refused() {
        let (scores, truth) = scores(20, &[0.5], 1);
        let mut other = truth.clone();
        other[5] = 1 - other[5];
        let a = Scored::probabilities(&scores, &truth, LABELS).unwrap();
        let b = Scored::probabilities(&scores, &other, LABELS).unwrap();
        let at = [0.5; LABELS];
        let error = compare((&a, &at), (&b, &at), &Options::default(), &Silent).unwrap_err();
        assert_eq!(
            error.to_string(),
            "truth[1, 1]: differs between the two models"
        );
    }
}
