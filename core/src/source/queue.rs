//! A queue of batches, for tests and benches. Each element is one block, and each batch takes one.
//!
//! It is recoverable, unlike Spark's: `create` makes the same queue again, and what was stored before is skipped.

use super::{BlockData, LoadedBlock, NewBlock, Position, Receiver, Source};
use crate::{
    codec,
    dstream::{BatchScope, Partition, Rdd, Stored, Stream},
    env::{BoxFuture, Env},
    error::Result,
    ids::SourceId,
};
use std::{any::Any, path::Path, sync::Arc};

pub(crate) struct QueueSource<T> {
    batches: Vec<Vec<T>>,
}

impl<T: Stored> QueueSource<T> {
    pub fn new(batches: Vec<Vec<T>>) -> Self {
        Self { batches }
    }

    async fn push_all(&self, mut receiver: Receiver) -> Result<()> {
        let stored: u64 = match receiver.position() {
            None => 0,
            Some(position) => receiver.decode_position(position)?,
        };
        for (index, batch) in self.batches.iter().enumerate().skip(stored as usize) {
            let block = NewBlock {
                data: BlockData::Encoded(codec::encode(batch)),
                records: batch.len() as u64,
                position: Some(Position(codec::encode(&(index as u64 + 1)))),
            };
            receiver.store(block).await?;
            if receiver.is_stopping() {
                break;
            }
        }
        receiver.stopping().await;
        Ok(())
    }
}

impl<T: Stored> Source for QueueSource<T> {
    fn receive(self: Arc<Self>, receiver: Receiver) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move { self.push_all(receiver).await })
    }

    fn load<'a>(
        &'a self,
        _env: &'a Env,
        data: Arc<BlockData>,
    ) -> BoxFuture<'a, Result<Arc<dyn Any + Send + Sync>>> {
        Box::pin(async move {
            let BlockData::Encoded(bytes) = &*data else { unreachable!("a queue stores encoded blocks") };
            let records: Vec<T> = codec::decode(bytes)
                .map_err(|error| crate::Error::damaged(Path::new("queue block"), 0, &error))?;
            Ok(Arc::new(records) as Arc<dyn Any + Send + Sync>)
        })
    }

    fn one_block_a_batch(&self) -> bool {
        true
    }
}

/// The stream of a queue: a partition a block.
pub(crate) struct QueueStream<T> {
    source: SourceId,
    record: std::marker::PhantomData<fn() -> T>,
}

impl<T> QueueStream<T> {
    pub fn new(source: SourceId) -> Self {
        Self { source, record: std::marker::PhantomData }
    }
}

impl<T: Stored> Stream<T> for QueueStream<T> {
    fn compute(&self, scope: &BatchScope<'_>) -> Rdd<T> {
        let partition = |block: &LoadedBlock| {
            let records = block.clone().downcast::<Vec<T>>().expect("a queue loads its own records");
            Partition::new(move |emit| records.iter().cloned().for_each(&mut *emit))
        };
        scope.rdd(scope.blocks(self.source).iter().map(partition).collect())
    }
}
