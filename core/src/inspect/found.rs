//! What is told of a checkpoint directory: plain data, for people and programs.

use crate::{
    checkpoint::SnapshotReference,
    ids::{BatchTime, CheckpointId, Generation, OperatorId, SourceId},
    journal::{SegmentName, SinkProgress},
};
use serde::Serialize;
use std::path::PathBuf;

/// What a checkpoint directory holds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Inspection {
    /// Which directory.
    pub directory: PathBuf,
    /// What a start would do.
    pub start: Start,
    /// The claims, newest first.
    pub generations: Vec<Claimed>,
    /// The checkpoints, newest first.
    pub checkpoints: Vec<FoundCheckpoint>,
    /// The snapshots of state, newest first.
    pub snapshots: Vec<FoundSnapshot>,
    /// The journal's segments, oldest first.
    pub segments: Vec<FoundSegment>,
    /// Whether every byte was read.
    pub verified: bool,
    /// What was found damaged, by file and offset. Without `verified` it is what a start would meet.
    pub damage: Vec<Damage>,
    /// What is worth knowing, and no damage: what a crash left unfinished, files that are no driver's.
    pub notes: Vec<String>,
}

impl Inspection {
    /// Whether nothing is damaged, and a start would go well.
    pub fn is_sound(&self) -> bool {
        self.damage.is_empty() && !matches!(self.start, Start::Refuses { .. })
    }
}

/// What a start of the same pipeline would do.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case", tag = "would")]
pub enum Start {
    /// Nothing is there: it would be the first one.
    #[default]
    BeginAfresh,
    /// It would go on.
    Recover {
        /// From which checkpoint.
        checkpoint: CheckpointId,
        /// The last batch whose output is durable.
        completed: BatchTime,
        /// The batch whose state the snapshot holds, if there is state and a snapshot.
        state_of: Option<BatchTime>,
        /// Completed batches that would be computed into the state again.
        state_replays: u64,
        /// Batches that were begun and not completed: they would be emitted, perhaps again.
        pending: Vec<PendingBatch>,
        /// Records that are durable and in no batch yet.
        waiting_records: u64,
        /// Records of the journal that would be read.
        journal_records: u64,
        /// Bytes at the journal's end that would be dropped: a write that nobody was told of.
        torn_bytes: u64,
        /// The size of the state, by operator.
        state: Vec<OperatorState>,
        /// How far the sources are.
        sources: Vec<SourceState>,
        /// How far the sinks are.
        sinks: Vec<SinkProgress>,
    },
    /// It would end with an error.
    Refuses {
        /// Which.
        error: String,
    },
}

/// A generation's claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claimed {
    /// The generation.
    pub generation: Generation,
    /// The release that claimed it; unknown if a crash left the claim empty, in which the name alone counts.
    pub release: Option<String>,
}

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoundCheckpoint {
    /// Which.
    pub id: CheckpointId,
    /// The file's length.
    pub bytes: u64,
    /// The last batch that was complete, if the checkpoint can be read.
    pub completed: Option<BatchTime>,
    /// How many batches that is before the newest checkpoint's.
    pub age_batches: Option<u64>,
    /// The same in milliseconds of batch time.
    pub age_ms: Option<u64>,
    /// How many batches were begun and not complete.
    pub pending: Option<u64>,
    /// The snapshot that it names.
    pub snapshot: Option<SnapshotReference>,
    /// Whether a start could go on from it.
    pub restorable: bool,
    /// Why not.
    pub why_not: Option<String>,
    /// Whether its snapshot was read; if not, only its length was looked at.
    pub snapshot_read: bool,
}

/// A snapshot of state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoundSnapshot {
    /// The file's name.
    pub name: String,
    /// The file's length.
    pub bytes: u64,
    /// The checkpoints that name it.
    pub named_by: Vec<CheckpointId>,
}

/// A batch that was begun and not completed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PendingBatch {
    /// Its time.
    pub time: BatchTime,
    /// How many blocks it has.
    pub blocks: u64,
    /// How many records.
    pub records: u64,
}

/// The state of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OperatorState {
    /// Which.
    pub operator: OperatorId,
    /// What it is, for people.
    pub description: String,
    /// In how many pieces its state stands in the snapshot.
    pub chunks: u64,
    /// How many bytes these have.
    pub bytes: u64,
}

/// How far a source is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceState {
    /// Which.
    pub source: SourceId,
    /// What it is, for people.
    pub description: String,
    /// How many blocks it has stored in its life.
    pub blocks: u64,
    /// How many of them are in no batch yet.
    pub waiting_blocks: u64,
    /// Its position, where that is a number: for a socket the lines, for a queue the batches.
    pub position: Option<u64>,
}

/// A segment of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoundSegment {
    /// Its name.
    pub name: SegmentName,
    /// The file's length; `None` if there are marks of it alone.
    pub bytes: Option<u64>,
    /// How many of its bytes are known to be durable.
    pub durable: u64,
    /// How many records it has, its header left out.
    pub records: u64,
    /// Those of them that hold received records.
    pub blocks: u64,
    /// Those that fix the blocks of a batch.
    pub allocations: u64,
    /// Those that say that a batch is done.
    pub completions: u64,
    /// How many records the sources sent, in its blocks.
    pub received: u64,
    /// How many bytes stand behind what can be read.
    pub tail_bytes: u64,
    /// What is wrong with them.
    pub tail: Option<String>,
    /// Whether a checkpoint that can be read needs it.
    pub needed: bool,
}

/// Something that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Damage {
    /// In which file.
    pub file: PathBuf,
    /// At which byte.
    pub offset: u64,
    /// What is wrong.
    pub reason: String,
}
