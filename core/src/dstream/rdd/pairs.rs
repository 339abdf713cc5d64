//! Operations that bring all values of a key together. They compute at once, by a shuffle.

use super::{Data, Key, Rdd};
use crate::dstream::shuffle::{Combine, combine_by_key};

pub(in crate::dstream) struct Reduce<F>(pub F);

impl<V: Data, F: Fn(V, V) -> V + Sync> Combine<V, V> for Reduce<F> {
    fn value(&self, slot: &mut Option<V>, value: V) {
        *slot = Some(match slot.take() {
            None => value,
            Some(before) => (self.0)(before, value),
        });
    }

    fn combined(&self, slot: &mut Option<V>, later: V) {
        self.value(slot, later);
    }
}

struct Combiner<F, G, H> {
    create: F,
    add: G,
    merge: H,
}

impl<V, C, F, G, H> Combine<V, C> for Combiner<F, G, H>
where
    F: Fn(V) -> C + Sync,
    G: Fn(C, V) -> C + Sync,
    H: Fn(C, C) -> C + Sync,
{
    fn value(&self, slot: &mut Option<C>, value: V) {
        *slot = Some(match slot.take() {
            None => (self.create)(value),
            Some(before) => (self.add)(before, value),
        });
    }

    fn combined(&self, slot: &mut Option<C>, later: C) {
        *slot = Some(match slot.take() {
            None => later,
            Some(before) => (self.merge)(before, later),
        });
    }
}

pub(in crate::dstream) struct Group;

impl<V> Combine<V, Vec<V>> for Group {
    fn value(&self, slot: &mut Option<Vec<V>>, value: V) {
        slot.get_or_insert_default().push(value);
    }

    fn combined(&self, slot: &mut Option<Vec<V>>, later: Vec<V>) {
        match slot {
            Some(before) => before.extend(later),
            None => *slot = Some(later),
        }
    }
}

impl<K: Key, V: Data> Rdd<(K, V)> {
    fn combined<C: Data>(self, combine: &impl Combine<V, C>) -> Rdd<(K, C)> {
        let combined = combine_by_key(&self.workers, &self.partitions, combine);
        Rdd::of_shuffle(combined, self.workers, |key, value, emit| emit((key.clone(), value.clone())))
    }

    /// Each key once, with all its values combined by `f`, which must be associative. Values are combined in their order; keys
    /// come by key group, then in the order of their first appearance.
    pub fn reduce_by_key(self, f: impl Fn(V, V) -> V + Sync) -> Rdd<(K, V)> {
        self.combined(&Reduce(f))
    }

    /// As [`reduce_by_key`](Self::reduce_by_key), beginning with `zero`: once for each partition that has the key, so it must change
    /// nothing.
    pub fn fold_by_key(self, zero: V, f: impl Fn(V, V) -> V + Sync) -> Rdd<(K, V)> {
        self.aggregate_by_key(zero, &f, &f)
    }

    /// As [`fold_by_key`](Self::fold_by_key), into another type: `add` takes a value in, `merge` what a later partition has.
    pub fn aggregate_by_key<C: Data>(
        self,
        zero: C,
        add: impl Fn(C, V) -> C + Sync,
        merge: impl Fn(C, C) -> C + Sync,
    ) -> Rdd<(K, C)> {
        self.combine_by_key(|value| add(zero.clone(), value), &add, merge)
    }

    /// Each key once, with all its values combined: in each partition `create` makes something of the first one and `add` takes in
    /// the others; `merge` adds to it what a later partition has. Keys come as from [`reduce_by_key`](Self::reduce_by_key).
    pub fn combine_by_key<C: Data>(
        self,
        create: impl Fn(V) -> C + Sync,
        add: impl Fn(C, V) -> C + Sync,
        merge: impl Fn(C, C) -> C + Sync,
    ) -> Rdd<(K, C)> {
        self.combined(&Combiner { create, add, merge })
    }

    /// Each key once, with all its values in their order.
    pub fn group_by_key(self) -> Rdd<(K, Vec<V>)> {
        self.combined(&Group)
    }

    /// Each key once, with how many values it has.
    pub fn count_by_key(self) -> Rdd<(K, u64)> {
        self.map_values(|_| 1).reduce_by_key(|a, b| a + b)
    }
}

#[cfg(test)]
mod tests {
    use crate::dstream::in_line::{rdd, sorted, splits, watched};

    const PAIRS: [(&str, &str); 6] = [("x", "a"), ("y", "b"), ("x", "c"), ("z", "d"), ("y", "e"), ("x", "f")];

    fn pairs() -> Vec<(String, String)> {
        PAIRS.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()
    }

    #[test]
    fn the_values_of_a_key_are_combined_in_their_order_however_they_are_split() {
        let expected = [("x", "acf"), ("y", "be"), ("z", "d")];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let order = rdd([pairs()]).reduce_by_key(|a, b| a + &b).collect();
        for split in splits(&pairs()) {
            assert_eq!(split.clone().reduce_by_key(|a, b| a + &b).collect(), order);
            assert_eq!(sorted(split.clone().reduce_by_key(|a, b| a + &b)), expected);
            assert_eq!(sorted(split.clone().fold_by_key(String::new(), |a, b| a + &b)), expected);
            let combined = split.clone().combine_by_key(|a| a, |a, b| a + &b, |a, b| a + &b);
            assert_eq!(sorted(combined), expected);
            let lengths = split.clone().aggregate_by_key(0, |n, value| n + value.len(), |a, b| a + b);
            assert_eq!(sorted(lengths.map_values(|n| n as u64)), sorted(split.clone().count_by_key()));
            let grouped = split.group_by_key().map_values(|values| values.concat());
            assert_eq!(grouped.collect(), order);
        }
    }

    #[test]
    fn what_a_fold_begins_with_counts_once_for_each_partition_that_has_the_key() {
        let sums = rdd([vec![("a", 1), ("a", 2)], vec![("a", 3)], vec![("b", 4)]].map(owned));
        assert_eq!(sorted(sums.fold_by_key(10, |a, b| a + b)), owned(vec![("a", 26), ("b", 14)]));
    }

    fn owned(pairs: Vec<(&str, i32)>) -> Vec<(String, i32)> {
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    #[test]
    fn a_batch_without_records_has_no_partitions_after_a_shuffle() {
        for empty in [rdd([]), rdd([vec![], vec![]]), rdd([vec![1], vec![2]]).filter(|_| false)] {
            let (counts, groups) = (empty.clone().count_by_value(), empty.group_by(|n: &u64| *n));
            assert_eq!((counts.num_partitions(), groups.num_partitions()), (0, 0));
        }
    }

    #[test]
    fn a_shuffle_computes_its_input_once() {
        let (records, calls) = watched([vec![1, 2], vec![1]]);
        let counts = records.map(|n| (n, 1)).reduce_by_key(|a, b| a + b);
        assert_eq!(calls.get(), 3);
        assert_eq!((counts.count(), sorted(counts)), (2, vec![(1, 2), (2, 1)]));
        assert_eq!(calls.get(), 3);
    }

    #[test]
    fn many_keys_and_few_come_in_the_same_order() {
        // More keys than are merged in line.
        let many: Vec<u64> = (0..5000).map(|n| n * 7919 % 3001).collect();
        let together = rdd([many.clone()]).count_by_value().collect();
        assert_eq!(together.len(), 3001);
        let halves = rdd([many[..1234].to_vec(), many[1234..].to_vec()]);
        assert_eq!(halves.count_by_value().collect(), together);
    }
}
