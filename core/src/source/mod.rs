//! Where records come from: sources, the blocks they form, and the supervisor that makes blocks durable.
//!
//! A source runs as a task, gathers records into a block, and has it stored: when that returns, the block is in the journal,
//! synced, and will be in exactly one batch. Only then may the source tell the other side.
//!
//! An author's own source is a [`Receiver`]. The engine's side of a source is `Source`, without its types; what a running one
//! holds of the engine is `ReceiverSupervisor`.

mod directory;
mod lines;
mod queue;
mod receiver;
mod records;
mod socket;
mod supervisor;

pub(crate) use directory::DirectorySource;
pub(crate) use queue::QueueSource;
pub(crate) use receiver::ReceiverSource;
pub use receiver::{Receiver, ReceiverContext, ReceiverError};
pub(crate) use records::RecordStream;
pub use socket::SocketAddress;
pub(crate) use socket::{SocketSource, TextStream};
pub(crate) use supervisor::ReceiverSupervisor;

use crate::{
    env::{BoxFuture, Env},
    error::Result,
    text::TextBlock,
};
use serde::{Deserialize, Serialize};
use std::{any::Any, sync::Arc};

/// How far a source is, in its own terms: what it needs to go on where it was.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position(pub Vec<u8>);

/// What a block holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BlockData {
    /// Lines of text.
    Text(Arc<TextBlock>),
    /// Values of the source's own, encoded.
    Encoded(Vec<u8>),
    /// Files, to be read when the batch is computed.
    Files(Vec<FileRange>),
}

impl BlockData {
    /// Roughly the memory it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            BlockData::Text(text) => text.bytes() + 4 * text.len(),
            BlockData::Encoded(bytes) => bytes.len(),
            BlockData::Files(files) => files.iter().map(|file| file.path.len() + 16).sum(),
        }
    }
}

/// A file as part of a block, as it was when it was taken into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRange {
    /// Its path.
    pub path: String,
    /// How many bytes it has.
    pub length: u64,
    /// Their CRC-32C, so that a batch that is run again reads the same bytes, or fails.
    pub checksum: u32,
}

/// A block ready to be computed with, of the type that its source's stream expects.
pub(crate) type LoadedBlock = Arc<dyn Any + Send + Sync>;

/// A block that a source has stored.
#[derive(Clone, Debug)]
pub(crate) struct NewBlock {
    /// The records.
    pub data: BlockData,
    /// How many.
    pub records: u64,
    /// How far the source is after this block, if it has a notion of that.
    pub position: Option<Position>,
}

/// A source of records.
pub(crate) trait Source: Send + Sync {
    /// Receives until [`ReceiverSupervisor::stopping`], storing what comes. It starts after the position of the last stored block.
    ///
    /// # Errors
    /// Whatever makes going on pointless. A peer that is gone does not: keep trying.
    fn receive(self: Arc<Self>, supervisor: ReceiverSupervisor) -> BoxFuture<'static, Result<()>>;

    /// Makes a block ready for computing: of the type that the source's stream expects.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn load<'a>(&'a self, env: &'a Env, data: Arc<BlockData>) -> BoxFuture<'a, Result<LoadedBlock>>;

    /// Whether a batch takes at most one block of this source.
    fn one_block_a_batch(&self) -> bool {
        false
    }
}
