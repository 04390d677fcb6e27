//! Which rows run together: sorted by length, cut at a token budget. Pure, so that the
//! policy is tested without a model.

/// What a batch costs: whether rows are padded to the longest of their batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Rows lie end to end; a batch costs the sum of its lengths.
    Packed,
    /// Every row is as long as the batch's longest; a batch costs rows × longest.
    Padded,
}

/// Cuts the rows `0..lengths.len()` into batches of at most `budget` tokens, longest first,
/// so that rows of like length meet and the first batch needs the most memory.
///
/// Every row is in exactly one batch. A row longer than the budget is a batch of its own.
/// Rows of equal length keep their order, so the same lengths always give the same batches.
pub fn plan(lengths: &[usize], budget: usize, layout: Layout) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by(|&a, &b| lengths[b].cmp(&lengths[a]));

    let mut batches = Vec::new();
    let mut batch: Vec<usize> = Vec::new();
    let mut cost = 0;
    for row in order {
        // Sorted: the batch's first row is its longest.
        let added = match layout {
            Layout::Packed => lengths[row],
            Layout::Padded => batch.first().map_or(lengths[row], |&first| lengths[first]),
        };
        if !batch.is_empty() && cost + added > budget {
            batches.push(std::mem::take(&mut batch));
            cost = 0;
        }
        cost += if batch.is_empty() {
            lengths[row]
        } else {
            added
        };
        batch.push(row);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

/// Consecutive rows of equal length in a batch, as `(rows, length)`: attention runs over each
/// without a mask.
pub fn runs(lengths: impl IntoIterator<Item = usize>) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for length in lengths {
        match runs.last_mut() {
            Some((rows, last)) if *last == length => *rows += 1,
            _ => runs.push((1, length)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cost(batch: &[usize], lengths: &[usize], layout: Layout) -> usize {
        let longest = batch.iter().map(|&row| lengths[row]).max().unwrap_or(0);
        match layout {
            Layout::Packed => batch.iter().map(|&row| lengths[row]).sum(),
            Layout::Padded => batch.len() * longest,
        }
    }

    proptest! {
        #[test]
        fn every_row_is_in_exactly_one_batch(lengths in proptest::collection::vec(0usize..600, 0..200), budget in 0usize..2000) {
            for layout in [Layout::Packed, Layout::Padded] {
                let mut rows: Vec<usize> = plan(&lengths, budget, layout).into_iter().flatten().collect();
                rows.sort_unstable();
                prop_assert_eq!(rows, (0..lengths.len()).collect::<Vec<_>>());
            }
        }

        #[test]
        fn only_a_lone_row_exceeds_the_budget(lengths in proptest::collection::vec(1usize..600, 0..200), budget in 1usize..2000) {
            for layout in [Layout::Packed, Layout::Padded] {
                for batch in plan(&lengths, budget, layout) {
                    prop_assert!(!batch.is_empty());
                    prop_assert!(batch.len() == 1 || cost(&batch, &lengths, layout) <= budget);
                }
            }
        }

        #[test]
        fn no_batch_could_take_the_next_row(lengths in proptest::collection::vec(1usize..600, 0..200), budget in 1usize..2000) {
            for layout in [Layout::Packed, Layout::Padded] {
                for pair in plan(&lengths, budget, layout).windows(2) {
                    let mut more = pair[0].clone();
                    more.push(pair[1][0]);
                    prop_assert!(cost(&more, &lengths, layout) > budget);
                }
            }
        }

        #[test]
        fn lengths_never_grow_along_the_batches(lengths in proptest::collection::vec(0usize..600, 0..200), budget in 1usize..2000) {
            let sorted: Vec<usize> = plan(&lengths, budget, Layout::Packed).into_iter().flatten().map(|row| lengths[row]).collect();
            prop_assert!(sorted.windows(2).all(|pair| pair[0] >= pair[1]));
        }

        #[test]
        fn runs_spell_the_lengths_again(lengths in proptest::collection::vec(0usize..4, 0..40)) {
            let found = runs(lengths.iter().copied());
            let spelt: Vec<usize> = found.iter().flat_map(|&(rows, length)| vec![length; rows]).collect();
            prop_assert!(found.windows(2).all(|pair| pair[0].1 != pair[1].1));
            prop_assert_eq!(spelt, lengths);
        }
    }
}
