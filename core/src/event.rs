//! What happens in a driver, told to whoever listens (Spark's `StreamingListener`).
//!
//! The command, the reports and the testbed's timeline read this stream and nothing else of the engine. Events are facts
//! in the past tense: one is sent after what it tells has happened, in the order in which it happened.

use crate::ids::{BatchTime, BlockId, CheckpointId, Generation, Interval, SegmentId, SourceId};
use serde::{Deserialize, Serialize};

/// Receives a driver's events, in order, on the driver's own tasks: it must return at once and must not block.
pub trait StreamingListener: Send + Sync {
    /// Something happened.
    fn on_event(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync> StreamingListener for F {
    fn on_event(&self, event: &Event) {
        self(event);
    }
}

/// Something that happened in a driver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The driver claimed its generation: from now on no older one may write.
    GenerationClaimed {
        /// The generation that it claimed.
        generation: Generation,
    },
    /// The directory was empty: a first start.
    StartedFresh {
        /// The zero time of the batch grid; the first batch is one interval later.
        zero_time: BatchTime,
        /// The batch interval.
        interval: Interval,
    },
    /// A file that a crash left behind unpublished was removed.
    TemporaryRemoved {
        /// Its name, relative to the checkpoint directory.
        name: String,
    },
    /// A published checkpoint could not be used for recovery; the next older one is tried.
    CandidateRejected {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// Why.
        reason: String,
    },
    /// The state was recovered. The last event of a recovery, before any batch runs.
    Recovered(Recovery),
    /// A source connected.
    SourceConnected {
        /// The source.
        source: SourceId,
        /// The line that was asked for next, where the source can resume.
        resume_from: Option<u64>,
    },
    /// A source's connection ended, or could not be made. Told once until it is connected again.
    SourceDisconnected {
        /// The source.
        source: SourceId,
        /// Why.
        reason: String,
        /// Bytes of an unterminated line that were dropped.
        dropped_bytes: u64,
    },
    /// Received data had to be changed to be a record.
    RecordsRepaired {
        /// The source.
        source: SourceId,
        /// Lines longer than the limit, cut.
        cut: u64,
        /// Lines that were not UTF-8, with the bad bytes replaced.
        replaced: u64,
    },
    /// A block is durable in the journal, and the source may be told so.
    BlockStored {
        /// The source.
        source: SourceId,
        /// The block.
        block: BlockId,
        /// Its records.
        records: u64,
        /// Roughly the memory that it takes until its batch is emitted, in bytes.
        #[serde(default)]
        bytes: u64,
    },
    /// A batch's blocks are fixed, durably.
    BatchAllocated {
        /// The batch.
        time: BatchTime,
        /// Its blocks.
        blocks: u64,
        /// Its records.
        records: u64,
    },
    /// A batch's output was emitted.
    BatchEmitted {
        /// The batch.
        time: BatchTime,
        /// It may have been emitted before, by an earlier generation.
        repetition: bool,
    },
    /// A batch's output is durable, and its completion is journalled.
    BatchCompleted {
        /// The batch.
        time: BatchTime,
        /// Its records.
        records: u64,
    },
    /// The state of all stateful operators was written.
    SnapshotWritten {
        /// The batch after which it was taken.
        time: BatchTime,
        /// Its size in bytes.
        bytes: u64,
    },
    /// A checkpoint was published.
    CheckpointPublished {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The last completed batch that it knows; the zero time if none.
        completed: BatchTime,
        /// Allocated batches that it lists as incomplete.
        pending: u64,
        /// The batch of the snapshot that it names.
        snapshot: Option<BatchTime>,
    },
    /// Files that nothing retained needs were removed.
    Trimmed {
        /// Checkpoints removed.
        checkpoints: u64,
        /// Snapshots removed.
        snapshots: u64,
        /// Journal segments removed.
        segments: u64,
    },
    /// A new journal segment was begun.
    SegmentStarted {
        /// The segment.
        segment: SegmentId,
    },
    /// Batch times were passed over, because more were missed than the cap allows.
    BatchesSkipped {
        /// The first one.
        from: BatchTime,
        /// How many.
        count: u64,
    },
    /// A sink holds more than the last durable completion knows of it.
    OutputIncomplete {
        /// The sink's file or name.
        sink: String,
        /// Bytes of batches that were not completed; these are emitted again, in their places.
        bytes: u64,
    },
    /// A sink holds less than the last durable completion knows of it: somebody replaced or shortened it.
    OutputMissing {
        /// The sink's file or name.
        sink: String,
        /// Bytes that are not there.
        bytes: u64,
    },
    /// Stopping in order has begun: what was received is still processed.
    Stopping,
    /// The driver ended.
    Stopped {
        /// The error that ended it, if one did.
        error: Option<String>,
    },
}

/// What a recovery found and what it will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// The generation that recovered.
    pub generation: Generation,
    /// The checkpoint that it started from.
    pub checkpoint: CheckpointId,
    /// The batch of the snapshot that was loaded, if there is state.
    pub snapshot: Option<BatchTime>,
    /// Journal records read.
    pub journal_records: u64,
    /// Bytes of a torn write dropped at the journal's end.
    pub torn_bytes: u64,
    /// The last completed batch; the zero time if none.
    pub completed: BatchTime,
    /// Completed batches whose effect on the state is computed again, without output.
    pub state_replays: u64,
    /// Incomplete batches, to be run and emitted (again).
    pub pending: Vec<BatchTime>,
    /// Records journalled, not yet in a batch.
    pub unallocated_records: u64,
    /// A digest of the recovered state: two recoveries of one image have the same.
    pub digest: u64,
}
