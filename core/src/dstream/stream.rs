//! The nodes behind the streams, and the batch that they are asked for.

use super::{Data, Partition, Rdd, Workers, cache::Cached};
use crate::{
    ids::{BatchTime, Interval, OperatorId, SourceId},
    source::LoadedBlock,
    state::KeyHasher,
};
use std::{collections::BTreeMap, sync::Arc};

/// A batch that is being computed.
pub(crate) struct BatchScope<'a> {
    pub time: BatchTime,
    /// Where the grid of batch times begins, and that of every slide.
    pub zero_time: BatchTime,
    /// The blocks of each source, in the order in which they were received.
    pub inputs: &'a BTreeMap<SourceId, Vec<LoadedBlock>>,
    pub workers: Workers,
    /// What is computed once for several.
    pub cached: Cached,
}

impl<'a> BatchScope<'a> {
    pub fn new(
        time: BatchTime,
        zero_time: BatchTime,
        inputs: &'a BTreeMap<SourceId, Vec<LoadedBlock>>,
        workers: Workers,
    ) -> Self {
        Self { time, zero_time, inputs, workers, cached: Cached::default() }
    }

    /// Whether a stream with this slide has a batch at this time.
    pub fn is_due(&self, slide: Interval) -> bool {
        (self.time.0 - self.zero_time.0).is_multiple_of(slide.millis())
    }

    /// The batch's records of a stream, in these partitions.
    pub fn rdd<T: Data>(&self, partitions: Vec<Partition<T>>) -> Rdd<T> {
        Rdd::new(partitions, self.workers.clone())
    }

    /// The blocks of a source in this batch.
    pub fn blocks(&self, source: SourceId) -> &[LoadedBlock] {
        self.inputs.get(&source).map_or(&[][..], Vec::as_slice)
    }
}

/// A node of the graph that yields records.
pub(crate) trait Stream<T>: Send + Sync {
    /// The stream's records of a batch. Called by each consumer of the stream, only at times at which its slide is due.
    fn compute(&self, scope: &BatchScope<'_>) -> Rdd<T>;
}

/// Encodes one chunk of a state, wherever and whenever it is called: it holds the state as it was when it was made.
pub(crate) type Chunk = Box<dyn FnOnce() -> Vec<u8> + Send>;

/// A node that keeps something over batches.
pub(crate) trait Stateful: Send + Sync {
    fn id(&self) -> OperatorId;
    /// Brings the state to `scope.time`, whether anybody uses the result or not. Does nothing the second time. Called in every
    /// batch: a node whose parent's slide is not due leaves what it keeps as it is.
    fn advance(&self, scope: &BatchScope<'_>);
    /// The state as it is now, as a list of chunks in a fixed order, each bounded by what its key groups or its batch hold. Cheap:
    /// encoding is the chunks' work.
    fn freeze(&self) -> Vec<Chunk>;
    /// Takes all chunks of a snapshot, maybe none, into a state that nothing was put into yet.
    ///
    /// # Errors
    /// Why they are not of this operator.
    fn restore(&self, chunks: &[&[u8]], hasher: KeyHasher) -> Result<(), String>;
}

/// A stream that is a function of others' batches of the same time.
pub(crate) struct Derived<F>(pub F);

impl<T, F> Stream<T> for Derived<F>
where
    F: Fn(&BatchScope<'_>) -> Rdd<T> + Send + Sync,
{
    fn compute(&self, scope: &BatchScope<'_>) -> Rdd<T> {
        (self.0)(scope)
    }
}

/// The parent of an operator, as its node holds it.
pub(crate) type Parent<T> = Arc<dyn Stream<T>>;
