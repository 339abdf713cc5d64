//! Operators on streams of `(key, value)`.

use super::{
    BatchScope, DStream, Data, Key, OperatorKind, Partition, Stream,
    shuffle::{Combine, combine_by_key},
};
use std::sync::Arc;

struct ReduceByKey<K, V, F> {
    parent: Arc<dyn Stream<(K, V)>>,
    reduce: Reduce<F>,
}

struct Reduce<F>(F);

impl<V: Data, F: Fn(V, V) -> V + Send + Sync> Combine<V, V> for Reduce<F> {
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

impl<K: Key, V: Data, F: Fn(V, V) -> V + Send + Sync> Stream<(K, V)> for ReduceByKey<K, V, F> {
    fn partitions(&self, scope: &BatchScope<'_>) -> Vec<Partition<(K, V)>> {
        combine_by_key(scope, &self.parent.partitions(scope), &self.reduce)
            .into_iter()
            .map(|entries| {
                Partition::new(move |emit| {
                    for entry in &entries {
                        emit((entry.key.clone(), entry.value.clone().expect("a combined value")));
                    }
                })
            })
            .collect()
    }
}

impl<K: Key, V: Data> DStream<(K, V)> {
    /// Each key of the batch once, with all its values combined by `f`, which must be associative. Values are combined in
    /// the order in which they were received; keys come by key group, then in the order of their first appearance.
    pub fn reduce_by_key(self, f: impl Fn(V, V) -> V + Send + Sync + 'static) -> DStream<(K, V)> {
        let id = self.builder.lock().add(OperatorKind::ReduceByKey, &[self.id], String::new(), String::new());
        let stream = Arc::new(ReduceByKey { parent: self.stream, reduce: Reduce(f) });
        DStream { builder: self.builder, id, stream }
    }
}
