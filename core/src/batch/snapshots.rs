//! Snapshots, written while batches go on.
//!
//! At the end of a batch the [`Runner`](super::Runner) freezes the state, which is cheap, and hands it to the writer's task. That one
//! encodes it bit by bit, between the batches' computations, and makes it durable. The next checkpoint after that names it; until
//! then the checkpoints have the basis of the snapshot before, so whatever happens to this one, they lead to the same state.
//!
//! There is one at a time. One that becomes due meanwhile is begun at the first checkpoint after the other has come. The writer
//! is a task of the driver like any other: its error ends the driver, and it ends with the driver.

use crate::{
    checkpoint::{CheckpointDirectory, Frozen, SnapshotReference, write_snapshot},
    env::Env,
    error::Result,
    event::Event,
    listeners::Listeners,
};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

type Order = (Frozen, oneshot::Sender<SnapshotReference>);

/// The runner's side.
pub(crate) struct Snapshots {
    orders: mpsc::Sender<Order>,
    under_way: Option<oneshot::Receiver<SnapshotReference>>,
}

/// The task's side.
pub(crate) struct SnapshotWriter {
    env: Env,
    directory: Arc<CheckpointDirectory>,
    listeners: Listeners,
    piece_bytes: usize,
    orders: mpsc::Receiver<Order>,
}

impl Snapshots {
    pub fn new(
        env: Env,
        directory: Arc<CheckpointDirectory>,
        listeners: Listeners,
        piece_bytes: usize,
    ) -> (Self, SnapshotWriter) {
        let (orders, ordered) = mpsc::channel(1);
        let writer = SnapshotWriter { env, directory, listeners, piece_bytes, orders: ordered };
        (Self { orders, under_way: None }, writer)
    }

    /// Whether one is being written.
    pub fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// Has a snapshot written. None is under way.
    pub fn begin(&mut self, frozen: Frozen) {
        assert!(!self.is_under_way(), "one snapshot at a time");
        let (done, under_way) = oneshot::channel();
        // Where the writer has failed, it tells why, and that ends the driver.
        let _ = self.orders.try_send((frozen, done));
        self.under_way = Some(under_way);
    }

    /// The snapshot that was under way, if it is durable by now.
    pub fn finished(&mut self) -> Option<SnapshotReference> {
        let snapshot = self.under_way.as_mut()?.try_recv().ok()?;
        self.under_way = None;
        Some(snapshot)
    }

    /// Waits for the snapshot that is under way, if one is.
    pub async fn wait(&mut self) -> Option<SnapshotReference> {
        match self.under_way.take()?.await {
            Ok(snapshot) => Some(snapshot),
            // The writer has failed, and tells why: that is what ends the driver.
            Err(_) => std::future::pending().await,
        }
    }
}

impl SnapshotWriter {
    /// Writes what is ordered until nobody can order any more.
    ///
    /// # Errors
    /// [`Error::Fenced`](crate::Error::Fenced), [`Error::Disk`](crate::Error::Disk), and [`Error::Batch`](crate::Error::Batch) where a
    /// state cannot be encoded.
    pub async fn run(mut self) -> Result<()> {
        while let Some((frozen, done)) = self.orders.recv().await {
            let snapshot = write_snapshot(&self.env, &self.directory, frozen, self.piece_bytes).await?;
            self.listeners.tell(&Event::SnapshotWritten { time: snapshot.time, bytes: snapshot.bytes });
            // The runner has ended if nobody takes it.
            let _ = done.send(snapshot);
        }
        Ok(())
    }
}

#[cfg(all(test, feature = "os"))]
mod tests;
