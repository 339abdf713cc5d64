//! Panes of the records as they came: those of `window`. A window has its batches' partitions, one after another.

use super::node::Panes;
use crate::{
    codec,
    dstream::{Partition, Rdd, Stored, Workers},
    ids::BatchTime,
    state::KeyHasher,
};
use std::{marker::PhantomData, sync::Arc};

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

    fn encode(time: BatchTime, pane: &Self::Pane) -> Vec<u8> {
        codec::encode(&(time, pane))
    }

    fn decode(chunk: &[u8], _hasher: KeyHasher) -> Result<(BatchTime, Self::Pane), String> {
        codec::decode(chunk).map_err(|error| error.to_string())
    }
}
