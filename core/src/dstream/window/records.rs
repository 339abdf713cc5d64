//! Panes of the records as they came: those of `window`. A window has its batches' partitions, one after another.

use super::node::Panes;
use crate::{
    codec,
    dstream::{
        Chunk, Partition, Rdd, Stored, Workers,
        pieces::{pieces_of_each, put},
    },
    ids::BatchTime,
    state::KeyHasher,
};
use std::{marker::PhantomData, ops::Range, sync::Arc};

pub(super) struct Records<T>(PhantomData<fn() -> T>);

impl<T> Records<T> {
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Stored> Panes for Records<T> {
    type In = T;
    type Out = T;
    /// The records of each partition.
    type Pane = Vec<Vec<T>>;
    /// Of which partition, and records of it.
    type Piece = (u32, Vec<T>);

    fn keep(&self, batch: &Rdd<T>) -> Option<Self::Pane> {
        // A batch may have partitions and no records: `glom` would show them.
        (batch.num_partitions() > 0).then(|| batch.to_vecs())
    }

    fn cover(&self, _workers: &Workers, panes: &[Arc<Self::Pane>]) -> Vec<Partition<T>> {
        let partitions = |pane: &Arc<Self::Pane>| {
            let pane = pane.clone();
            (0..pane.len()).map(move |index| {
                let pane = pane.clone();
                Partition::new(move |emit| pane[index].iter().cloned().for_each(&mut *emit))
            })
        };
        panes.iter().flat_map(partitions).collect()
    }

    fn freeze(time: BatchTime, pane: &Arc<Self::Pane>) -> Vec<Chunk> {
        let lengths: Vec<usize> = pane.iter().map(Vec::len).collect();
        let chunk = |(partition, range): (u32, Range<usize>)| {
            let pane = pane.clone();
            Box::new(move || codec::encode(&(time, (partition, &pane[partition as usize][range])))) as Chunk
        };
        pieces_of_each(&lengths).map(chunk).collect()
    }

    fn begin() -> Self::Pane {
        Vec::new()
    }

    fn put(
        pane: &mut Self::Pane,
        (partition, records): Self::Piece,
        _hasher: KeyHasher,
    ) -> Result<(), String> {
        put(pane, partition, records)
    }
}
