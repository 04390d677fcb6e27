//! Which papers a cap or a size keeps: each stratum's first ones in a seeded order.

use super::Rows;
use crate::corpus::taxonomy::{LABELS, Label};

/// A paper's stratum: its primary label, else its first one, else none.
fn stratum(rows: &Rows, row: usize) -> usize {
    let first = || rows.labels(row).first().copied();
    rows.primary(row)
        .or_else(first)
        .map_or(LABELS, Label::index)
}

/// Papers kept in each stratum.
pub(super) fn strata(rows: &Rows, keep: &[bool]) -> Vec<u64> {
    let mut papers = vec![0; LABELS + 1];
    for row in (0..rows.len()).filter(|&row| keep[row]) {
        papers[stratum(rows, row)] += 1;
    }
    papers
}

/// Leaves in each stratum, taken in order, the number of papers that `quota` answers to their
/// number; says how many went.
pub(super) fn thin(
    rows: &Rows,
    keep: &mut [bool],
    seed: u64,
    mut quota: impl FnMut(u64) -> u64,
) -> u64 {
    let mut members: Vec<Vec<(u64, u32)>> = vec![Vec::new(); LABELS + 1];
    for row in (0..rows.len()).filter(|&row| keep[row]) {
        members[stratum(rows, row)].push((rows.rank(row, seed), row as u32));
    }
    let mut gone = 0;
    for papers in &mut members {
        let quota = quota(papers.len() as u64) as usize;
        papers.sort_unstable();
        for &(_, row) in papers.iter().skip(quota) {
            keep[row as usize] = false;
            gone += 1;
        }
    }
    gone
}

/// `size` shared out in proportion to `papers` by largest remainder, ties to the first.
pub(super) fn quotas(papers: &[u64], size: u64) -> Vec<u64> {
    let all = u128::from(papers.iter().sum::<u64>().max(1));
    let share = |papers: u64| u128::from(papers) * u128::from(size);
    let mut quotas: Vec<u64> = papers.iter().map(|&n| (share(n) / all) as u64).collect();
    let mut order: Vec<usize> = (0..papers.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(share(papers[at]) % all));
    let missing = size - quotas.iter().sum::<u64>();
    for at in order.into_iter().take(missing as usize) {
        quotas[at] += 1;
    }
    quotas
}
