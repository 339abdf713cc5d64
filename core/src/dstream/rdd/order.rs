//! Operations that put records in order.

use super::{Data, Rdd};
use std::cmp::Ordering;

impl<T: Data> Rdd<T> {
    /// The records in the order of the keys that `key` makes of them; records with equal keys stay in theirs. As many partitions
    /// as before, as even as can be, each behind the last. `std::cmp::Reverse` around the key turns the order round.
    pub fn sort_by<K: Ord + Send>(self, key: impl Fn(&T) -> K + Sync) -> Rdd<T> {
        let by_key = |one: &(K, T), other: &(K, T)| one.0.cmp(&other.0);
        let runs = self.of_each_partition(|partition| {
            let mut run = Vec::new();
            partition.each(&mut |record| run.push((key(&record), record)));
            run.sort_by(by_key);
            run
        });
        let mut all: Vec<_> = runs.into_iter().flatten().collect();
        // Merges the runs: it finds out that they are sorted.
        all.sort_by(by_key);
        let count = self.num_partitions();
        Self::dealt(all.into_iter().map(|(_, record)| record).collect(), count, self.workers)
    }

    /// The first `count` records in the order of `compare`; of equal ones the earlier.
    fn foremost(&self, count: usize, compare: impl Fn(&T, &T) -> Ordering + Sync) -> Vec<T> {
        let foremost = |mut records: Vec<T>| {
            records.sort_by(&compare);
            records.truncate(count);
            records
        };
        foremost(self.of_each_partition(|partition| foremost(partition.to_vec())).concat())
    }
}

impl<T: Data + Ord> Rdd<T> {
    /// The `count` largest records, the largest first.
    pub fn top(&self, count: usize) -> Vec<T> {
        self.foremost(count, |one, other| other.cmp(one))
    }

    /// The `count` smallest records, the smallest first.
    pub fn take_ordered(&self, count: usize) -> Vec<T> {
        self.foremost(count, T::cmp)
    }

    /// The smallest record.
    pub fn min(&self) -> Option<T> {
        self.reduce(T::min)
    }

    /// The largest record.
    pub fn max(&self) -> Option<T> {
        self.reduce(T::max)
    }
}

#[cfg(test)]
mod tests {
    use crate::dstream::in_line::{rdd, splits};
    use std::cmp::Reverse;

    #[test]
    fn sorting_keeps_the_order_of_equal_keys_however_they_are_split() {
        let records = [(2, 'a'), (1, 'b'), (2, 'c'), (3, 'd'), (1, 'e')];
        for split in splits(&records) {
            let parts = split.num_partitions();
            let sorted = split.clone().sort_by(|(number, _)| *number);
            assert_eq!(sorted.num_partitions(), parts);
            assert_eq!(sorted.collect(), [(1, 'b'), (1, 'e'), (2, 'a'), (2, 'c'), (3, 'd')]);
            let turned = split.sort_by(|(number, _)| Reverse(*number));
            assert_eq!(turned.collect(), [(3, 'd'), (2, 'a'), (2, 'c'), (1, 'b'), (1, 'e')]);
        }
    }

    #[test]
    fn the_foremost_are_found_however_they_are_split() {
        for split in splits(&[3, 1, 4, 1, 5, 9, 2, 6]) {
            assert_eq!(split.top(3), [9, 6, 5]);
            assert_eq!(split.take_ordered(3), [1, 1, 2]);
            assert_eq!(split.top(99).len(), 8);
            assert_eq!((split.min(), split.max()), (Some(1), Some(9)));
        }
        let empty = rdd::<u64, 2>([vec![], vec![]]);
        assert_eq!((empty.top(1), empty.min(), empty.max()), (vec![], None, None));
        assert!(empty.sort_by(|number| *number).is_empty());
    }
}
