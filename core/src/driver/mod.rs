//! A driver from its start to its end.
//!
//! [`start`] does everything that must be durable before a driver runs; [`drive`] runs its tasks until one of them ends it.

mod drive;
mod start;

pub(crate) use start::start;

use crate::{
    batch::{Backlog, BatchBlocks, Runner, SnapshotWriter},
    checkpoint::CheckpointDirectory,
    env::{Env, Task},
    error::{Error, Result},
    flag::Flag,
    ids::BatchTime,
    listeners::Listeners,
    options::Options,
    recovery::Recovered,
};
use std::sync::Arc;
use tokio::sync::watch;

/// A directory that was opened, and what was found in it.
pub(crate) struct Opened {
    pub directory: Arc<CheckpointDirectory>,
    pub recovered: Option<Recovered>,
}

/// What the parts of a driver share.
#[derive(Clone)]
struct Driver {
    env: Env,
    options: Options,
    listeners: Listeners,
    directory: Arc<CheckpointDirectory>,
}

/// A driver that only has to be driven.
struct Prepared {
    driver: Driver,
    runner: Runner,
    snapshot_writer: SnapshotWriter,
    backlog: Arc<Backlog>,
    /// Completed batches whose effect on the state is computed again.
    state_replays: Vec<BatchBlocks>,
    /// Incomplete batches of earlier generations.
    pending: Vec<BatchBlocks>,
    /// The last batch time that was allocated.
    allocated: BatchTime,
}

/// A driver that runs. Dropping it cuts the driver off.
pub(crate) struct Running {
    stop: Flag,
    cut: Flag,
    outcome: watch::Receiver<Option<std::result::Result<(), Arc<Error>>>>,
    _driver: Box<dyn Task>,
}

impl Running {
    /// Raised, it asks for an orderly stop.
    pub fn stop(&self) -> Flag {
        self.stop.clone()
    }

    /// Cuts the driver off, as in a crash.
    pub fn cut(&self) {
        self.cut.raise();
    }

    /// Waits for the end. The directory is free then.
    pub async fn ended(&mut self) -> Result<()> {
        let lost = |_| Error::TaskLost { task: "driver" };
        let outcome = self.outcome.wait_for(Option::is_some).await.map_err(lost)?;
        match outcome.as_ref().expect("waited for") {
            Ok(()) => Ok(()),
            Err(error) => Err(error.clone().into()),
        }
    }
}
