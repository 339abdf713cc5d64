//! Operations on the pairs of two batches. They bring the keys of both together at once; a join's pairs are made as they are
//! asked for.

use super::{Data, Key, Rdd};
use crate::dstream::{
    Workers,
    shuffle::{Combine, Entries, combine_by_key},
};

/// A value of one side or the other.
#[derive(Clone)]
enum Side<V, W> {
    Left(V),
    Right(W),
}

struct Cogroup;

impl<V, W> Combine<Side<V, W>, (Vec<V>, Vec<W>)> for Cogroup {
    fn value(&self, slot: &mut Option<(Vec<V>, Vec<W>)>, value: Side<V, W>) {
        let (left, right) = slot.get_or_insert_with(|| (Vec::new(), Vec::new()));
        match value {
            Side::Left(value) => left.push(value),
            Side::Right(value) => right.push(value),
        }
    }

    fn combined(&self, slot: &mut Option<(Vec<V>, Vec<W>)>, later: (Vec<V>, Vec<W>)) {
        match slot {
            Some((left, right)) => {
                left.extend(later.0);
                right.extend(later.1);
            }
            None => *slot = Some(later),
        }
    }
}

type Cogrouped<K, V, W> = Vec<Entries<K, (Vec<V>, Vec<W>)>>;

/// Each key of either side, with its values on both: those of the left one first.
pub(super) fn cogrouped<K: Key, V: Data, W: Data>(
    left: Rdd<(K, V)>,
    right: Rdd<(K, W)>,
) -> (Cogrouped<K, V, W>, Workers) {
    let both = left.map_values(Side::Left).union(right.map_values(Side::Right));
    (combine_by_key(&both.workers, &both.partitions, &Cogroup), both.workers)
}

impl<K: Key, V: Data> Rdd<(K, V)> {
    /// Each key of either, with its values here and in the other, in their order. Keys come by key group, then in the order of
    /// their first appearance, the other's behind this one's.
    #[allow(clippy::type_complexity, reason = "spelled out it says what it is")]
    pub fn cogroup<W: Data>(self, other: Rdd<(K, W)>) -> Rdd<(K, (Vec<V>, Vec<W>))> {
        let (combined, workers) = cogrouped(self, other);
        Rdd::of_shuffle(combined, workers, |key, both, emit| emit((key.clone(), both.clone())))
    }

    /// For each key that both have, every value here with every value of the other.
    pub fn join<W: Data>(self, other: Rdd<(K, W)>) -> Rdd<(K, (V, W))> {
        let (combined, workers) = cogrouped(self, other);
        Rdd::of_shuffle(combined, workers, |key, (left, right), emit| {
            for one in left {
                right.iter().for_each(|other| emit((key.clone(), (one.clone(), other.clone()))));
            }
        })
    }

    /// As [`join`](Self::join), and each value here whose key the other has not, with `None`.
    pub fn left_outer_join<W: Data>(self, other: Rdd<(K, W)>) -> Rdd<(K, (V, Option<W>))> {
        let (combined, workers) = cogrouped(self, other);
        Rdd::of_shuffle(combined, workers, |key, (left, right), emit| {
            for one in left {
                or_none(right).for_each(|other| emit((key.clone(), (one.clone(), other))));
            }
        })
    }

    /// As [`join`](Self::join), and each value of the other whose key is not here, with `None`.
    pub fn right_outer_join<W: Data>(self, other: Rdd<(K, W)>) -> Rdd<(K, (Option<V>, W))> {
        let (combined, workers) = cogrouped(self, other);
        Rdd::of_shuffle(combined, workers, |key, (left, right), emit| {
            for one in or_none(left) {
                right.iter().for_each(|other| emit((key.clone(), (one.clone(), other.clone()))));
            }
        })
    }

    /// As [`join`](Self::join), and each value of either whose key the other has not, with `None`.
    #[allow(clippy::type_complexity, reason = "spelled out it says what it is")]
    pub fn full_outer_join<W: Data>(self, other: Rdd<(K, W)>) -> Rdd<(K, (Option<V>, Option<W>))> {
        let (combined, workers) = cogrouped(self, other);
        Rdd::of_shuffle(combined, workers, |key, (left, right), emit| {
            for one in or_none(left) {
                or_none(right).for_each(|other| emit((key.clone(), (one.clone(), other))));
            }
        })
    }

    /// The pairs whose keys the other has not.
    pub fn subtract_by_key<W: Data>(self, other: Rdd<(K, W)>) -> Rdd<(K, V)> {
        let (combined, workers) = cogrouped(self, other.map_values(|_| ()));
        Rdd::of_shuffle(combined, workers, |key, (here, there), emit| {
            if there.is_empty() {
                here.iter().for_each(|value| emit((key.clone(), value.clone())));
            }
        })
    }
}

/// Each value, or `None` once if there is none.
fn or_none<T: Clone>(values: &[T]) -> impl Iterator<Item = Option<T>> {
    values.iter().cloned().map(Some).chain(values.is_empty().then_some(None))
}

#[cfg(test)]
mod tests {
    use crate::dstream::in_line::{rdd, sorted, splits};

    const LEFT: [(u8, char); 4] = [(1, 'a'), (2, 'b'), (1, 'c'), (3, 'd')];
    const RIGHT: [(u8, i32); 4] = [(1, 10), (3, 30), (1, 11), (4, 40)];

    #[test]
    fn every_kind_of_join_has_the_pairs_of_its_keys_however_the_sides_are_split() {
        for left in splits(&LEFT) {
            for right in splits(&RIGHT) {
                let (a, b) = (|| left.clone(), || right.clone());
                let inner = [(1, ('a', 10)), (1, ('a', 11)), (1, ('c', 10)), (1, ('c', 11)), (3, ('d', 30))];
                assert_eq!(sorted(a().join(b())), inner);
                let mut outer = inner.map(|(key, (one, other))| (key, (Some(one), Some(other)))).to_vec();
                outer.insert(4, (2, (Some('b'), None)));
                outer.push((4, (None, Some(40))));
                assert_eq!(sorted(a().full_outer_join(b())), outer);
                let left_outer = outer[..6].iter().map(|(key, (one, other))| (*key, (one.unwrap(), *other)));
                assert_eq!(sorted(a().left_outer_join(b())), left_outer.collect::<Vec<_>>());
                outer.remove(4);
                let right_outer = outer.iter().map(|(key, (one, other))| (*key, (*one, other.unwrap())));
                assert_eq!(sorted(a().right_outer_join(b())), right_outer.collect::<Vec<_>>());
                assert_eq!(sorted(a().subtract_by_key(b())), [(2, 'b')]);
            }
        }
    }

    #[test]
    fn cogroup_keeps_the_values_of_each_side_in_their_order() {
        for left in splits(&LEFT) {
            for right in splits(&RIGHT) {
                let expected = [
                    (1, (vec!['a', 'c'], vec![10, 11])),
                    (2, (vec!['b'], vec![])),
                    (3, (vec!['d'], vec![30])),
                    (4, (vec![], vec![40])),
                ];
                assert_eq!(sorted(left.clone().cogroup(right)), expected);
            }
        }
    }

    #[test]
    fn the_order_of_a_join_does_not_depend_on_how_the_sides_are_split() {
        let order = rdd([LEFT.to_vec()]).full_outer_join(rdd([RIGHT.to_vec()])).collect();
        for left in splits(&LEFT) {
            for right in splits(&RIGHT) {
                assert_eq!(left.clone().full_outer_join(right).collect(), order);
            }
        }
    }

    #[test]
    fn a_side_without_records_leaves_what_the_kind_of_join_says() {
        let none = || rdd::<(u8, i32), 1>([vec![]]);
        assert!(rdd([LEFT.to_vec()]).join(none()).is_empty());
        assert!(rdd([LEFT.to_vec()]).right_outer_join(none()).is_empty());
        assert_eq!(rdd([LEFT.to_vec()]).left_outer_join(none()).count(), 4);
        assert_eq!(rdd([LEFT.to_vec()]).subtract_by_key(none()).count(), 4);
        assert_eq!(none().full_outer_join(none()).num_partitions(), 0);
    }
}
