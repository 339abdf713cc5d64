//! `update_state_by_key`: a state for every key ever seen, passed through a function in every batch.
//!
//! A batch costs one pass over all keys, in place, and a look-up for each key that has records.

use super::{
    BatchScope, Chunk, DStream, Data, Key, Operator, OperatorKind, Parent, Partition, Rdd, Stateful, Stored,
    Stream,
    scatter::{Arrivals, scatter},
    shuffle::{SHUFFLE_PARTITIONS, partition_of},
};
use crate::{
    codec,
    ids::{BatchTime, Interval, OperatorId},
    state::{KeyHasher, Run, Slots},
};
use std::{
    any::type_name,
    sync::{Mutex, MutexGuard},
};

struct UpdateState<K, V, S, F> {
    id: OperatorId,
    parent: Parent<(K, V)>,
    slide: Interval,
    update: F,
    state: Mutex<State<K, S>>,
}

struct State<K, S> {
    /// What the state begins with, until it does; nothing if it was restored.
    initial: Vec<(K, S)>,
    /// By shuffle partition.
    shards: Vec<Slots<K, S>>,
    /// The batch that the state is of.
    time: Option<BatchTime>,
}

impl<K: Key, S: Stored> State<K, S> {
    fn begin(&mut self, hasher: KeyHasher) {
        for (key, state) in std::mem::take(&mut self.initial) {
            let hash = hasher.hash(&key);
            let slots = &mut self.shards[partition_of(hash)];
            if slots.find(hash, &key).is_none() {
                slots.insert(hash, key, Some(state));
            }
        }
    }
}

impl<K: Key, V: Data, S: Stored, F> UpdateState<K, V, S, F>
where
    F: Fn(Vec<V>, Option<S>) -> Option<S> + Send + Sync,
{
    fn lock(&self) -> MutexGuard<'_, State<K, S>> {
        // A panic of the author's function ends the driver: nobody comes after it.
        self.state.lock().expect("the state is not used after a panic")
    }

    /// Known keys first, in their order, each with the batch's values or none; then the new ones, in the batch's order.
    fn update_shard(&self, slots: &mut Slots<K, S>, arrivals: Vec<Arrivals<K, V>>) {
        let known = slots.end();
        let mut values = Vec::with_capacity(arrivals.iter().map(|one| one.records.len()).sum());
        for Arrivals { keys, records } in arrivals {
            let positions: Vec<_> = keys
                .into_iter()
                .map(|(hash, key)| slots.find(hash, &key).unwrap_or_else(|| slots.insert(hash, key, None)))
                .collect();
            values.extend(records.into_iter().map(|(key, value)| (positions[key as usize], value)));
        }
        // Stable: a key's values stay in the order in which they came.
        values.sort_by_key(|(position, _)| *position);
        let mut values = values.into_iter().peekable();
        slots.update_all(known, |position, state| {
            let mut of_key = Vec::new();
            while let Some((_, value)) = values.next_if(|(at, _)| *at == position) {
                of_key.push(value);
            }
            (self.update)(of_key, state)
        });
        slots.pack();
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
        state.begin(scope.workers.hasher);
        if !scope.is_due(self.slide) || state.time == Some(scope.time) {
            return;
        }
        assert!(state.time < Some(scope.time), "the state never goes back");
        let rdd = self.parent.compute(scope);
        let arrivals = scatter(&rdd.workers, &rdd.partitions);
        let work: Vec<_> = std::mem::take(&mut state.shards).into_iter().zip(arrivals).collect();
        let idle = work.iter().all(|(slots, arrivals)| slots.is_empty() && arrivals.is_empty());
        let update = |_, (mut slots, arrivals)| {
            self.update_shard(&mut slots, arrivals);
            slots
        };
        // Nothing to do is the common case of a quiet night: not worth a thread.
        state.shards = match idle {
            true => work.into_iter().map(|work| update(0, work)).collect(),
            false => rdd.workers.parallel_over(work, update),
        };
        state.time = Some(scope.time);
    }

    fn freeze(&self) -> Vec<Chunk> {
        let chunk = |run: Run<K, S>| {
            Box::new(move || codec::encode(&run.entries().collect::<Vec<(&K, &S)>>())) as Chunk
        };
        self.lock().shards.iter().flat_map(Slots::runs).map(chunk).collect()
    }

    fn restore(&self, chunks: &[&[u8]], hasher: KeyHasher) -> Result<(), String> {
        let mut state = self.lock();
        state.initial.clear();
        for chunk in chunks {
            let entries: Vec<(K, S)> = codec::decode(chunk).map_err(|error| error.to_string())?;
            for (key, value) in entries {
                let hash = hasher.hash(&key);
                let slots = &mut state.shards[partition_of(hash)];
                if slots.find(hash, &key).is_some() {
                    return Err("a key stands twice in it".into());
                }
                slots.insert(hash, key, Some(value));
            }
        }
        Ok(())
    }
}

/// The entries of a state's shards as a stream's records: a partition for each that has any.
pub(super) fn partitions_of<K: Key, V: Data, T: 'static>(
    shards: impl Iterator<Item = Vec<Run<K, V>>>,
    record: impl Fn(&K, &V) -> T + Clone + Send + Sync + 'static,
) -> Vec<Partition<T>> {
    let partition = |runs: Vec<Run<K, V>>| {
        let record = record.clone();
        Partition::new(move |emit| {
            runs.iter().flat_map(Run::entries).for_each(|(key, value)| emit(record(key, value)));
        })
    };
    shards.map(partition).collect()
}

impl<K: Key, V: Data, S: Stored, F> Stream<(K, S)> for UpdateState<K, V, S, F>
where
    F: Fn(Vec<V>, Option<S>) -> Option<S> + Send + Sync,
{
    fn compute(&self, scope: &BatchScope<'_>) -> Rdd<(K, S)> {
        self.advance(scope);
        let state = self.lock();
        let shards = state.shards.iter().filter(|slots| !slots.is_empty()).map(Slots::runs);
        scope.rdd(partitions_of(shards, |key, state| (key.clone(), state.clone())))
    }
}

impl<K: Key, V: Data> DStream<(K, V)> {
    /// A state for every key: in each batch `update` gets the key's new values (none, if there are none) and its state so
    /// far, and returns the new state, or `None` to forget the key. The stream holds every key's state in every batch, by
    /// partition, and there in the order in which the keys came first.
    ///
    /// `update` is called for every known key in every batch, as in Spark. It must be a function of its arguments alone; if it
    /// panics, the driver ends with [`Error::Batch`](crate::Error::Batch). Where a batch has many records of few keys,
    /// [`reduce_by_key`](Self::reduce_by_key) before it saves memory.
    pub fn update_state_by_key<S: Stored>(
        self,
        update: impl Fn(Vec<V>, Option<S>) -> Option<S> + Send + Sync + 'static,
    ) -> DStream<(K, S)> {
        self.update_state_by_key_with_initial_state([], update)
    }

    /// As [`update_state_by_key`](Self::update_state_by_key), with states that are there before the first batch. Of several
    /// for one key the first counts.
    ///
    /// Once a snapshot was written, a later start has the state from it and nothing from `initial`; until then it begins with
    /// `initial` again, so that must be the same at every start.
    pub fn update_state_by_key_with_initial_state<S: Stored>(
        self,
        initial: impl IntoIterator<Item = (K, S)>,
        update: impl Fn(Vec<V>, Option<S>) -> Option<S> + Send + Sync + 'static,
    ) -> DStream<(K, S)> {
        let schema = format!("{} -> {}", type_name::<K>(), type_name::<S>());
        let initial = initial.into_iter().collect();
        self.stateful(Operator::new(OperatorKind::UpdateStateByKey).schema(schema), |id, parent| {
            let shards = (0..SHUFFLE_PARTITIONS).map(|_| Slots::new()).collect();
            let state = Mutex::new(State { initial, shards, time: None });
            UpdateState { id, parent: parent.stream, slide: parent.slide, update, state }
        })
    }
}

#[cfg(test)]
mod tests;
