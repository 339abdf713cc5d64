//! Operations on the keys or the values of pairs alone: narrow, and fused like the others.

use super::{Data, Rdd};

impl<K: Data, V: Data> Rdd<(K, V)> {
    /// Each value, passed through `f`, behind its key.
    pub fn map_values<W: Data>(self, f: impl Fn(V) -> W + Send + Sync + 'static) -> Rdd<(K, W)> {
        self.map(move |(key, value)| (key, f(value)))
    }

    /// All that `f` makes of each value, in order, each behind the value's key.
    pub fn flat_map_values<W: Data, I: IntoIterator<Item = W>>(
        self,
        f: impl Fn(V) -> I + Send + Sync + 'static,
    ) -> Rdd<(K, W)> {
        self.flat_map(move |(key, value)| f(value).into_iter().map(move |made| (key.clone(), made)))
    }

    /// The keys, as often as they are there.
    pub fn keys(self) -> Rdd<K> {
        self.map(|(key, _)| key)
    }

    /// The values.
    pub fn values(self) -> Rdd<V> {
        self.map(|(_, value)| value)
    }

    /// The values of `key`, in order.
    pub fn lookup(&self, key: &K) -> Vec<V>
    where
        K: Eq,
    {
        let found = self.of_each_partition(|partition| {
            let mut found = Vec::new();
            partition.each(&mut |(one, value)| {
                if one == *key {
                    found.push(value);
                }
            });
            found
        });
        found.concat()
    }

    /// The pairs in the order of their keys; those of one key stay in theirs. See [`sort_by`](Rdd::sort_by).
    pub fn sort_by_key(self) -> Rdd<(K, V)>
    where
        K: Ord,
    {
        self.sort_by(|(key, _)| key.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::dstream::in_line::{rdd, watched};

    #[test]
    fn keys_stay_with_what_becomes_of_their_values() {
        let pairs = rdd([vec![("a", 1), ("b", 2)], vec![("a", 0)]]);
        assert_eq!(pairs.clone().map_values(|n| n + 1).collect(), [("a", 2), ("b", 3), ("a", 1)]);
        let repeated = pairs.clone().flat_map_values(|n| vec![n; n]);
        assert_eq!(repeated.collect(), [("a", 1), ("b", 2), ("b", 2)]);
        assert_eq!(pairs.clone().keys().collect(), ["a", "b", "a"]);
        assert_eq!(pairs.clone().values().collect(), [1, 2, 0]);
        assert_eq!(pairs.lookup(&"a"), [1, 0]);
        assert_eq!(pairs.lookup(&"c"), []);
        assert_eq!(pairs.sort_by_key().collect(), [("a", 1), ("a", 0), ("b", 2)]);
    }

    #[test]
    fn a_chain_of_narrow_operations_is_one_loop_that_runs_when_it_is_asked() {
        let (records, calls) = watched([vec![1, 2, 3], vec![4]]);
        let chain = records
            .map(|n| (n % 2, n))
            .map_values(|n| n * 10)
            .flat_map_values(|n| [n, n + 1])
            .filter(|(key, _)| *key == 1)
            .values()
            .key_by(|n| *n)
            .keys()
            .glom();
        assert_eq!(calls.get(), 0);
        assert_eq!(chain.collect(), [vec![10, 11, 30, 31], vec![]]);
        assert_eq!(calls.get(), 4, "each record was asked for once");
    }

    #[test]
    fn an_empty_partition_counts_where_partitions_are_seen() {
        let records = rdd([vec![1, 2], vec![]]);
        assert_eq!(records.clone().map(|n| n + 1).glom().collect(), [vec![2, 3], vec![]]);
        let sums = records.clone().map_partitions(|part| [(part.iter().sum::<i32>(), part.len())]);
        assert_eq!(sums.collect(), [(3, 2), (0, 0)]);
        let numbered = records.map_partitions_with_index(|index, part| [(index, part.len())]);
        assert_eq!(numbered.collect(), [(0, 2), (1, 0)]);
    }
}
