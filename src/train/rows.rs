//! Rows of the papers table: which are fitted to and which held back, and their labels.

use super::space::Space;
use crate::corpus::papers::Papers;
use crate::corpus::split::Split;
use twox_hash::XxHash3_64;

/// Rows to fit to, and rows held back: the split `validation`, and of `train` the share `holdout`,
/// chosen by a hash of id and seed.
pub(super) fn divide(table: &Papers, holdout: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let limit = (holdout * u64::MAX as f64) as u64;
    let (mut fitted, mut held) = (Vec::new(), Vec::new());
    for (row, (split, id)) in table.splits.iter().zip(&table.ids).enumerate() {
        match split {
            Split::Train if XxHash3_64::oneshot_with_seed(seed, id.as_bytes()) >= limit => {
                fitted.push(row)
            }
            Split::Train | Split::Validation => held.push(row),
            Split::Test => {}
        }
    }
    (fitted, held)
}

/// The labels of `rows`, as indexes into `space`.
pub(super) fn labels(table: &Papers, rows: &[usize], space: &Space) -> Vec<Vec<u32>> {
    rows.iter()
        .map(|&row| {
            table.categories[row]
                .iter()
                .filter_map(|name| space.index.get(name))
                .copied()
                .collect()
        })
        .collect()
}
