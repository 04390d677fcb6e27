//! Average precision: the area under a label's precision-recall steps.

use super::scored::Scored;
use rayon::prelude::*;

/// Sorts high scores first; equal scores get equal keys (−0 and 0 too). The lowest bit is the truth.
pub(super) fn key(score: f32, positive: bool) -> u64 {
    let bits = (score + 0.0).to_bits();
    let ascending = if bits >> 31 == 1 {
        !bits
    } else {
        bits | 1 << 31
    };
    u64::from(!ascending) << 1 | u64::from(positive)
}

/// The score that a key was made of.
pub(super) fn score(key: u64) -> f32 {
    let ascending = !(key >> 1) as u32;
    let bits = if ascending >> 31 == 1 {
        ascending & !(1 << 31)
    } else {
        !ascending
    };
    f32::from_bits(bits)
}

fn over_sorted(keys: &[u64]) -> f64 {
    let positives = keys.iter().filter(|&&key| key & 1 == 1).count();
    if positives == 0 {
        return 0.0;
    }
    let (mut area, mut hits, mut seen) = (0.0, 0u64, 0u64);
    for ties in keys.chunk_by(|a, b| a >> 1 == b >> 1) {
        let found = ties.iter().filter(|&&key| key & 1 == 1).count() as u64;
        hits += found;
        seen += ties.len() as u64;
        area += found as f64 * hits as f64 / seen as f64;
    }
    area / positives as f64
}

/// Average precision of one label: `Σ (R_k − R_{k−1}) P_k` over distinct scores, without
/// interpolation; equal scores enter together. 0 without positives. As scikit-learn's
/// `average_precision_score`.
pub fn average_precision(pairs: &[(f32, bool)]) -> f64 {
    let mut keys: Vec<u64> = pairs
        .iter()
        .map(|&(score, positive)| key(score, positive))
        .collect();
    keys.sort_unstable();
    over_sorted(&keys)
}

/// Average precision of every label; their mean is the macro figure (mAP).
pub fn average_precisions(scored: &Scored<'_>) -> Vec<f64> {
    scored.per_column(|_, pairs| average_precision(pairs))
}

/// Average precision of all paper-label pairs as one ranking (scikit-learn's `average="micro"`).
pub fn micro_average_precision(scored: &Scored<'_>) -> f64 {
    let pairs = scored.scores().par_iter().zip(scored.truth());
    let mut keys: Vec<u64> = pairs
        .map(|(&score, &truth)| key(score, truth != 0))
        .collect();
    keys.par_sort_unstable();
    over_sorted(&keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_documented_example_of_scikit_learn() {
        // average_precision_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) = 0.8333…
        let pairs = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)];
        assert!((average_precision(&pairs) - 5.0 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn ties_enter_together_and_signed_zeros_are_equal() {
        assert_eq!(average_precision(&[(0.5, true), (0.5, false)]), 0.5);
        assert_eq!(average_precision(&[(0.0, true), (-0.0, false)]), 0.5);
        assert_eq!(average_precision(&[(-1.0, true), (-2.0, false)]), 1.0);
    }

    #[test]
    fn a_key_gives_its_score_back() {
        for value in [-2.5, -0.0, 0.0, 1e-30, 0.25, 1.0] {
            assert_eq!(score(key(value, true)), value);
            assert_eq!(score(key(value, false)), value);
        }
    }

    #[test]
    fn no_positives_give_zero() {
        assert_eq!(average_precision(&[(0.5, false)]), 0.0);
    }
}
