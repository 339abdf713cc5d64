//! `update_state_by_key`: a state for every key ever seen, passed through a function in every batch.

use super::{
    BatchScope, Chunk, DStream, Data, Key, Operator, OperatorKind, Parent, Partition, Rdd, Stateful, Stored,
    Stream,
    shuffle::{Combine, SHUFFLE_PARTITIONS, combine_by_key, partition_of},
};
use crate::{
    codec,
    ids::{BatchTime, Interval, OperatorId},
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
    parent: Parent<(K, V)>,
    slide: Interval,
    update: F,
    state: Mutex<State<K, S>>,
}

struct State<K, S> {
    shards: Vec<Shard<K, S>>,
    /// The batch that the state is of.
    time: Option<BatchTime>,
}

pub(super) struct Gather;

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
        if !scope.is_due(self.slide) {
            return;
        }
        let mut state = self.lock();
        if state.time == Some(scope.time) {
            return;
        }
        assert!(state.time < Some(scope.time), "the state never goes back");
        let rdd = self.parent.compute(scope);
        let mut gathered = combine_by_key(&rdd.workers, &rdd.partitions, &Gather);
        gathered.resize_with(SHUFFLE_PARTITIONS, Vec::new);
        let work: Vec<_> = std::mem::take(&mut state.shards).into_iter().zip(gathered).collect();
        let idle = work.iter().all(|(shard, gathered)| shard.entries().is_empty() && gathered.is_empty());
        let update = |_, (mut shard, gathered)| {
            self.update_shard(&mut shard, gathered);
            shard
        };
        // Nothing to do is the common case of a quiet night: not worth a thread.
        state.shards = match idle {
            true => work.into_iter().map(|work| update(0, work)).collect(),
            false => rdd.workers.parallel_over(work, update),
        };
        state.time = Some(scope.time);
    }

    fn freeze(&self) -> Vec<Chunk> {
        let chunk = |shard: &Shard<K, S>| {
            let shard = shard.clone();
            Box::new(move || {
                let entries: Vec<_> =
                    shard.entries().iter().map(|entry| (&entry.key, &entry.value)).collect();
                codec::encode(&entries)
            }) as Chunk
        };
        self.lock().shards.iter().filter(|shard| !shard.entries().is_empty()).map(chunk).collect()
    }

    fn restore(&self, chunks: &[&[u8]], hasher: KeyHasher) -> Result<(), String> {
        let mut state = self.lock();
        for chunk in chunks {
            let entries: Vec<(K, S)> = codec::decode(chunk).map_err(|error| error.to_string())?;
            for (key, value) in entries {
                let hash = hasher.hash(&key);
                let shard = &mut state.shards[partition_of(hash)];
                if Table::make_mut(shard).get_or_insert_with(hash, key, || value).1 {
                    return Err("a key stands twice in it".into());
                }
            }
        }
        Ok(())
    }
}

impl<K: Key, V: Data, S: Stored, F> Stream<(K, S)> for UpdateState<K, V, S, F>
where
    F: Fn(Vec<V>, Option<S>) -> Option<S> + Send + Sync,
{
    fn compute(&self, scope: &BatchScope<'_>) -> Rdd<(K, S)> {
        self.advance(scope);
        let state = self.lock();
        let partitions = state
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
            .collect();
        scope.rdd(partitions)
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
        self.stateful(Operator::new(OperatorKind::UpdateStateByKey).schema(schema), |id, parent| {
            let shards = (0..SHUFFLE_PARTITIONS).map(|_| Arc::new(Table::new())).collect();
            let state = Mutex::new(State { shards, time: None });
            UpdateState { id, parent: parent.stream, slide: parent.slide, update, state }
        })
    }
}
