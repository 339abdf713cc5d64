//! Operators on streams of `(key, value)` that keep nothing over batches.

use super::{DStream, Data, Key, OperatorKind};

impl<K: Key, V: Data> DStream<(K, V)> {
    /// Each key of the batch once, with all its values combined by `f`, which must be associative. Values are combined in
    /// the order in which they were received; keys come by key group, then in the order of their first appearance.
    pub fn reduce_by_key(self, f: impl Fn(V, V) -> V + Send + Sync + 'static) -> DStream<(K, V)> {
        self.derive(OperatorKind::ReduceByKey, move |rdd, _| rdd.reduce_by_key(&f))
    }
}
