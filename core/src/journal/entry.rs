//! What the journal's records say.

use super::SegmentName;
use crate::{
    codec::{self, Kind, Payload},
    ids::{BatchTime, BlockId, Generation, OperatorId, SourceId},
    sink::SinkPosition,
    source::{BlockData, Position},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The first record of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentHeader {
    /// Its own name.
    pub name: SegmentName,
    /// The segments before it that are still needed, oldest first, with the length up to which each is valid.
    pub predecessors: Vec<(SegmentName, u64)>,
    /// How many of its records were carried over from an earlier segment. They were written together with this header.
    pub carried: u64,
}

/// Received records, durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Where they came from.
    pub source: SourceId,
    /// The how-manieth block of the source it is.
    pub block: BlockId,
    /// How many records it holds.
    pub records: u64,
    /// How far the source is after it.
    pub position: Option<Position>,
    /// The records.
    pub data: Arc<BlockData>,
}

/// Consecutive blocks of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRange {
    /// The source.
    pub source: SourceId,
    /// The first block.
    pub from: BlockId,
    /// The one after the last.
    pub until: BlockId,
}

/// The blocks of a batch, fixed for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// The batch.
    pub time: BatchTime,
    /// The batch before it, or the zero time: a chain that tells when a record is missing.
    pub previous: BatchTime,
    /// Its blocks: at most one range a source, by source.
    pub blocks: Vec<BlockRange>,
}

/// How far a sink is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkProgress {
    /// The output operation.
    pub operator: OperatorId,
    /// What the sink writes to.
    pub name: String,
    /// Its position.
    pub position: SinkPosition,
}

/// All output up to a batch is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// The batch.
    pub time: BatchTime,
    /// The sinks after it.
    pub sinks: Vec<SinkProgress>,
}

impl Payload for SegmentHeader {
    const KIND: Kind = Kind::SegmentHeader;
    const SCHEMA: &'static str =
        "name (segment u64, generation u64), predecessors [(name, u64)], carried u64";
}

impl Payload for Block {
    const KIND: Kind = Kind::Block;
    const SCHEMA: &'static str = "source u32, block u64, records u64, position bytes?, \
        data text (string, [u32]) | encoded bytes | files [(path string, length u64, checksum u32)]";
}

impl Payload for Allocation {
    const KIND: Kind = Kind::Allocation;
    const SCHEMA: &'static str = "time u64, previous u64, blocks [(source u32, from u64, until u64)]";
}

impl Payload for Completion {
    const KIND: Kind = Kind::Completion;
    const SCHEMA: &'static str = "time u64, sinks [(operator u32, name string, position u64)]";
}

/// A record of a segment, after its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Received records.
    Block(Block),
    /// The blocks of a batch.
    Allocation(Allocation),
    /// A batch is done.
    Completion(Completion),
}

impl Record {
    pub(super) fn write(&self, bytes: &mut Vec<u8>, generation: Generation, sequence: u64) {
        match self {
            Record::Block(block) => codec::write_frame(bytes, generation, sequence, block),
            Record::Allocation(batch) => codec::write_frame(bytes, generation, sequence, batch),
            Record::Completion(batch) => codec::write_frame(bytes, generation, sequence, batch),
        }
    }
}
