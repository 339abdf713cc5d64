//! What ends a computation.

use super::{Data, Rdd};

impl<T: Data> Rdd<T> {
    /// All records, in order.
    pub fn collect(&self) -> Vec<T> {
        let mut parts = self.to_vecs();
        if parts.len() == 1 {
            return parts.pop().unwrap_or_default();
        }
        let mut all = Vec::with_capacity(parts.iter().map(Vec::len).sum());
        parts.into_iter().for_each(|part| all.extend(part));
        all
    }

    /// How many records.
    pub fn count(&self) -> u64 {
        let counts = self.of_each_partition(|partition| {
            let mut count = 0;
            partition.each(&mut |_| count += 1);
            count
        });
        counts.into_iter().sum()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.first().is_none()
    }

    /// The first record.
    pub fn first(&self) -> Option<T> {
        self.take(1).pop()
    }

    /// The first `count` records, or all if there are fewer. Computes one partition after the other, until there are enough.
    pub fn take(&self, count: usize) -> Vec<T> {
        let mut taken = Vec::new();
        for partition in &self.partitions {
            if taken.len() == count {
                break;
            }
            partition.each(&mut |record| {
                if taken.len() < count {
                    taken.push(record);
                }
            });
        }
        taken
    }

    /// All records combined by `f`, which must be associative, in their order. `None` if there are none.
    pub fn reduce(&self, f: impl Fn(T, T) -> T + Sync) -> Option<T> {
        let parts = self.of_each_partition(|partition| {
            let mut combined: Option<T> = None;
            partition.each(&mut |record| {
                combined = Some(match combined.take() {
                    None => record,
                    Some(before) => f(before, record),
                });
            });
            combined
        });
        parts.into_iter().flatten().reduce(f)
    }

    /// All records combined by `f`, in their order, beginning with `zero`: once for each partition and once for their results, so
    /// it must change nothing.
    pub fn fold(&self, zero: T, f: impl Fn(T, T) -> T + Sync) -> T {
        self.aggregate(zero, &f, &f)
    }

    /// As [`fold`](Self::fold), into another type: `add` takes a record in, `merge` what a later partition has.
    pub fn aggregate<U: Data>(
        &self,
        zero: U,
        add: impl Fn(U, T) -> U + Sync,
        merge: impl Fn(U, U) -> U,
    ) -> U {
        let parts = self.of_each_partition(|partition| {
            let mut sum = Some(zero.clone());
            partition.each(&mut |record| sum = sum.take().map(|before| add(before, record)));
            sum
        });
        parts.into_iter().flatten().fold(zero.clone(), merge)
    }
}

#[cfg(test)]
mod tests {
    use crate::dstream::in_line::{rdd, splits, watched};

    #[test]
    fn an_empty_batch_has_no_first_record_and_nothing_to_reduce() {
        for empty in [rdd([]), rdd([vec![], vec![]])] {
            let empty: crate::Rdd<u64> = empty;
            assert_eq!((empty.count(), empty.first(), empty.is_empty()), (0, None, true));
            assert_eq!(empty.reduce(|a, b| a + b), None);
            assert_eq!(empty.fold(0, |a, b| a + b), 0);
            assert_eq!(empty.take(3), []);
        }
    }

    #[test]
    fn records_are_combined_in_their_order_however_they_are_split() {
        let letters: Vec<String> = ["a", "b", "c", "d", "e"].map(String::from).to_vec();
        for split in splits(&letters) {
            assert_eq!(split.reduce(|a, b| a + &b).unwrap(), "abcde");
            assert_eq!(split.fold(String::new(), |a, b| a + &b), "abcde");
            assert_eq!(split.aggregate(0, |n, letter| n + letter.len(), |a, b| a + b), 5);
            assert_eq!(split.count(), 5);
        }
    }

    #[test]
    fn what_a_fold_begins_with_counts_once_a_partition_and_once_more() {
        assert_eq!(rdd([vec![1], vec![2], vec![]]).fold(10, |a, b| a + b), 43);
    }

    #[test]
    fn take_stops_at_the_partition_that_has_enough() {
        let (records, calls) = watched([vec![1, 2], vec![], vec![3, 4], vec![5]]);
        assert_eq!(records.take(0), []);
        assert_eq!(calls.get(), 0);
        assert_eq!(records.take(3), [1, 2, 3]);
        assert_eq!(calls.get(), 4, "the last partition was not asked");
        assert_eq!(records.take(9), [1, 2, 3, 4, 5]);
        assert_eq!(records.first(), Some(1));
    }
}
