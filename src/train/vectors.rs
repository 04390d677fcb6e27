//! The n-grams' vectors while they are learned: Adam that leaves rows alone which no recent
//! batch had.

use super::random::Random;
use crate::tokens::ngrams::SparseRow;
use rayon::prelude::*;

/// Rows handled by one task; each task owns its rows, so that no order of threads shows.
const BLOCK: usize = 256;
const BETA1: f32 = 0.9;
const BETA2: f32 = 0.99;
const EPSILON: f32 = 1e-8;
/// Steps after its last batch in which a row still moves by what its first moment remembers;
/// 0.9 to the 100th is nothing.
const REMEMBERED: u32 = 100;

/// One feature of one paper of a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    feature: u32,
    paper: u32,
    weight: f32,
}

/// A batch's features, sorted by feature.
pub(super) struct Bags {
    entries: Vec<Entry>,
    papers: usize,
}

impl Bags {
    /// The features of `papers`, each dropped with probability `dropout`.
    pub(super) fn new(
        rows: &[SparseRow],
        papers: &[usize],
        dropout: f64,
        random: &mut Random,
    ) -> Self {
        let mut entries = Vec::with_capacity(papers.len() * 128);
        for (index, &paper) in papers.iter().enumerate() {
            let row = &rows[paper];
            let mask = random.mask(row.len(), dropout);
            for (&(feature, weight), keep) in row.iter().zip(mask) {
                if keep > 0.0 {
                    entries.push(Entry {
                        feature,
                        paper: index as u32,
                        weight: weight * keep,
                    });
                }
            }
        }
        entries.par_sort_unstable_by_key(|entry| (entry.feature, entry.paper));
        Self {
            entries,
            papers: papers.len(),
        }
    }
}

/// Vectors of `dimensions` values with their moments.
pub(super) struct Vectors {
    values: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    /// Per row: steps since a batch had it.
    idle: Vec<u32>,
    dimensions: usize,
    steps: i32,
}

/// The factors of one step, the same for every row.
#[derive(Debug, Clone, Copy)]
struct Step {
    rate: f32,
    first_scale: f32,
    second_scale: f32,
}

impl Step {
    /// Adam on one row; `slope` gives the gradient's values.
    fn apply(
        self,
        values: &mut [f32],
        first: &mut [f32],
        second: &mut [f32],
        slope: impl Iterator<Item = f32>,
    ) {
        for (((value, first), second), slope) in values.iter_mut().zip(first).zip(second).zip(slope)
        {
            *first += (1.0 - BETA1) * (slope - *first);
            *second += (1.0 - BETA2) * (slope * slope - *second);
            let root = (*second * self.second_scale).sqrt() + EPSILON;
            *value -= self.rate * *first * self.first_scale / root;
        }
    }
}

impl Vectors {
    pub(super) fn new(
        features: usize,
        dimensions: usize,
        deviation: f32,
        random: &mut Random,
    ) -> Self {
        let count = features * dimensions;
        Self {
            values: random.normal(count, deviation),
            first: vec![0.0; count],
            second: vec![0.0; count],
            // Rows that no batch has had have nothing to remember.
            idle: vec![REMEMBERED; features],
            dimensions,
            steps: 0,
        }
    }

    /// Row-major [features, dimensions].
    pub(super) fn values(&self) -> &[f32] {
        &self.values
    }

    /// Each paper's weighted sum, row-major [papers, dimensions].
    pub(super) fn bag(&self, bags: &Bags) -> Vec<f32> {
        let width = self.dimensions;
        let mut starts = vec![0_usize; bags.papers + 1];
        for entry in &bags.entries {
            starts[entry.paper as usize + 1] += 1;
        }
        for paper in 0..bags.papers {
            starts[paper + 1] += starts[paper];
        }
        let mut cursor = starts.clone();
        let mut by_paper = vec![(0_u32, 0.0_f32); bags.entries.len()];
        for entry in &bags.entries {
            let place = &mut cursor[entry.paper as usize];
            by_paper[*place] = (entry.feature, entry.weight);
            *place += 1;
        }
        let mut sums = vec![0.0_f32; bags.papers * width];
        sums.par_chunks_mut(width)
            .enumerate()
            .for_each(|(paper, sum)| {
                for &(feature, weight) in &by_paper[starts[paper]..starts[paper + 1]] {
                    let start = feature as usize * width;
                    for (sum, value) in sum.iter_mut().zip(&self.values[start..start + width]) {
                        *sum += weight * value;
                    }
                }
            });
        sums
    }

    /// One Adam step (Kingma and Ba 2015) with `slopes`, the loss's gradient at the sums of
    /// [`Vectors::bag`].
    pub(super) fn step(&mut self, bags: &Bags, slopes: &[f32], rate: f32) {
        self.steps = self.steps.saturating_add(1);
        let width = self.dimensions;
        let step = Step {
            rate,
            first_scale: 1.0 / (1.0 - BETA1.powi(self.steps)),
            second_scale: 1.0 / (1.0 - BETA2.powi(self.steps)),
        };
        let block = BLOCK * width;
        self.values
            .par_chunks_mut(block)
            .zip(self.first.par_chunks_mut(block))
            .zip(self.second.par_chunks_mut(block))
            .zip(self.idle.par_chunks_mut(BLOCK))
            .enumerate()
            .for_each(|(index, (((values, first), second), idle))| {
                let start = (index * BLOCK) as u32;
                let from = bags.entries.partition_point(|entry| entry.feature < start);
                let mut entries = &bags.entries[from..];
                let mut slope = vec![0.0_f32; width];
                for (row, idle) in idle.iter_mut().enumerate() {
                    let at = row * width..(row + 1) * width;
                    let (values, first, second) = (
                        &mut values[at.clone()],
                        &mut first[at.clone()],
                        &mut second[at],
                    );
                    let own = entries
                        .iter()
                        .take_while(|entry| entry.feature == start + row as u32)
                        .count();
                    if own > 0 {
                        if *idle > REMEMBERED {
                            let missed = (*idle - REMEMBERED).min(10_000) as i32;
                            let decay = BETA2.powi(missed);
                            second.iter_mut().for_each(|value| *value *= decay);
                        }
                        slope.fill(0.0);
                        for entry in &entries[..own] {
                            let at = entry.paper as usize * width;
                            for (sum, value) in slope.iter_mut().zip(&slopes[at..at + width]) {
                                *sum += entry.weight * value;
                            }
                        }
                        step.apply(values, first, second, slope.iter().copied());
                        *idle = 0;
                    } else {
                        if *idle < REMEMBERED {
                            step.apply(values, first, second, std::iter::repeat(0.0));
                        }
                        *idle = idle.saturating_add(1);
                    }
                    entries = &entries[own..];
                }
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<SparseRow> {
        vec![vec![(0, 1.0), (700, 0.5)], vec![(700, 2.0)], vec![]]
    }

    #[test]
    fn a_bag_is_the_weighted_sum_of_its_vectors() {
        let vectors = Vectors::new(800, 3, 0.1, &mut Random::new(1));
        let bags = Bags::new(&rows(), &[2, 0], 0.0, &mut Random::new(2));
        let sums = vectors.bag(&bags);
        assert_eq!(sums[..3], [0.0; 3]);
        for (dimension, sum) in sums[3..].iter().enumerate() {
            let expected = vectors.values[dimension] + 0.5 * vectors.values[2100 + dimension];
            assert!((sum - expected).abs() < 1e-7);
        }
    }

    #[test]
    fn steps_are_those_of_adam_on_every_row() {
        // A row seen at steps 1 and 300 only, beside plain Adam in double precision.
        let rows: Vec<SparseRow> = vec![vec![(0, 1.0)], vec![(1, 1.0)]];
        let mut vectors = Vectors::new(2, 1, 0.1, &mut Random::new(1));
        let (mut value, mut first, mut second) = (f64::from(vectors.values[0]), 0.0, 0.0);
        for step in 1..=320 {
            let seen = step == 1 || step == 300;
            let bags = Bags::new(&rows, &[usize::from(!seen)], 0.0, &mut Random::new(2));
            let slope = 0.3 + step as f32 / 1000.0;
            vectors.step(&bags, &[slope], 0.01);
            let slope = if seen { f64::from(slope) } else { 0.0 };
            first = 0.9 * first + 0.1 * slope;
            second = 0.99 * second + 0.01 * slope * slope;
            let scaled = |moment: f64, beta: f64| moment / (1.0 - beta.powi(step));
            value -= 0.01 * scaled(first, 0.9) / (scaled(second, 0.99).sqrt() + 1e-8);
        }
        assert!(
            (f64::from(vectors.values[0]) - value).abs() < 1e-4,
            "{value}"
        );
    }

    #[test]
    fn a_step_goes_down_the_slope_in_the_batch_s_rows_only() {
        let mut vectors = Vectors::new(800, 3, 0.1, &mut Random::new(1));
        let before = vectors.values.clone();
        let bags = Bags::new(&rows(), &[0, 1], 0.0, &mut Random::new(2));
        vectors.step(&bags, &[1.0, -1.0, 0.0, 1.0, -1.0, 0.0], 0.01);
        for (index, (after, before)) in vectors.values.iter().zip(&before).enumerate() {
            let expected = match (index / 3, index % 3) {
                (0 | 700, 0) => -0.01,
                (0 | 700, 1) => 0.01,
                _ => 0.0,
            };
            assert!((after - before - expected).abs() < 1e-6, "{index}");
        }
    }
}
