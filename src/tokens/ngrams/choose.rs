//! Which n-grams are kept.

use super::Part;
use crate::error::Result;
use crate::observe::Observer;
use rayon::prelude::*;

/// Keeps the `most` best of the n-grams in at least `min_papers` of the papers.
/// `grams` holds every paper's n-grams once.
pub(super) fn choose(
    grams: &[Vec<u32>],
    labels: &[&[u32]],
    width: usize,
    most: usize,
    min_papers: u32,
    observer: &dyn Observer,
) -> Result<Part> {
    let mut all: Vec<u32> = grams.iter().flatten().copied().collect();
    all.par_sort_unstable();
    let (hashes, counts): (Vec<u32>, Vec<u32>) = all
        .chunk_by(|a, b| a == b)
        .filter(|run| run.len() >= min_papers.max(1) as usize)
        .map(|run| (run[0], run.len() as u32))
        .unzip();
    drop(all);
    let mut joint = vec![0_u32; hashes.len() * width];
    let mut totals = vec![0_u32; width];
    for (number, (paper, labels)) in grams.iter().zip(labels).enumerate() {
        if number.is_multiple_of(1024) {
            observer.check()?;
        }
        for &label in *labels {
            totals[label as usize] += 1;
        }
        for gram in paper {
            if let Ok(index) = hashes.binary_search(gram) {
                for &label in *labels {
                    joint[index * width + label as usize] += 1;
                }
            }
        }
    }
    let papers = grams.len() as f64;
    let mut ranked: Vec<(f64, usize)> = (0..hashes.len())
        .into_par_iter()
        .map(|index| {
            let score: f64 = joint[index * width..(index + 1) * width]
                .iter()
                .zip(&totals)
                .map(|(&count, &total)| {
                    let count = f64::from(count);
                    let expected = f64::from(counts[index]) * f64::from(total) / papers;
                    if count > expected {
                        count * (count / expected).ln() - (count - expected)
                    } else {
                        0.0
                    }
                })
                .sum();
            (score, index)
        })
        .collect();
    ranked.par_sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    ranked.truncate(most);
    ranked.par_sort_unstable_by_key(|&(_, index)| index);
    Ok(Part {
        hashes: ranked.iter().map(|&(_, index)| hashes[index]).collect(),
        idf: ranked
            .iter()
            .map(|&(_, index)| {
                (((1.0 + papers) / (1.0 + f64::from(counts[index]))).ln() + 1.0) as f32
            })
            .collect(),
    })
}
