//! `update_state_by_key`: a state for every key ever seen, passed through a function in every batch.

use super::{
    BatchScope, DStream, Data, Key, OperatorKind, Partition, Stateful, Stored, Stream,
    shuffle::{Combine, SHUFFLE_PARTITIONS, combine_by_key, partition_of},
};
use crate::{
    codec,
    ids::{BatchTime, OperatorId},
    state::{Entry, KeyHasher, Table},
};
use std::{
    any::type_name,
    sync::{Arc, Mutex, MutexGuard},
};

/// The state of one shuffle partition's key groups. A consumer of a batch may still read the table that the next batch
/// replaces, hence the shared pointer; it is copied only then.
type Shard<K, S> = Arc<Table<K, S>>;

struct UpdateState<K, V, S, F> {
    id: OperatorId,
    parent: Arc<dyn Stream<(K, V)>>,
    update: F,
    state: Mutex<State<K, S>>,
}

struct State<K, S> {
    shards: Vec<Shard<K, S>>,
    /// The batch that the state is of.
    time: Option<BatchTime>,
}

struct Gather;

impl<V: Data> Combine<V, Vec<V>> for Gather {
    fn value(&self, slot: &mut Option<Vec<V>>, value: V) {
        slot.get_or_insert_default().push(value);
    }

    fn combined(&self, slot: &mut Option<Vec<V>>, later: Vec<V>) {
        slot.get_or_insert_default().extend(later);
    }
}

type Gathered<K, V> = Vec<Entry<K, Option<Vec<V>>>>;

impl<K: Key, V: Data, S: Stored, F> UpdateState<K, V, S, F>
where
    F: Fn(Vec<V>, Option<S>) -> Option<S> + Send + Sync,
{
    fn lock(&self) -> MutexGuard<'_, State<K, S>> {
        // A panic of the author's function ends the driver: nobody comes after it.
        self.state.lock().expect("the state is not used after a panic")
    }

    /// Known keys first, in their order, each with the batch's values or none; then the new ones, in the batch's order.
    fn update_shard(&self, shard: &mut Shard<K, S>, gathered: Gathered<K, V>) {
        let table = Table::make_mut(shard);
        let mut known: Vec<Option<Vec<V>>> = Vec::new();
        known.resize_with(table.entries().len(), || None);
        let mut new = Vec::new();
        for Entry { hash, key, value } in gathered {
            match table.position(hash, &key) {
                Some(position) => known[position] = value,
                None => new.push((hash, key, value.expect("gathered values"))),
            }
        }
        table.retain_map(|position, state| {
            (self.update)(known[position].take().unwrap_or_default(), Some(state))
        });
        for (hash, key, values) in new {
            if let Some(state) = (self.update)(values, None) {
                table.get_or_insert_with(hash, key, || state);
            }
        }
    }
}

impl<K: Key, V: Data, S: Stored, F> Stateful for UpdateState<K, V, S, F>
where
    F: Fn(Vec<V>, Option<S>) -> Option<S> + Send + Sync,
{
    fn id(&self) -> OperatorId {
        self.id
    }

    fn advance(&self, scope: &BatchScope<'_>) {
        let mut state = self.lock();
        if state.time == Some(scope.time) {
            return;
        }
        assert!(state.time < Some(scope.time), "the state never goes back");
        let mut gathered = combine_by_key(scope, &self.parent.partitions(scope), &Gather);
        gathered.resize_with(SHUFFLE_PARTITIONS, Vec::new);
        let work: Vec<_> = std::mem::take(&mut state.shards)
            .into_iter()
            .zip(gathered)
            .map(|work| Mutex::new(Some(work)))
            .collect();
        let idle = work.iter().all(|work| {
            let work = work.lock().expect("not shared yet");
            work.as_ref().is_some_and(|(shard, gathered)| shard.entries().is_empty() && gathered.is_empty())
        });
        let update = |index: usize| {
            let (mut shard, gathered) = work[index].lock().expect("taken once").take().expect("taken once");
            self.update_shard(&mut shard, gathered);
            shard
        };
        // Nothing to do is the common case of a quiet night: not worth a thread.
        state.shards = match idle {
            true => (0..SHUFFLE_PARTITIONS).map(update).collect(),
            false => scope.parallel(SHUFFLE_PARTITIONS, update),
        };
        state.time = Some(scope.time);
    }

    fn snapshot(&self) -> Vec<Vec<u8>> {
        let chunk = |shard: &Shard<K, S>| {
            let entries: Vec<_> = shard.entries().iter().map(|entry| (&entry.key, &entry.value)).collect();
            codec::encode(&entries)
        };
        self.lock().shards.iter().filter(|shard| !shard.entries().is_empty()).map(chunk).collect()
    }

    fn restore(&self, chunk: &[u8], hasher: KeyHasher) -> Result<(), String> {
        let entries: Vec<(K, S)> = codec::decode(chunk).map_err(|error| error.to_string())?;
        let mut state = self.lock();
        for (key, value) in entries {
            let hash = hasher.hash(&key);
            let shard = &mut state.shards[partition_of(hash)];
            if Table::make_mut(shard).get_or_insert_with(hash, key, || value).1 {
                return Err("a key stands twice in it".into());
            }
        }
        Ok(())
    }
}

impl<K: Key, V: Data, S: Stored, F> Stream<(K, S)> for UpdateState<K, V, S, F>
where
    F: Fn(Vec<V>, Option<S>) -> Option<S> + Send + Sync,
{
    fn partitions(&self, scope: &BatchScope<'_>) -> Vec<Partition<(K, S)>> {
        self.advance(scope);
        let state = self.lock();
        state
            .shards
            .iter()
            .filter(|shard| !shard.entries().is_empty())
            .map(|shard| {
                let shard = shard.clone();
                Partition::new(move |emit| {
                    for entry in shard.entries() {
                        emit((entry.key.clone(), entry.value.clone()));
                    }
                })
            })
            .collect()
    }
}

impl<K: Key, V: Data> DStream<(K, V)> {
    /// A state for every key: in each batch `update` gets the key's new values (none, if there are none) and its state so
    /// far, and returns the new state, or `None` to forget the key. The stream holds every key's state in every batch.
    ///
    /// `update` is called for every known key in every batch, as in Spark. It must be a function of its arguments alone.
    pub fn update_state_by_key<S: Stored>(
        self,
        update: impl Fn(Vec<V>, Option<S>) -> Option<S> + Send + Sync + 'static,
    ) -> DStream<(K, S)> {
        let schema = format!("{} -> {}", type_name::<K>(), type_name::<S>());
        let mut builder = self.builder.lock();
        let id = builder.add(OperatorKind::UpdateStateByKey, &[self.id], String::new(), schema);
        let shards = (0..SHUFFLE_PARTITIONS).map(|_| Arc::new(Table::new())).collect();
        let state = Mutex::new(State { shards, time: None });
        let node = Arc::new(UpdateState { id, parent: self.stream, update, state });
        builder.add_stateful(node.clone());
        drop(builder);
        DStream { builder: self.builder, id, stream: node }
    }
}
