//! Operations on partitions and places: which records are where.

use super::{Data, Rdd};
use crate::dstream::{Partition, Workers};
use std::sync::Arc;

impl<T: Data> Rdd<T> {
    /// The records of both, duplicates included: this one's partitions, then the other's.
    pub fn union(mut self, other: Rdd<T>) -> Rdd<T> {
        self.partitions.extend(other.partitions);
        self
    }

    /// The same records in the same order in `count` partitions: of `n` records partition `i` has those from `i * n / count` to
    /// `(i + 1) * n / count`, whatever partitions they were in. Computes them at once.
    ///
    /// # Panics
    /// If `count` is 0.
    pub fn repartition(self, count: usize) -> Rdd<T> {
        assert!(count > 0, "the number of partitions must be positive");
        Self::dealt(self.collect(), count, self.workers)
    }

    /// At most `count` partitions, each made of some that lie together: nothing is computed for it, and with fewer partitions
    /// than that nothing changes.
    ///
    /// # Panics
    /// If `count` is 0.
    pub fn coalesce(self, count: usize) -> Rdd<T> {
        assert!(count > 0, "the number of partitions must be positive");
        let parts = self.partitions.len();
        if parts <= count {
            return self;
        }
        let merged = |index: usize| {
            let group = &self.partitions[index * parts / count..(index + 1) * parts / count];
            match group {
                [alone] => alone.clone(),
                _ if group.iter().all(Partition::is_known_empty) => Partition::empty(),
                _ => {
                    let group = group.to_vec();
                    Partition::new(move |emit| group.iter().for_each(|partition| partition.each(emit)))
                }
            }
        };
        Rdd::new((0..count).map(merged).collect(), self.workers)
    }

    /// Each record with its place in the batch, counted from 0. Computes them at once.
    pub fn zip_with_index(self) -> Rdd<(T, u64)> {
        let parts = Arc::new(self.to_vecs());
        let mut before = 0;
        let partition = |index: usize| {
            let (first, parts) = (before, parts.clone());
            before += parts[index].len() as u64;
            if parts[index].is_empty() {
                return Partition::empty();
            }
            Partition::new(move |emit| (first..).zip(&parts[index]).for_each(|(n, it)| emit((it.clone(), n))))
        };
        Rdd::new((0..parts.len()).map(partition).collect(), self.workers)
    }

    /// Every record of this one with every record of the other: for each pair of partitions, this one's first, a partition.
    /// Computes both at once, the pairs as they are asked for.
    pub fn cartesian<U: Data>(self, other: Rdd<U>) -> Rdd<(T, U)> {
        let (left, right) = (Arc::new(self.to_vecs()), Arc::new(other.to_vecs()));
        let pairs = (0..left.len()).flat_map(|i| (0..right.len()).map(move |j| (i, j)));
        let partition = |(i, j): (usize, usize)| {
            if left[i].is_empty() || right[j].is_empty() {
                return Partition::empty();
            }
            let (left, right) = (left.clone(), right.clone());
            Partition::new(move |emit| {
                for one in &left[i] {
                    right[j].iter().for_each(|other| emit((one.clone(), other.clone())));
                }
            })
        };
        Rdd::new(pairs.map(partition).collect(), self.workers)
    }

    /// Records in `count` partitions, as even as can be.
    pub(super) fn dealt(records: Vec<T>, count: usize, workers: Workers) -> Rdd<T> {
        let (total, records) = (records.len(), Arc::new(records));
        let partition = |index: usize| {
            let places = index * total / count..(index + 1) * total / count;
            if places.is_empty() {
                return Partition::empty();
            }
            let records = records.clone();
            Partition::new(move |emit| records[places.clone()].iter().cloned().for_each(&mut *emit))
        };
        Rdd::new((0..count).map(partition).collect(), workers)
    }
}

#[cfg(test)]
mod tests {
    use crate::dstream::in_line::{rdd, watched};

    #[test]
    fn union_keeps_the_partitions_of_both() {
        let both = rdd([vec![1, 2], vec![]]).union(rdd([vec![2]]));
        assert_eq!(both.glom().collect(), [vec![1, 2], vec![], vec![2]]);
    }

    #[test]
    fn repartition_depends_on_the_records_and_not_on_their_partitions() {
        let expected = [vec![1, 2], vec![3, 4, 5]];
        assert_eq!(rdd([vec![1, 2, 3, 4, 5]]).repartition(2).glom().collect(), expected);
        assert_eq!(rdd([vec![], vec![1], vec![2, 3, 4], vec![5]]).repartition(2).glom().collect(), expected);
        assert_eq!(rdd([vec![7], vec![8]]).repartition(1).glom().collect(), [[7, 8]]);
    }

    #[test]
    fn an_empty_batch_has_as_many_partitions_as_repartition_says() {
        assert_eq!(rdd::<u8, 0>([]).repartition(3).glom().collect(), [[], [], []] as [[u8; 0]; 3]);
    }

    #[test]
    #[should_panic(expected = "must be positive")]
    fn no_partition_at_all_is_refused() {
        let _ = rdd([vec![1]]).repartition(0);
    }

    #[test]
    fn coalesce_merges_neighbours_lazily_and_never_splits() {
        let (records, calls) = watched([vec![1], vec![2], vec![], vec![3, 4], vec![5]]);
        let merged = records.clone().coalesce(2);
        assert_eq!(calls.get(), 0);
        assert_eq!(merged.glom().collect(), [vec![1, 2], vec![3, 4, 5]]);
        assert_eq!(records.coalesce(9).num_partitions(), 5);
    }

    #[test]
    fn places_are_counted_over_all_partitions() {
        let placed = rdd([vec!["a", "b"], vec![], vec!["c"]]).zip_with_index();
        assert_eq!(placed.num_partitions(), 3);
        assert_eq!(placed.collect(), [("a", 0), ("b", 1), ("c", 2)]);
    }

    #[test]
    fn every_record_meets_every_other_partition_by_partition() {
        let pairs = rdd([vec![1, 2], vec![3]]).cartesian(rdd([vec!["a"], vec!["b", "c"]]));
        let expected = [
            vec![(1, "a"), (2, "a")],
            vec![(1, "b"), (1, "c"), (2, "b"), (2, "c")],
            vec![(3, "a")],
            vec![(3, "b"), (3, "c")],
        ];
        assert_eq!(pairs.glom().collect(), expected);
        assert!(rdd([vec![1]]).cartesian(rdd::<u8, 1>([vec![]])).is_empty());
    }
}
