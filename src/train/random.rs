//! A small seeded generator, so that a fit does not depend on libtorch's global one, which any
//! other thread may draw from.

/// SplitMix64 (Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1.
    pub(super) fn uniform(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u32 << 24) as f32
    }

    /// `count` normal numbers of the given deviation.
    pub(super) fn normal(&mut self, count: usize, deviation: f32) -> Vec<f32> {
        (0..count)
            .map(|_| {
                // Box and Muller; 1 - u is never 0.
                let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
                radius * (std::f32::consts::TAU * self.uniform()).cos() * deviation
            })
            .collect()
    }

    /// A dropout mask: 0 with probability `rate`, else `1 / (1 - rate)`.
    pub(super) fn mask(&mut self, count: usize, rate: f64) -> Vec<f32> {
        let keep = (1.0 / (1.0 - rate)) as f32;
        let limit = (rate * 65_536.0) as u64;
        let mut mask = Vec::with_capacity(count + 3);
        while mask.len() < count {
            let mut bits = self.next();
            for _ in 0..4 {
                mask.push(if bits & 0xFFFF < limit { 0.0 } else { keep });
                bits >>= 16;
            }
        }
        mask.truncate(count);
        mask
    }

    /// Fisher and Yates.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = ((u128::from(self.next()) * (last as u128 + 1)) >> 64) as usize;
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffling_keeps_every_item_and_the_seed_decides_the_order() {
        let shuffled = |seed| {
            let mut items: Vec<u32> = (0..100).collect();
            Random::new(seed).shuffle(&mut items);
            items
        };
        assert_eq!(shuffled(1), shuffled(1));
        assert_ne!(shuffled(1), shuffled(2));
        let mut sorted = shuffled(1);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_mask_keeps_the_expected_sum() {
        let mask = Random::new(3).mask(100_001, 0.3);
        assert_eq!(mask.len(), 100_001);
        let mean = mask.iter().map(|&value| f64::from(value)).sum::<f64>() / 100_001.0;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
    }

    #[test]
    fn normal_numbers_have_the_deviation_asked_for() {
        let numbers = Random::new(4).normal(100_000, 2.0);
        let square = numbers
            .iter()
            .map(|&value| f64::from(value * value))
            .sum::<f64>()
            / 1e5;
        assert!((square - 4.0).abs() < 0.1, "{square}");
    }
}
