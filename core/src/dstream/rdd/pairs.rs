//! Operations on batches of `(key, value)`.

use super::{Data, Rdd};
use crate::{
    dstream::{
        Key, Partition,
        shuffle::{Combine, combine_by_key},
    },
    state::Entry,
};

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

impl<K: Key, V: Data> Rdd<(K, V)> {
    /// Each key once, with all its values combined by `f`, which must be associative. Values are combined in their order; keys
    /// come by key group, then in the order of their first appearance.
    pub fn reduce_by_key(self, f: impl Fn(V, V) -> V + Sync) -> Rdd<(K, V)> {
        let combined = combine_by_key(&self.workers, &self.partitions, &Reduce(f));
        let partition = |entries: Vec<Entry<K, Option<V>>>| {
            Partition::new(move |emit| {
                for entry in &entries {
                    emit((entry.key.clone(), entry.value.clone().expect("a combined value")));
                }
            })
        };
        Rdd::new(combined.into_iter().map(partition).collect(), self.workers)
    }
}
