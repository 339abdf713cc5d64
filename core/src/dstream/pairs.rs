//! Operators on streams of `(key, value)` that keep nothing over batches: each is the operation of [`Rdd`](super::Rdd) of the same
//! name, in every batch.

use super::{DStream, Data, Key, OperatorKind};
use std::sync::Arc;

impl<K: Data, V: Data> DStream<(K, V)> {
    /// Each value, passed through `f`, behind its key.
    pub fn map_values<W: Data>(self, f: impl Fn(V) -> W + Send + Sync + 'static) -> DStream<(K, W)> {
        let f = Arc::new(f);
        self.derive(OperatorKind::MapValues, move |rdd, _| {
            let f = f.clone();
            rdd.map_values(move |value| f(value))
        })
    }

    /// All that `f` makes of each value, in order, each behind the value's key.
    pub fn flat_map_values<W: Data, I: IntoIterator<Item = W>>(
        self,
        f: impl Fn(V) -> I + Send + Sync + 'static,
    ) -> DStream<(K, W)> {
        let f = Arc::new(f);
        self.derive(OperatorKind::FlatMapValues, move |rdd, _| {
            let f = f.clone();
            rdd.flat_map_values(move |value| f(value))
        })
    }
}

impl<K: Key, V: Data> DStream<(K, V)> {
    /// Each key of the batch once, with all its values combined by `f`, which must be associative. Values are combined in
    /// the order in which they were received; keys come by key group, then in the order of their first appearance.
    pub fn reduce_by_key(self, f: impl Fn(V, V) -> V + Send + Sync + 'static) -> DStream<(K, V)> {
        self.derive(OperatorKind::ReduceByKey, move |rdd, _| rdd.reduce_by_key(&f))
    }

    /// Each key of the batch once, with all its values in the order in which they were received. Where they are combined
    /// afterwards, [`reduce_by_key`](Self::reduce_by_key) and [`combine_by_key`](Self::combine_by_key) cost less.
    pub fn group_by_key(self) -> DStream<(K, Vec<V>)> {
        self.derive(OperatorKind::GroupByKey, |rdd, _| rdd.group_by_key())
    }

    /// Each key of the batch once, with all its values combined: in each partition `create` makes something of the first one and
    /// `add` takes in the others; `merge` adds to it what a later partition has.
    pub fn combine_by_key<C: Data>(
        self,
        create: impl Fn(V) -> C + Send + Sync + 'static,
        add: impl Fn(C, V) -> C + Send + Sync + 'static,
        merge: impl Fn(C, C) -> C + Send + Sync + 'static,
    ) -> DStream<(K, C)> {
        self.derive(OperatorKind::CombineByKey, move |rdd, _| rdd.combine_by_key(&create, &add, &merge))
    }

    /// For each key that both batches have, every value here with every value of the other.
    pub fn join<W: Data>(self, other: DStream<(K, W)>) -> DStream<(K, (V, W))> {
        self.derive_with(other, OperatorKind::Join, |one, other, _| one.join(other))
    }

    /// As [`join`](Self::join), and each value here whose key the other has not, with `None`.
    pub fn left_outer_join<W: Data>(self, other: DStream<(K, W)>) -> DStream<(K, (V, Option<W>))> {
        self.derive_with(other, OperatorKind::LeftOuterJoin, |one, other, _| one.left_outer_join(other))
    }

    /// As [`join`](Self::join), and each value of the other whose key is not here, with `None`.
    pub fn right_outer_join<W: Data>(self, other: DStream<(K, W)>) -> DStream<(K, (Option<V>, W))> {
        self.derive_with(other, OperatorKind::RightOuterJoin, |one, other, _| one.right_outer_join(other))
    }

    /// As [`join`](Self::join), and each value of either whose key the other has not, with `None`.
    #[allow(clippy::type_complexity, reason = "spelled out it says what it is")]
    pub fn full_outer_join<W: Data>(self, other: DStream<(K, W)>) -> DStream<(K, (Option<V>, Option<W>))> {
        self.derive_with(other, OperatorKind::FullOuterJoin, |one, other, _| one.full_outer_join(other))
    }

    /// Each key of either batch, with its values here and in the other.
    #[allow(clippy::type_complexity, reason = "spelled out it says what it is")]
    pub fn cogroup<W: Data>(self, other: DStream<(K, W)>) -> DStream<(K, (Vec<V>, Vec<W>))> {
        self.derive_with(other, OperatorKind::Cogroup, |one, other, _| one.cogroup(other))
    }
}

#[cfg(test)]
mod tests {
    use crate::dstream::in_line::{Program, sorted};

    #[test]
    fn streams_of_pairs_do_in_every_batch_what_the_operations_do_to_one() {
        let program = Program::new();
        let pairs = program.stream(|time| vec![vec![(1, time), (2, 5)], vec![(1, 7)]]);
        let other = program.stream(|time| vec![vec![(1, time), (3, time)]]);
        let (a, b) = (|| pairs.clone(), || other.clone());
        assert_eq!(program.batch(&a().map_values(|n| n + 1), 1).collect(), [(1, 2), (2, 6), (1, 8)]);
        assert_eq!(program.batch(&a().flat_map_values(|n| vec![n; (n == 5).into()]), 1).collect(), [(2, 5)]);
        assert_eq!(sorted(program.batch(&a().reduce_by_key(|x, y| x * y), 2)), [(1, 14), (2, 5)]);
        assert_eq!(sorted(program.batch(&a().group_by_key(), 2)), [(1, vec![2, 7]), (2, vec![5])]);
        let mean = a().combine_by_key(|n| (n, 1), |(s, n), v| (s + v, n + 1), |x, y| (x.0 + y.0, x.1 + y.1));
        assert_eq!(sorted(program.batch(&mean, 3)), [(1, (10, 2)), (2, (5, 1))]);
        assert_eq!(sorted(program.batch(&a().join(b()), 1)), [(1, (1, 1)), (1, (7, 1))]);
        assert_eq!(program.batch(&a().left_outer_join(b()), 1).count(), 3);
        assert_eq!(program.batch(&a().right_outer_join(b()), 1).count(), 3);
        assert_eq!(program.batch(&a().full_outer_join(b()), 1).count(), 4);
        let both = [(1, (vec![9, 7], vec![9])), (2, (vec![5], vec![])), (3, (vec![], vec![9]))];
        assert_eq!(sorted(program.batch(&a().cogroup(b()), 9)), both);
        assert_eq!(program.error(), None);
        let last = program.operators().pop().unwrap();
        assert_eq!(last, format!("operator {} (Cogroup)", program.operators().len() - 1));
    }
}
