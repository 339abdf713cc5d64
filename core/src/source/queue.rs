//! A queue of batches, for tests and benches. Each element is one block, and each batch takes one.
//!
//! It is recoverable, unlike Spark's: `create` makes the same queue again, and what was stored before is skipped.

use super::{
    BlockData, LoadedBlock, NewBlock, Position, ReceiverSupervisor, Source,
    records::{decode, encode},
};
use crate::{
    codec,
    dstream::Stored,
    env::{BoxFuture, Env},
    error::Result,
};
use std::sync::Arc;

pub(crate) struct QueueSource<T> {
    batches: Vec<Vec<T>>,
}

impl<T: Stored> QueueSource<T> {
    pub fn new(batches: Vec<Vec<T>>) -> Self {
        Self { batches }
    }

    async fn push_all(&self, supervisor: ReceiverSupervisor) -> Result<()> {
        let stored: u64 = match supervisor.position() {
            None => 0,
            Some(position) => supervisor.decode_position(position)?,
        };
        for (index, batch) in self.batches.iter().enumerate().skip(stored as usize) {
            let block = NewBlock {
                data: encode(batch),
                records: batch.len() as u64,
                position: Some(Position(codec::encode(&(index as u64 + 1)))),
            };
            supervisor.store(block).await?;
            if supervisor.is_stopping() {
                break;
            }
        }
        supervisor.stopping().await;
        Ok(())
    }
}

impl<T: Stored> Source for QueueSource<T> {
    fn receive(self: Arc<Self>, supervisor: ReceiverSupervisor) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move { self.push_all(supervisor).await })
    }

    fn load<'a>(&'a self, _env: &'a Env, data: Arc<BlockData>) -> BoxFuture<'a, Result<LoadedBlock>> {
        Box::pin(async move { decode::<T>(&data) })
    }

    fn one_block_a_batch(&self) -> bool {
        true
    }
}
