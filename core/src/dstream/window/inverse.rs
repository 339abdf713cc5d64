//! A window by an inverse: at each slide it takes off what left and adds what came, so that it costs by these and not by its
//! length.
//!
//! The table is part of every snapshot, though the panes are in it, too. It is not a function of the panes: a key may be there
//! at its neutral value long after its last pane left; a sum of floating point numbers depends on all that was ever added and
//! taken off; and its order is that in which the keys appeared.

use super::{
    held::HeldKeys,
    keyed::{KeyedPane, lists, merge},
    span::Span,
};
use crate::{
    codec,
    dstream::{
        BatchScope, Chunk, Key, Parent, Partition, Rdd, Stateful, Stored, Stream, Workers, pieces::pieces,
        rdd::Reduce, shuffle::SHUFFLE_PARTITIONS,
    },
    ids::{BatchTime, OperatorId},
    state::KeyHasher,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
};

pub(super) struct InverseWindow<K, V, F, I, P> {
    pub id: OperatorId,
    pub parent: Parent<(K, V)>,
    pub span: Span,
    pub add: F,
    pub take_off: I,
    pub filter: Arc<P>,
    pub state: Mutex<State<K, V>>,
}

pub(super) struct State<K, V> {
    /// By shuffle partition. A consumer or a snapshot may still read what the next slide replaces, hence the shared pointers.
    shards: Vec<Arc<HeldKeys<K, V>>>,
    /// In the order of their times: those in the table, then those that wait for the next slide.
    panes: VecDeque<Pane<K, V>>,
    /// The batch that the state is of.
    time: Option<BatchTime>,
}

struct Pane<K, V> {
    time: BatchTime,
    /// Whether it is in the table.
    added: bool,
    keys: Arc<KeyedPane<K, V>>,
}

/// A chunk of a snapshot.
#[derive(Serialize, Deserialize)]
enum Part<K, V> {
    /// Keys of the table, in their order, each with its value and the number of its panes.
    Held(Vec<(K, V, u32)>),
    /// Keys of a pane, in their order. Those of one pane follow one another.
    Pane { time: BatchTime, added: bool, keys: Vec<(K, V)> },
}

impl<K: Key, V: Stored> State<K, V> {
    pub fn new() -> Self {
        let shards = (0..SHUFFLE_PARTITIONS).map(|_| Arc::new(HeldKeys::new())).collect();
        Self { shards, panes: VecDeque::new(), time: None }
    }
}

impl<K: Key, V: Stored, F, I, P> InverseWindow<K, V, F, I, P>
where
    F: Fn(V, V) -> V + Send + Sync,
    I: Fn(V, V) -> V + Send + Sync,
    P: Fn(&K, &V) -> bool + Send + Sync,
{
    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        // A panic of the author's function ends the driver: nobody comes after it.
        self.state.lock().expect("the window is not used after a panic")
    }

    /// Brings the table to the window that ends now.
    fn slide(&self, state: &mut State<K, V>, now: BatchTime, workers: &Workers) {
        let mut left = Vec::new();
        while state.panes.front().is_some_and(|pane| self.span.is_behind(pane.time, now)) {
            // One that was never added came and went between two slides: those between were passed over.
            left.extend(state.panes.pop_front().filter(|pane| pane.added).map(|pane| pane.keys));
        }
        let waiting = state.panes.iter_mut().rev().take_while(|pane| !pane.added);
        let mut came: Vec<_> = waiting
            .map(|pane| {
                pane.added = true;
                pane.keys.clone()
            })
            .collect();
        came.reverse();
        if left.is_empty() && came.is_empty() {
            return;
        }
        let reduce = Reduce(&self.add);
        let shards = std::mem::take(&mut state.shards);
        state.shards = workers.parallel_over(shards, |index, mut shard| {
            let (left, came) = (lists(&left, index), lists(&came, index));
            if !left.is_empty() || !came.is_empty() {
                let (left, came) = (merge::<K, V, V>(&left, &reduce), merge::<K, V, V>(&came, &reduce));
                let filter = |key: &K, value: &V| (self.filter)(key, value);
                Arc::make_mut(&mut shard).slide(left, came, &self.add, &self.take_off, filter);
            }
            shard
        });
    }
}

impl<K: Key, V: Stored, F, I, P> Stateful for InverseWindow<K, V, F, I, P>
where
    F: Fn(V, V) -> V + Send + Sync,
    I: Fn(V, V) -> V + Send + Sync,
    P: Fn(&K, &V) -> bool + Send + Sync,
{
    fn id(&self) -> OperatorId {
        self.id
    }

    fn advance(&self, scope: &BatchScope<'_>) {
        if !scope.is_due(self.span.parent) {
            return;
        }
        let mut state = self.lock();
        if state.time == Some(scope.time) {
            return;
        }
        assert!(state.time < Some(scope.time), "a window never goes back");
        let batch = self.parent.compute(scope);
        if let Some(keys) = KeyedPane::combined(&batch, &Reduce(&self.add)) {
            state.panes.push_back(Pane { time: scope.time, added: false, keys: Arc::new(keys) });
        }
        if scope.is_due(self.span.slide) {
            self.slide(&mut state, scope.time, &scope.workers);
        }
        state.time = Some(scope.time);
    }

    fn freeze(&self) -> Vec<Chunk> {
        let state = self.lock();
        let held = state.shards.iter().filter(|shard| !shard.is_empty()).flat_map(|shard| {
            pieces(shard.len()).map(move |range| {
                let shard = shard.clone();
                Box::new(move || codec::encode(&Part::Held(shard.range(range).collect()))) as Chunk
            })
        });
        let panes = state.panes.iter().flat_map(|pane| {
            let (time, added) = (pane.time, pane.added);
            pane.keys.pieces().map(move |(shard, range)| {
                let keys = pane.keys.clone();
                let part = move || codec::encode(&Part::Pane { time, added, keys: keys.piece(shard, range) });
                Box::new(part) as Chunk
            })
        });
        held.chain(panes).collect()
    }

    fn restore(&self, chunks: &[&[u8]], hasher: KeyHasher) -> Result<(), String> {
        let (mut held, mut panes) = (Vec::new(), Vec::<(BatchTime, bool, KeyedPane<K, V>)>::new());
        for chunk in chunks {
            match codec::decode(chunk).map_err(|error| error.to_string())? {
                Part::Held(keys) => held.extend(keys),
                Part::Pane { time, added, keys } => {
                    // Those in the table come before those that are not.
                    match panes.last().map(|(last, was_added, _)| (*last, *was_added)) {
                        Some((last, was_added)) if last > time || (added && !was_added) => {
                            return Err("the batches of the window are out of order in it".into());
                        }
                        Some(last) if last == (time, added) => {}
                        Some((last, _)) if last == time => {
                            return Err("a batch of the window is in its table only in part".into());
                        }
                        _ => panes.push((time, added, KeyedPane::new())),
                    }
                    let (_, _, pane) = panes.last_mut().expect("it is there or was begun");
                    pane.put(keys, hasher);
                }
            }
        }
        let added: u64 = held.iter().map(|(_, _, panes)| u64::from(*panes)).sum();
        let inside = panes.iter().filter(|(_, added, _)| *added).map(|(_, _, keys)| keys.len() as u64);
        if added != inside.sum::<u64>() {
            return Err("its table is not of its batches".into());
        }
        let mut state = self.lock();
        let pane = |(time, added, keys)| Pane { time, added, keys: Arc::new(keys) };
        state.panes = panes.into_iter().map(pane).collect();
        state.shards = HeldKeys::of_entries(held, hasher)?.into_iter().map(Arc::new).collect();
        Ok(())
    }
}

impl<K: Key, V: Stored, F, I, P> Stream<(K, V)> for InverseWindow<K, V, F, I, P>
where
    F: Fn(V, V) -> V + Send + Sync,
    I: Fn(V, V) -> V + Send + Sync,
    P: Fn(&K, &V) -> bool + Send + Sync + 'static,
{
    fn compute(&self, scope: &BatchScope<'_>) -> Rdd<(K, V)> {
        self.advance(scope);
        let state = self.lock();
        let partition = |shard: &Arc<HeldKeys<K, V>>| {
            let (shard, filter) = (shard.clone(), self.filter.clone());
            Partition::new(move |emit| {
                let wanted = shard.iter().filter(|(key, value, _)| filter(key, value));
                wanted.for_each(|(key, value, _)| emit((key.clone(), value.clone())));
            })
        };
        scope.rdd(state.shards.iter().filter(|shard| !shard.is_empty()).map(partition).collect())
    }
}
