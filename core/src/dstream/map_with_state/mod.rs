//! `map_with_state`: records mapped by a function that also keeps a state for each key, with time-outs.
//!
//! A batch costs what comes in it and what times out in it, however many keys there are.

mod spec;
mod time_outs;
mod tracked;

pub use spec::{State, StateSpec};

use super::{
    BatchScope, Chunk, DStream, Data, Key, Operator, OperatorKind, Parent, Partition, Rdd, Stateful, Stored,
    Stream,
    scatter::scatter,
    shuffle::{SHUFFLE_PARTITIONS, partition_of},
    update_state::partitions_of,
};
use crate::{
    codec,
    ids::{BatchTime, Interval, OperatorId},
    state::{KeyHasher, Run},
};
use std::{
    any::type_name,
    sync::{Arc, Mutex, MutexGuard},
};
use tracked::{Rules, Shard, Tracked};

struct Node<K, V, S, U> {
    id: OperatorId,
    parent: Parent<(K, V)>,
    slide: Interval,
    rules: Rules<K, V, S, U>,
    kept: Mutex<Kept<K, S, U>>,
}

struct Kept<K, S, U> {
    /// What the states begin with, until they do; nothing if they were restored.
    initial: Vec<(K, S)>,
    /// By shuffle partition.
    shards: Vec<Shard<K, S>>,
    /// The batch that the states are of, in this life.
    time: Option<BatchTime>,
    /// Since when idle keys have been idle is told from here: no key was touched later.
    now: BatchTime,
    /// The batch's mapped records, by shuffle partition; none after the next batch has begun.
    mapped: Vec<Arc<Vec<U>>>,
}

impl<K: Key, V: Data, S: Stored, U: Data> Node<K, V, S, U> {
    fn lock(&self) -> MutexGuard<'_, Kept<K, S, U>> {
        // A panic of the author's function ends the driver: nobody comes after it.
        self.kept.lock().expect("the state is not used after a panic")
    }

    /// Puts in what the states begin with.
    fn begin(&self, kept: &mut Kept<K, S, U>, scope: &BatchScope<'_>) {
        if kept.initial.is_empty() {
            return;
        }
        let touched = scope.zero_time.next(self.slide);
        kept.now = touched;
        for (key, state) in std::mem::take(&mut kept.initial) {
            let hash = scope.workers.hasher.hash(&key);
            kept.shards[partition_of(hash)].set(hash, key, Tracked { touched, state });
        }
        kept.shards.iter_mut().for_each(|shard| shard.begin(&self.rules));
    }

    /// A run's states, each with the number of slides for which its key has been idle at `now`, if that counts.
    fn encode(&self, run: Run<K, Tracked<S>>, now: BatchTime) -> Chunk {
        let slide_ms = self.rules.time_out.map(|_| self.slide.millis());
        Box::new(move || {
            let entry = |(key, tracked)| {
                let Tracked { touched, state }: &Tracked<S> = tracked;
                let idle = slide_ms.map_or(0, |slide_ms| now.0.saturating_sub(touched.0) / slide_ms);
                (key, state, idle)
            };
            codec::encode(&(now, run.entries().map(entry).collect::<Vec<(&K, &S, u64)>>()))
        })
    }
}

impl<K: Key, V: Data, S: Stored, U: Data> Stateful for Node<K, V, S, U> {
    fn id(&self) -> OperatorId {
        self.id
    }

    fn advance(&self, scope: &BatchScope<'_>) {
        let mut kept = self.lock();
        if kept.time == Some(scope.time) {
            return;
        }
        assert!(kept.time < Some(scope.time), "the state never goes back");
        self.begin(&mut kept, scope);
        // They may hold on to the blocks that they came from.
        kept.mapped.clear();
        if !scope.is_due(self.slide) {
            return;
        }
        let rdd = self.parent.compute(scope);
        let arrivals = scatter(&rdd.workers, &rdd.partitions);
        let work: Vec<_> = std::mem::take(&mut kept.shards).into_iter().zip(arrivals).collect();
        let threshold = self.rules.threshold(scope.time);
        let idle = work.iter().all(|(shard, arrivals)| arrivals.is_empty() && !shard.is_due(threshold));
        let run = |_, (mut shard, arrivals): (Shard<K, S>, _)| {
            let mapped = shard.run(scope.time, arrivals, &self.rules);
            (shard, Arc::new(mapped))
        };
        // Nothing to do is the common case of a quiet night: not worth a thread.
        let done = match idle {
            true => work.into_iter().map(|work| run(0, work)).collect(),
            false => rdd.workers.parallel_over(work, run),
        };
        (kept.shards, kept.mapped) = done.into_iter().unzip();
        kept.time = Some(scope.time);
        kept.now = scope.time;
    }

    fn freeze(&self) -> Vec<Chunk> {
        let kept = self.lock();
        let runs = kept.shards.iter().flat_map(|shard| shard.slots.runs());
        runs.map(|run| self.encode(run, kept.now)).collect()
    }

    fn restore(&self, chunks: &[&[u8]], hasher: KeyHasher) -> Result<(), String> {
        let mut kept = self.lock();
        kept.initial.clear();
        for chunk in chunks {
            let (now, entries): (BatchTime, Vec<(K, S, u64)>) =
                codec::decode(chunk).map_err(|error| error.to_string())?;
            kept.now = now;
            for (key, state, idle) in entries {
                let before = idle.checked_mul(self.slide.millis()).and_then(|ms| now.0.checked_sub(ms));
                let touched = BatchTime(before.ok_or("a key was idle since before 1970")?);
                let hash = hasher.hash(&key);
                let shard = &mut kept.shards[partition_of(hash)];
                if shard.slots.find(hash, &key).is_some() {
                    return Err("a key stands twice in it".into());
                }
                shard.set(hash, key, Tracked { touched, state });
            }
        }
        kept.shards.iter_mut().for_each(|shard| shard.begin(&self.rules));
        Ok(())
    }
}

impl<K: Key, V: Data, S: Stored, U: Data> Stream<U> for Node<K, V, S, U> {
    fn compute(&self, scope: &BatchScope<'_>) -> Rdd<U> {
        self.advance(scope);
        let partition = |mapped: &Arc<Vec<U>>| {
            let mapped = mapped.clone();
            Partition::new(move |emit| mapped.iter().cloned().for_each(&mut *emit))
        };
        let kept = self.lock();
        scope.rdd(kept.mapped.iter().filter(|mapped| !mapped.is_empty()).map(partition).collect())
    }
}

/// The states of a node as a stream.
struct Snapshots<K, V, S, U>(Arc<Node<K, V, S, U>>);

impl<K: Key, V: Data, S: Stored, U: Data> Stream<(K, S)> for Snapshots<K, V, S, U> {
    fn compute(&self, scope: &BatchScope<'_>) -> Rdd<(K, S)> {
        self.0.advance(scope);
        let kept = self.0.lock();
        let shards = kept.shards.iter().filter(|shard| !shard.slots.is_empty());
        let runs = shards.map(|shard| shard.slots.runs());
        scope.rdd(partitions_of(runs, |key, tracked: &Tracked<S>| (key.clone(), tracked.state.clone())))
    }
}

/// What [`map_with_state`](DStream::map_with_state) makes: Spark's `MapWithStateDStream`.
pub struct MapWithState<K, V, S, U> {
    mapped: DStream<U>,
    node: Arc<Node<K, V, S, U>>,
}

impl<K, V, S, U> std::fmt::Debug for MapWithState<K, V, S, U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MapWithState(operator {})", self.node.id)
    }
}

impl<K: Key, V: Data, S: Stored, U: Data> MapWithState<K, V, S, U> {
    /// What the function made of the records and the time-outs of each batch. By partition of the keys; in a partition first
    /// the records' in the order in which they were received, then the time-outs', the longest idle key first.
    pub fn mapped(&self) -> DStream<U> {
        self.mapped.clone()
    }

    /// In each batch every key that has a state then, with it: by partition, and there in the order in which the keys came
    /// first, or came back.
    pub fn state_snapshots(&self) -> DStream<(K, S)> {
        let DStream { builder, id, slide, .. } = self.mapped();
        let id = builder.lock().add(OperatorKind::StateSnapshots.into(), &[id]);
        DStream { builder, id, slide, stream: Arc::new(Snapshots(self.node.clone())) }
    }
}

impl<K: Key, V: Data> DStream<(K, V)> {
    /// Maps every record by a function that also reads and changes a state of the record's key, as `spec` says.
    ///
    /// Unlike [`update_state_by_key`](Self::update_state_by_key), keys without records are not touched, so a batch costs what
    /// comes in it.
    pub fn map_with_state<S: Stored, U: Data>(self, spec: StateSpec<K, V, S, U>) -> MapWithState<K, V, S, U> {
        let StateSpec { function, initial, time_out } = spec;
        let schema = format!("{} -> {}", type_name::<K>(), type_name::<S>());
        let parameters = time_out.map_or_else(String::new, |idle| format!("timeout {idle}"));
        let operator = Operator::new(OperatorKind::MapWithState).parameters(parameters).schema(schema);
        let DStream { builder, id: parent, slide, stream } = self;
        let id = builder.lock().add(operator, &[parent]);
        let shards = (0..SHUFFLE_PARTITIONS).map(|_| Shard::new()).collect();
        let kept = Mutex::new(Kept { initial, shards, time: None, now: BatchTime(0), mapped: Vec::new() });
        let rules = Rules { function, time_out };
        let node = Arc::new(Node { id, parent: stream, slide, rules, kept });
        builder.lock().add_stateful(node.clone());
        MapWithState { mapped: DStream { builder, id, slide, stream: node.clone() }, node }
    }
}

#[cfg(test)]
mod tests;
