//! What flows between operators while a batch is computed.

use crate::{
    env::Executor,
    ids::{BatchTime, OperatorId, SourceId},
    source::LoadedBlock,
    state::KeyHasher,
};
use std::{collections::BTreeMap, sync::Arc};

/// A part of a batch: a function that pushes its records, in order, each time it is called.
pub(crate) struct Partition<T>(Arc<Each<T>>);

type Each<T> = dyn Fn(&mut dyn FnMut(T)) + Send + Sync;

impl<T> Clone for Partition<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: 'static> Partition<T> {
    pub fn new(each: impl Fn(&mut dyn FnMut(T)) + Send + Sync + 'static) -> Self {
        Self(Arc::new(each))
    }

    pub fn each(&self, emit: &mut dyn FnMut(T)) {
        (self.0)(emit);
    }
}

/// A batch that is being computed.
pub(crate) struct BatchScope<'a> {
    pub time: BatchTime,
    /// The blocks of each source, in the order in which they were received.
    pub inputs: &'a BTreeMap<SourceId, Vec<LoadedBlock>>,
    pub executor: &'a dyn Executor,
    pub hasher: KeyHasher,
}

impl BatchScope<'_> {
    /// Computes `make(0)`, `make(1)`, .. `make(count - 1)`, on several threads where there are, in this order.
    pub fn parallel<R: Send>(&self, count: usize, make: impl Fn(usize) -> R + Sync) -> Vec<R> {
        match count {
            0 => Vec::new(),
            1 => vec![make(0)],
            _ => {
                let mut results: Vec<Option<R>> = (0..count).map(|_| None).collect();
                let make = &make;
                let tasks = results
                    .iter_mut()
                    .enumerate()
                    .map(|(index, slot)| {
                        Box::new(move || *slot = Some(make(index))) as Box<dyn FnOnce() + Send + '_>
                    })
                    .collect();
                self.executor.parallel(tasks);
                results.into_iter().map(|result| result.expect("every task ran")).collect()
            }
        }
    }

    /// All records of `partitions`, in order.
    pub fn collect<T: Send + 'static>(&self, partitions: &[Partition<T>]) -> Vec<T> {
        let parts = self.parallel(partitions.len(), |index| {
            let mut records = Vec::new();
            partitions[index].each(&mut |record| records.push(record));
            records
        });
        let mut all = Vec::with_capacity(parts.iter().map(Vec::len).sum());
        parts.into_iter().for_each(|part| all.extend(part));
        all
    }
}

/// A node of the graph that yields records.
pub(crate) trait Stream<T>: Send + Sync {
    /// The batch's partitions. Called once by each consumer of the stream.
    fn partitions(&self, scope: &BatchScope<'_>) -> Vec<Partition<T>>;
}

/// A node that keeps state over batches.
pub(crate) trait Stateful: Send + Sync {
    fn id(&self) -> OperatorId;
    /// Brings the state to `scope.time`, whether anybody uses the result or not. Does nothing the second time.
    fn advance(&self, scope: &BatchScope<'_>);
    /// The state as a list of chunks, each bounded by what its key groups hold, in a fixed order.
    fn snapshot(&self) -> Vec<Vec<u8>>;
    /// Adds one chunk of a snapshot to an empty state.
    ///
    /// # Errors
    /// Why the chunk is not of this operator.
    fn restore(&self, chunk: &[u8], hasher: KeyHasher) -> Result<(), String>;
}
