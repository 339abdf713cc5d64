//! Where output goes: the [`Sink`] trait and the sinks of the engine.
//!
//! Emission is at least once. A sink that can tell how far it got says so with a [`SinkPosition`]; the engine keeps the
//! position of the last durable completion and hands it back at the next start, so that the sink can undo or ignore what
//! came after it.

mod for_each;
mod print;
#[cfg(test)]
mod steps;
mod text_directories;
mod text_file;
mod text_record;

pub(crate) use for_each::ForEachBatch;
pub(crate) use print::Print;
pub(crate) use text_directories::TextDirectories;
pub use text_file::TextFile;
pub use text_record::TextRecord;

use crate::{
    dstream::Data,
    env::{BoxFuture, Env},
    ids::{BatchTime, Generation},
};

/// A sink's own account of how far it got. Its meaning is the sink's; a sink without one returns 0.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize,
)]
pub struct SinkPosition(pub u64);

/// Why a sink failed. It ends the driver; the batch is emitted again by the next one.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// What a sink found when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkFinding {
    /// So many bytes stand behind the last durable completion: their batches are emitted again, in their places.
    Incomplete(u64),
    /// So many bytes before it are missing: somebody replaced or shortened what was there.
    Missing(u64),
}

/// What a sink is told about a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchInfo {
    /// The batch.
    pub time: BatchTime,
    /// The driver that emits it.
    pub generation: Generation,
    /// It may have been emitted before, by an earlier generation.
    pub repetition: bool,
}

/// A batch, as an output operation gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch<T> {
    /// Which one.
    pub info: BatchInfo,
    /// Its records. Their order is a function of the batch's input alone.
    pub records: Vec<T>,
}

impl<T> Batch<T> {
    /// The batch's time.
    pub fn time(&self) -> BatchTime {
        self.info.time
    }
}

/// A destination of batches of `T`.
pub trait Sink<T: Data>: Send + 'static {
    /// What [`prepare`](Sink::prepare) makes for [`emit`](Sink::emit).
    type Prepared: Send + 'static;

    /// Called once, before the first batch. `at` is the position after the last batch that was durably completed; `None` at
    /// the first start. Returns the position to continue from.
    ///
    /// # Errors
    /// End the start.
    fn open<'a>(
        &'a mut self,
        env: &'a Env,
        at: Option<SinkPosition>,
    ) -> BoxFuture<'a, Result<SinkPosition, SinkError>>;

    /// What the sink writes to, such as a file's path. A position is handed back only to a sink of the same name.
    fn name(&self) -> String {
        String::new()
    }

    /// What opening the sink found to differ from the position that it was given.
    fn finding(&self) -> Option<SinkFinding> {
        None
    }

    /// Does the computing part of an emission, without any effect. Runs where computations run.
    fn prepare(&self, batch: Batch<T>) -> Self::Prepared;

    /// Emits a batch and returns the position after it. Batches come in the order of their times.
    ///
    /// # Errors
    /// End the driver.
    fn emit(
        &mut self,
        info: BatchInfo,
        prepared: Self::Prepared,
    ) -> BoxFuture<'_, Result<SinkPosition, SinkError>>;

    /// Makes all that was emitted durable.
    ///
    /// # Errors
    /// End the driver; the batches since the last success are emitted again.
    fn sync(&mut self) -> BoxFuture<'_, Result<(), SinkError>>;
}
