//! Panes in which every key of a batch stands once: those of `reduce_by_key_and_window` and `group_by_key_and_window`.
//!
//! They are split like the result of a shuffle, so that a window brings equal keys together without another one.

use super::node::Panes;
use crate::{
    codec,
    dstream::{
        Chunk, Data, Key, Partition, Rdd, Stored, Workers,
        pieces::pieces,
        shuffle::{Combine, SHUFFLE_PARTITIONS, combine_by_key, partition_of},
    },
    ids::BatchTime,
    state::{Entry, KeyHasher, Table},
};
use std::{marker::PhantomData, ops::Range, sync::Arc};

/// A batch by shuffle partition: each key once, with its values combined.
pub(super) struct KeyedPane<K, C>(Vec<Vec<Entry<K, C>>>);

impl<K: Key, C: Data> KeyedPane<K, C> {
    /// Combines a batch; nothing if there is no record in it.
    pub fn combined<V: Data>(batch: &Rdd<(K, V)>, combine: &impl Combine<V, C>) -> Option<Self> {
        let shards = combine_by_key(&batch.workers, &batch.partitions, combine);
        if shards.iter().all(Vec::is_empty) {
            return None;
        }
        let entry = |Entry { hash, key, value }: Entry<K, Option<C>>| Entry {
            hash,
            key,
            value: value.expect("a combined value"),
        };
        Some(Self(shards.into_iter().map(|shard| shard.into_iter().map(entry).collect()).collect()))
    }

    /// Its keys of one shuffle partition.
    pub fn shard(&self, index: usize) -> &[Entry<K, C>] {
        &self.0[index]
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    /// The pieces in which a snapshot has it: which shuffle partition, and which of its keys.
    pub fn pieces(&self) -> impl Iterator<Item = (usize, Range<usize>)> {
        let shards = self.0.iter().enumerate().filter(|(_, shard)| !shard.is_empty());
        shards.flat_map(|(index, shard)| pieces(shard.len()).map(move |range| (index, range)))
    }

    /// A piece's keys with their values.
    pub fn piece(&self, shard: usize, range: Range<usize>) -> Vec<(&K, &C)> {
        self.0[shard][range].iter().map(|entry| (&entry.key, &entry.value)).collect()
    }

    /// A pane without keys.
    pub fn new() -> Self {
        Self((0..SHUFFLE_PARTITIONS).map(|_| Vec::new()).collect())
    }

    /// Puts the keys of the next piece to it.
    pub fn put(&mut self, piece: Vec<(K, C)>, hasher: KeyHasher) {
        for (key, value) in piece {
            let hash = hasher.hash(&key);
            self.0[partition_of(hash)].push(Entry { hash, key, value });
        }
    }
}

/// A key of several panes: its values combined in the order of the panes, and how many of them have it.
pub(super) struct Merged<'a, K, C> {
    pub hash: u64,
    pub key: &'a K,
    pub value: C,
    pub panes: u32,
}

/// Each key of these lists once, in the order of first appearance.
pub(super) fn merge<'a, K: Key, V: Data, C: Data>(
    lists: &[&'a [Entry<K, C>]],
    combine: &impl Combine<V, C>,
) -> Vec<Merged<'a, K, C>> {
    let merged = |hash, key, value, panes| Merged { hash, key, value, panes };
    if let [only] = lists {
        return only.iter().map(|entry| merged(entry.hash, &entry.key, entry.value.clone(), 1)).collect();
    }
    let mut table: Table<&'a K, (Option<C>, u32)> = Table::new();
    for entry in lists.iter().copied().flatten() {
        let ((slot, panes), _) = table.get_or_insert_with(entry.hash, &entry.key, || (None, 0));
        combine.combined(slot, entry.value.clone());
        *panes += 1;
    }
    let entries = table.into_entries().into_iter();
    entries
        .map(|Entry { hash, key, value: (value, panes) }| {
            merged(hash, key, value.expect("a combined value"), panes)
        })
        .collect()
}

/// What these panes have for a shuffle partition, as far as they have anything.
pub(super) fn lists<K: Key, C: Data>(panes: &[Arc<KeyedPane<K, C>>], shard: usize) -> Vec<&[Entry<K, C>]> {
    panes.iter().map(|pane| pane.shard(shard)).filter(|list| !list.is_empty()).collect()
}

/// Combines the values of a batch, then those of the batches of a window.
pub(super) struct Keyed<K, V, C, M> {
    combine: M,
    types: PhantomData<fn(K, V) -> C>,
}

impl<K, V, C, M> Keyed<K, V, C, M> {
    pub fn new(combine: M) -> Self {
        Self { combine, types: PhantomData }
    }
}

impl<K: Key, V: Data, C: Stored, M: Combine<V, C> + Send + 'static> Panes for Keyed<K, V, C, M> {
    type In = (K, V);
    type Out = (K, C);
    type Pane = KeyedPane<K, C>;
    type Piece = Vec<(K, C)>;

    fn keep(&self, batch: &Rdd<(K, V)>) -> Option<Self::Pane> {
        KeyedPane::combined(batch, &self.combine)
    }

    fn cover(&self, workers: &Workers, panes: &[Arc<Self::Pane>]) -> Vec<Partition<(K, C)>> {
        let partition = |shard| {
            let mut merged = merge::<K, V, C>(&lists(panes, shard), &self.combine);
            merged.sort_by_key(|one| KeyHasher::group(one.hash));
            Partition::of(merged.into_iter().map(|one| (one.key.clone(), one.value)).collect())
        };
        workers.parallel(SHUFFLE_PARTITIONS, partition)
    }

    fn freeze(time: BatchTime, pane: &Arc<Self::Pane>) -> Vec<Chunk> {
        let chunk = |(shard, range)| {
            let pane = pane.clone();
            Box::new(move || codec::encode(&(time, pane.piece(shard, range)))) as Chunk
        };
        pane.pieces().map(chunk).collect()
    }

    fn begin() -> Self::Pane {
        KeyedPane::new()
    }

    fn put(pane: &mut Self::Pane, piece: Self::Piece, hasher: KeyHasher) -> Result<(), String> {
        pane.put(piece, hasher);
        Ok(())
    }
}
