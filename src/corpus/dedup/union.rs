//! Disjoint sets of rows; a set is named by its smallest row, whatever the order of unions.

/// Disjoint sets over rows `0..len`.
#[derive(Debug)]
pub(super) struct Sets {
    // A parent is never larger than its child, so one pass in order flattens the trees.
    parent: Vec<u32>,
}

impl Sets {
    /// Every row alone.
    pub(super) fn new(len: u32) -> Self {
        Self {
            parent: (0..len).collect(),
        }
    }

    /// Makes one set of the sets of two rows.
    pub(super) fn join(&mut self, left: u32, right: u32) {
        let (left, right) = (self.find(left), self.find(right));
        let (first, second) = (left.min(right), left.max(right));
        self.parent[second as usize] = first;
    }

    /// Lets every row point at its set's smallest row.
    pub(super) fn flatten(&mut self) {
        for row in 0..self.parent.len() {
            self.parent[row] = self.parent[self.parent[row] as usize];
        }
    }

    /// True if two rows were in one set at the last [`Sets::flatten`] with no union since.
    pub(super) fn together(&self, left: u32, right: u32) -> bool {
        self.parent[left as usize] == self.parent[right as usize]
    }

    /// The smallest row of each row's set.
    pub(super) fn into_groups(mut self) -> Vec<u32> {
        self.flatten();
        self.parent
    }

    fn find(&mut self, mut row: u32) -> u32 {
        while self.parent[row as usize] != row {
            let above = self.parent[self.parent[row as usize] as usize];
            self.parent[row as usize] = above;
            row = above;
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_named_by_its_smallest_row_in_any_order_of_unions() {
        let mut unions = [(5, 3), (9, 5), (3, 7), (1, 2), (8, 9)];
        for turn in 0..unions.len() {
            unions.rotate_left(turn);
            let mut sets = Sets::new(10);
            for (left, right) in unions {
                sets.join(left, right);
            }
            sets.flatten();
            assert!(sets.together(3, 8) && !sets.together(1, 3));
            assert_eq!(sets.into_groups(), [0, 1, 1, 3, 4, 3, 6, 3, 3, 3]);
        }
    }
}
