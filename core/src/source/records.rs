//! Records that are stored as values: encoded in the journal, decoded once a batch.

use super::{BlockData, LoadedBlock};
use crate::{
    codec,
    dstream::{BatchScope, Partition, Rdd, Stored, Stream},
    error::{Error, Result},
    ids::SourceId,
};
use std::{marker::PhantomData, path::Path, sync::Arc};

/// The block of these records.
pub(super) fn encode<T: Stored>(records: &[T]) -> BlockData {
    BlockData::Encoded(codec::encode(records))
}

/// The records of a block that [`encode`] made.
///
/// # Errors
/// [`Error::Damaged`] if they are not of this type: what they were read from is whole, so their `Deserialize` does not take what
/// their `Serialize` gave.
pub(super) fn decode<T: Stored>(data: &BlockData) -> Result<LoadedBlock> {
    let BlockData::Encoded(bytes) = data else { unreachable!("it is stored as encoded records") };
    let what = format!("a block of {}", std::any::type_name::<T>());
    let records: Vec<T> =
        codec::decode(bytes).map_err(|error| Error::damaged(Path::new(&what), 0, &error))?;
    Ok(Arc::new(records))
}

/// A stream of such blocks. Of a block of n records and p partitions, partition j has the positions from j * n / p to
/// (j + 1) * n / p; some may be empty.
pub(crate) struct RecordStream<T> {
    source: SourceId,
    partitions: usize,
    record: PhantomData<fn() -> T>,
}

impl<T> RecordStream<T> {
    pub fn new(source: SourceId, partitions: usize) -> Self {
        Self { source, partitions, record: PhantomData }
    }
}

impl<T: Stored> Stream<T> for RecordStream<T> {
    fn compute(&self, scope: &BatchScope<'_>) -> Rdd<T> {
        let blocks = scope.blocks(self.source).iter().flat_map(|block| {
            let records = block.clone().downcast::<Vec<T>>().expect("a source loads its own records");
            let count = self.partitions;
            (0..count).map(move |index| {
                let records = records.clone();
                let range = index * records.len() / count..(index + 1) * records.len() / count;
                Partition::new(move |emit| records[range.clone()].iter().cloned().for_each(&mut *emit))
            })
        });
        scope.rdd(blocks.collect())
    }
}
