//! Where records come from: sources, the blocks they form, and the receiver that makes blocks durable.
//!
//! A source runs as a task, gathers records into a block, and [`Receiver::store`]s it: when that returns, the block is in
//! the journal, synced, and will be in exactly one batch. Only then may the source tell the other side.

mod directory;
mod lines;
mod queue;
mod receiver;
mod socket;

pub(crate) use directory::DirectorySource;
pub(crate) use queue::{QueueSource, QueueStream};
pub use receiver::Receiver;
pub use socket::SocketAddress;
pub(crate) use socket::{SocketSource, TextStream};

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
    /// Ranges of files, to be read when the batch is computed.
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

/// A file as part of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRange {
    /// Its path.
    pub path: String,
    /// How many bytes of it, from its start.
    pub length: u64,
}

/// A block ready to be computed with, of the type that its source's stream expects.
pub(crate) type LoadedBlock = Arc<dyn Any + Send + Sync>;

/// A block that a source hands to its receiver.
#[derive(Clone, Debug)]
pub struct NewBlock {
    /// The records.
    pub data: BlockData,
    /// How many.
    pub records: u64,
    /// How far the source is after this block, if it has a notion of that.
    pub position: Option<Position>,
}

/// A source of records.
pub trait Source: Send + Sync {
    /// Receives until [`Receiver::stopping`], storing what comes. It starts after the position of the last stored block.
    ///
    /// # Errors
    /// Whatever makes going on pointless. A peer that is gone does not: keep trying.
    fn receive(self: Arc<Self>, receiver: Receiver) -> BoxFuture<'static, Result<()>>;

    /// Makes a block ready for computing: of the type that the source's stream expects.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn load<'a>(
        &'a self,
        env: &'a Env,
        data: Arc<BlockData>,
    ) -> BoxFuture<'a, Result<Arc<dyn Any + Send + Sync>>>;

    /// Whether a batch takes at most one block of this source.
    fn one_block_a_batch(&self) -> bool {
        false
    }
}
