//! What the author of a pipeline can set.

use crate::{error::GraphError, ids::Interval};
use std::time::Duration;

/// The options of a context. `Options::default()` with another `batch_interval` suits most.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// The time from batch to batch. Fixed at the first start: it is part of the checkpoint.
    pub batch_interval: Interval,
    /// The time between two snapshots of the state, a multiple of the batch interval. `None`: the smallest multiple that is
    /// at least 10 s, as in Spark.
    pub checkpoint_interval: Option<Interval>,
    /// How long a received record waits at most for others before its block is made durable.
    pub block_interval: Duration,
    /// The size in bytes at which a block is made durable at once.
    pub block_bytes_max: usize,
    /// The longest line in bytes; a longer one is cut, and counted.
    pub line_bytes_max: usize,
    /// How many bytes may be received and not yet processed before the sources have to wait.
    pub backlog_bytes_max: usize,
    /// The size in bytes at which the journal begins a new segment.
    pub segment_bytes_max: u64,
    /// After how many bytes of a snapshot what was encoded is written and batches have their turn: 64 bytes to 64 MiB. A chunk of an
    /// operator's state, of up to 1024 records, is encoded as a whole and written in frames of at most so many bytes.
    pub snapshot_piece_bytes: usize,
    /// How many checkpoints are kept, at least 2.
    pub checkpoints_retained: usize,
    /// How many missed batch times are made up for at most at a start; those before are passed over.
    pub missed_batches_max: u64,
    /// How long an attempt to connect to a source may take, name resolution included.
    pub connect_timeout: Duration,
    /// The first pause before a source is connected again; it doubles with each failure.
    pub reconnect_min: Duration,
    /// The longest such pause.
    pub reconnect_max: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch_interval: Interval::from_secs(1),
            checkpoint_interval: None,
            block_interval: Duration::from_millis(200),
            block_bytes_max: 4 << 20,
            line_bytes_max: 1 << 20,
            backlog_bytes_max: 256 << 20,
            segment_bytes_max: 64 << 20,
            snapshot_piece_bytes: 1 << 20,
            checkpoints_retained: 3,
            missed_batches_max: 7 * 24 * 3600,
            connect_timeout: Duration::from_secs(10),
            reconnect_min: Duration::from_millis(100),
            reconnect_max: Duration::from_secs(5),
        }
    }
}

impl Options {
    /// The defaults with another batch interval.
    pub fn with_batch_interval(batch_interval: Interval) -> Self {
        Self { batch_interval, ..Self::default() }
    }

    /// The time between two snapshots.
    pub fn snapshot_interval(&self) -> Interval {
        const AT_LEAST_MS: u64 = 10_000;
        let batch_ms = self.batch_interval.millis();
        self.checkpoint_interval.unwrap_or_else(|| {
            Interval::from_millis(AT_LEAST_MS.div_ceil(batch_ms) * batch_ms).unwrap_or(self.batch_interval)
        })
    }

    /// Checks the values against each other.
    ///
    /// # Errors
    /// [`GraphError::Option`] that names the first bad one.
    pub fn check(&self) -> Result<(), GraphError> {
        fn bad<T>(option: &'static str, value: impl ToString, reason: &str) -> Result<T, GraphError> {
            Err(GraphError::Option { option, value: value.to_string(), reason: reason.into() })
        }
        let snapshot = self.snapshot_interval();
        if !snapshot.millis().is_multiple_of(self.batch_interval.millis()) {
            return bad("checkpoint_interval", snapshot, "it is no multiple of the batch interval");
        }
        // A block and its last line together, three times as long where nothing is UTF-8, fit into a journal record.
        if !(1..=64 << 20).contains(&self.block_bytes_max) {
            return bad("block_bytes_max", self.block_bytes_max, "it must be 1 byte to 64 MiB");
        }
        if !(1..=64 << 20).contains(&self.line_bytes_max) {
            return bad("line_bytes_max", self.line_bytes_max, "it must be 1 byte to 64 MiB");
        }
        if !(1..=MAX_BACKLOG).contains(&self.backlog_bytes_max) {
            return bad("backlog_bytes_max", self.backlog_bytes_max, "it must be 1 byte to 1 TiB");
        }
        if self.segment_bytes_max < 1024 {
            return bad("segment_bytes_max", self.segment_bytes_max, "it must be at least 1 KiB");
        }
        if !(64..=64 << 20).contains(&self.snapshot_piece_bytes) {
            return bad("snapshot_piece_bytes", self.snapshot_piece_bytes, "it must be 64 bytes to 64 MiB");
        }
        if self.connect_timeout.is_zero() {
            return bad("connect_timeout", "0 s", "no connection is made in no time");
        }
        if self.checkpoints_retained < 2 {
            return bad(
                "checkpoints_retained",
                self.checkpoints_retained,
                "an older one is needed to fall back to",
            );
        }
        Ok(())
    }
}

/// 1 TiB, less where a semaphore cannot count so far.
const MAX_BACKLOG: usize = if usize::BITS > 40 { 1 << 40 } else { 1 << 28 };
