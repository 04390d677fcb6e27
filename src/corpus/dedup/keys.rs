//! A set of hashes, made for many that are new: one place in memory is looked at for each.

/// 64-bit hashes, each well mixed. Open addressing, linear probing.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// A power of two of them, or none; 0 is free.
    slots: Vec<u64>,
    used: usize,
    /// Whether 0 is in the set.
    zero: bool,
}

impl Keys {
    /// Makes room for as many keys at once.
    pub(super) fn reserve(&mut self, keys: usize) {
        let wanted = (keys + keys / 3 + 1).next_power_of_two();
        if wanted > self.slots.len() {
            self.grow(wanted);
        }
    }

    /// The place where the search for a key begins.
    fn start(&self, key: u64) -> usize {
        // The table is never empty here, and its length is a power of two.
        (key as usize) & (self.slots.len() - 1)
    }

    /// Looks at where a key would be, so that it is in the cache later; what is there counts.
    pub(super) fn touch(&self, key: u64) -> u64 {
        if self.slots.is_empty() {
            0
        } else {
            self.slots[self.start(key)]
        }
    }

    /// Adds a key; false where it is there already.
    pub(super) fn insert(&mut self, key: u64) -> bool {
        if key == 0 {
            return !std::mem::replace(&mut self.zero, true);
        }
        // At most three quarters are used: chains stay within a line of the cache.
        if 4 * (self.used + 1) > 3 * self.slots.len() {
            self.grow((2 * self.slots.len()).max(1 << 10));
        }
        let new = self.put(key);
        self.used += usize::from(new);
        new
    }

    fn put(&mut self, key: u64) -> bool {
        let mut at = self.start(key);
        loop {
            match self.slots[at] {
                0 => {
                    self.slots[at] = key;
                    return true;
                }
                known if known == key => return false,
                _ => at = (at + 1) & (self.slots.len() - 1),
            }
        }
    }

    fn grow(&mut self, slots: usize) {
        let old = std::mem::replace(&mut self.slots, vec![0; slots]);
        for key in old.into_iter().filter(|key| *key != 0) {
            self.put(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    proptest! {
        #[test]
        fn it_is_a_set(
            keys in prop::collection::vec(prop_oneof![0..40_u64, any::<u64>()], 0..4000),
            room in 0..3000_usize,
        ) {
            let (mut set, mut known) = (Keys::default(), HashSet::new());
            set.reserve(room);
            for key in keys {
                set.touch(key);
                prop_assert_eq!(set.insert(key), known.insert(key));
            }
        }
    }

    #[test]
    fn keys_that_end_alike_are_told_apart() {
        let mut set = Keys::default();
        assert!((0..5000_u64).all(|key| set.insert(key << 40)));
        assert!((0..5000_u64).all(|key| !set.insert(key << 40)));
    }
}
