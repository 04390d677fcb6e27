//! Bootstrap intervals: how far the figures move when the papers are drawn again.

use super::random::Random;
use super::tally::{Figures, Tally};
use crate::error::{Error, Result};
use crate::observe::Observer;
use rayon::prelude::*;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::sync::atomic::{AtomicU64, Ordering};

/// Most resamples: each one's figures are kept until the end.
const MOST: usize = 1_000_000;

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bootstrap {
    /// Resamples; 0 for none.
    pub samples: usize,
    /// Seed; resample `i` depends on it and on `i` alone.
    pub seed: u64,
    /// Share of resamples inside the interval.
    pub level: f64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            samples: 1000,
            seed: 0,
            level: 0.95,
        }
    }
}

impl Bootstrap {
    /// Checks every value.
    ///
    /// # Errors
    /// [`Error::Option`] naming the value that cannot be used.
    pub fn check(&self) -> Result<()> {
        if self.samples > MOST {
            let reason = format!("must be at most {MOST}");
            return Err(Error::option("samples", self.samples, reason));
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(Error::option(
                "level",
                self.level,
                "must be between 0 and 1",
            ));
        }
        Ok(())
    }
}

/// An interval for each figure of [`Figures::named`] that is defined.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Intervals(pub Vec<(&'static str, [f64; 2])>);

impl Serialize for Intervals {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, interval) in &self.0 {
            map.serialize_entry(name, interval)?;
        }
        map.end()
    }
}

/// The `share` quantile of ascending `values`, linear between neighbours (numpy's default).
fn quantile(values: &[f64], share: f64) -> f64 {
    let place = share * (values.len() - 1) as f64;
    let low = place.floor() as usize;
    let high = (low + 1).min(values.len() - 1);
    values[low] + (values[high] - values[low]) * (place - low as f64)
}

/// The percentile interval of `values` (Efron 1979); `None` where there are none.
pub(super) fn interval(mut values: Vec<f64>, level: f64) -> Option<[f64; 2]> {
    if values.is_empty() {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    let outside = (1.0 - level) / 2.0;
    Some([quantile(&values, outside), quantile(&values, 1.0 - outside)])
}

/// What `measure` gives for each resample, which is told how often each paper was drawn.
///
/// Papers, not paper-label pairs, are the unit: labels of one paper are not independent. The same
/// draws on any number of threads.
pub(super) fn resampled<T: Send>(
    papers: usize,
    options: Bootstrap,
    observer: &dyn Observer,
    measure: impl Fn(&[u32]) -> T + Sync,
) -> Result<Vec<T>> {
    options.check()?;
    let done = AtomicU64::new(0);
    (0..options.samples)
        .into_par_iter()
        .map(|sample| {
            observer.check()?;
            let done = done.fetch_add(1, Ordering::Relaxed);
            observer.report("resample", done, options.samples as u64, "resamples");
            let mut random = Random::new(options.seed, 1 + sample as u64);
            let mut weights = vec![0u32; papers];
            for _ in 0..papers {
                weights[random.below(papers)] += 1;
            }
            Ok(measure(&weights))
        })
        .collect()
}

/// Percentile intervals, papers drawn again with replacement.
///
/// A resample only re-weights the [`Tally`], so that it costs a pass over the sparse entries and
/// no scoring. `macro_labels` says which labels the `macro_*` figures may hold, decided once on
/// the papers as they are. The same bits on any number of threads.
///
/// # Errors
/// As [`Bootstrap::check`]; [`Error::Interrupted`].
pub fn intervals(
    tally: &Tally,
    macro_labels: &[bool],
    options: Bootstrap,
    observer: &dyn Observer,
) -> Result<Intervals> {
    let draws: Vec<Figures> = resampled(tally.papers(), options, observer, |weights| {
        tally.figures(|paper| weights[paper], |label, _| macro_labels[label])
    })?;
    let mut intervals = Vec::new();
    for (at, (name, _)) in Figures::default().named().into_iter().enumerate() {
        let values = draws.iter().filter_map(|figures| figures.named()[at].1);
        if let Some(interval) = interval(values.collect(), options.level) {
            intervals.push((name, interval));
        }
    }
    Ok(Intervals(intervals))
}

#[cfg(test)]
mod tests {
    use super::super::Scored;
    use super::*;
    use crate::observe::Silent;

    fn noisy(papers: usize) -> (Vec<f32>, Vec<u8>) {
        let mut random = Random::new(3, 3);
        let mut unit = || random.below(1 << 20) as f32 / (1 << 20) as f32;
        let scores: Vec<f32> = (0..papers * 4).map(|_| unit()).collect();
        let truth = scores
            .iter()
            .map(|&score| u8::from(unit() < score))
            .collect();
        (scores, truth)
    }

    fn run(papers: usize, options: Bootstrap) -> (Figures, Intervals) {
        let (scores, truth) = noisy(papers);
        let scored = Scored::probabilities(&scores, &truth, 4).unwrap();
        let tally = Tally::new(&scored, &[0.5; 4], None).unwrap();
        (
            tally.figures(|_| 1, |_, _| true),
            intervals(&tally, &[true; 4], options, &Silent).unwrap(),
        )
    }

    #[test]
    fn intervals_hold_the_figure_and_shrink_with_more_papers() {
        let width = |papers| {
            let (figures, Intervals(all)) = run(papers, Bootstrap::default());
            let [low, high] = all.iter().find(|(name, _)| *name == "micro_f1").unwrap().1;
            assert!(low < figures.micro_f1 && figures.micro_f1 < high);
            high - low
        };
        let (few, many) = (width(200), width(3200));
        assert!((few / many - 4.0).abs() < 1.0, "{few} {many}");
    }

    #[test]
    fn the_same_on_any_number_of_threads() {
        let options = Bootstrap {
            samples: 50,
            ..Bootstrap::default()
        };
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| run(5000, options))
        };
        assert_eq!(on(1), on(3));
    }

    #[test]
    fn quantiles_as_numpy() {
        // numpy.quantile([1, 2, 4, 8], [0, .5, .9, 1]) = 1, 3, 6.8, 8
        let values = [1.0, 2.0, 4.0, 8.0];
        for (share, expected) in [(0.0, 1.0), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)] {
            assert!((quantile(&values, share) - expected).abs() < 1e-12);
        }
    }
}
