//! The life of a batch: blocks wait in the [`Backlog`]; at each tick the [`generator`] fixes which of them are in the batch;
//! the [`runner`] computes it, emits it, records that it is complete, and publishes a checkpoint; the [`snapshots`] of the state that
//! checkpoints name are written beside it.

mod backlog;
mod generator;
mod runner;
mod snapshots;

pub(crate) use backlog::{Backlog, BatchBlocks, SourceBacklog, StoredBlock};
pub(crate) use generator::Generator;
pub(crate) use runner::{Progress, Runner, open_sinks};
pub(crate) use snapshots::{SnapshotWriter, Snapshots};
