//! Which label is taken for which: a paper's primary label beside the one scored best.

use super::scored::Scored;
use std::collections::BTreeMap;

/// Papers of one primary label whose best-scored label is one other, or the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cell {
    /// How many.
    pub papers: u64,
    /// Of them, those that have the best-scored label too.
    pub theirs: u64,
}

/// Counts the papers of each primary label (−1: none, the paper is skipped) by their best-scored
/// label; of equal scores the first label wins. Ordered by primary, then by best-scored label.
pub fn confusion(scored: &Scored<'_>, primary: &[i32]) -> BTreeMap<(usize, usize), Cell> {
    let mut cells: BTreeMap<(usize, usize), Cell> = BTreeMap::new();
    for (paper, &label) in primary.iter().enumerate().take(scored.papers()) {
        let Ok(label) = usize::try_from(label) else {
            continue;
        };
        let (scores, truth) = scored.row(paper);
        let best = best(scores);
        let cell = cells.entry((label, best)).or_default();
        cell.papers += 1;
        cell.theirs += u64::from(truth[best] != 0);
    }
    cells
}

/// The best-scored label; of equal scores the first.
pub fn best(scores: &[f32]) -> usize {
    let better = |best: usize, at: usize| if scores[at] > scores[best] { at } else { best };
    (0..scores.len()).fold(0, better)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Result;

    #[test]
    fn papers_are_counted_where_they_were_put() -> Result<()> {
        let scores = [0.9, 0.1, 0.2, 0.8, 0.5, 0.5, 0.3, 0.4];
        let truth = [1, 0, 1, 1, 0, 1, 1, 0];
        let scored = Scored::probabilities(&scores, &truth, 2)?;
        let cells = confusion(&scored, &[0, 0, 1, -1]);
        let cell = |papers, theirs| Cell { papers, theirs };
        let expected = [
            ((0, 0), cell(1, 1)),
            ((0, 1), cell(1, 1)),
            // Equal scores: the first label.
            ((1, 0), cell(1, 0)),
        ];
        assert_eq!(cells.into_iter().collect::<Vec<_>>(), expected);
        Ok(())
    }
}
