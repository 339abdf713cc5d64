//! What a metadata checkpoint says.

use crate::{
    codec::{Kind, Payload},
    dstream::OperatorDescription,
    ids::{BatchTime, BlockId, CheckpointId, Interval, SegmentId, SourceId},
    journal::{Allocation, SinkProgress},
    source::Position,
};
use serde::{Deserialize, Serialize};

/// A metadata checkpoint. With the snapshot that it names and the journal from `journal_from` on, it is all that a new
/// driver needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The batch interval, fixed at the first start.
    pub interval: Interval,
    /// The zero time of the batch grid, fixed at the first start: the first batch is one interval later.
    pub zero_time: BatchTime,
    /// The seed of the key hash, drawn at the first start.
    pub hash_seed: u64,
    /// The graph.
    pub operators: Vec<OperatorDescription>,
    /// The last batch whose output is durable; the zero time if none.
    pub completed: BatchTime,
    /// The last batch whose blocks are fixed; the zero time if none.
    pub allocated: BatchTime,
    /// The batch that the snapshot is of. The state after later batches is computed from it and their blocks. Without state
    /// it is `completed`.
    pub basis: BatchTime,
    /// The snapshot, if there is state.
    pub snapshot: Option<SnapshotReference>,
    /// Batches that are allocated and not complete.
    pub pending: Vec<Allocation>,
    /// The sources.
    pub sources: Vec<SourceProgress>,
    /// The sinks, after `completed`.
    pub sinks: Vec<SinkProgress>,
    /// The checkpoints that were retained when this was written, this one included: an older one that is there all the same was
    /// removed, and the removal was not durable.
    pub retained: Vec<CheckpointId>,
    /// The oldest journal segment that a recovery from here needs.
    pub journal_from: SegmentId,
    /// The newest journal segment that existed when this was written; `None` in the first checkpoint, before there is one.
    pub journal_newest: Option<SegmentId>,
    /// How many bytes of it were durable then: the marks beside it say so too, in another file.
    pub journal_durable: u64,
}

/// How far a source is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceProgress {
    /// The source.
    pub source: SourceId,
    /// The first block that is in no batch.
    pub unallocated: BlockId,
    /// The next block that it will store.
    pub next: BlockId,
    /// Its position after the last block.
    pub position: Option<Position>,
}

/// A snapshot, as a checkpoint names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotReference {
    /// The batch after which it was taken.
    pub time: BatchTime,
    /// The file's name in `state/`.
    pub name: String,
    /// The file's length.
    pub bytes: u64,
    /// CRC-32C of the whole file.
    pub checksum: u32,
}

impl Payload for Checkpoint {
    const KIND: Kind = Kind::Checkpoint;
    const SCHEMA: &'static str = "interval u64, zero_time u64, hash_seed u64, \
        operators [(id u32, kind enum, parents [u32], parameters string, schema string)], \
        completed u64, allocated u64, basis u64, snapshot (time u64, name string, bytes u64, checksum u32)?, \
        pending [(time u64, previous u64, blocks [(source u32, from u64, until u64)])], \
        sources [(source u32, unallocated u64, next u64, position bytes?)], \
        sinks [(operator u32, name string, position u64)], retained [(sequence u64, generation u64)], \
        journal_from u64, journal_newest u64?, journal_durable u64";
}
