//! For tests of what is done to one batch: records without an engine around them, computed where the test runs.

use super::{BatchScope, DStream, Data, Derived, OperatorKind, Rdd, SharedBuilder, Workers};
use crate::{
    env::{BoxFuture, ComputeError, Executor, Task},
    error::GraphError,
    ids::{BatchTime, Interval},
    state::KeyHasher,
};
use std::{
    collections::{BTreeMap, BinaryHeap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

struct InLine;

impl Executor for InLine {
    fn spawn(&self, _name: &'static str, _task: BoxFuture<'static, ()>) -> Box<dyn Task> {
        unreachable!("a batch's computation spawns no task")
    }

    fn compute(&self, _job: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<(), ComputeError>> {
        unreachable!("a batch's computation is one already")
    }

    fn parallel<'a>(&self, tasks: Vec<Box<dyn FnOnce() + Send + 'a>>) {
        // Backwards: no result may depend on what ends first.
        tasks.into_iter().rev().for_each(|task| task());
    }
}

pub(crate) fn workers() -> Workers {
    Workers { executor: Arc::new(InLine), hasher: KeyHasher::new(7) }
}

/// An `Rdd` with these partitions.
pub(crate) fn rdd<T: Data, const N: usize>(parts: [Vec<T>; N]) -> Rdd<T> {
    Rdd::of_parts(parts.into(), workers())
}

/// How many records were asked for.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<AtomicU64>);

impl Calls {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// An `Rdd` with these partitions, and how many of its records were computed.
pub(crate) fn watched<T: Data, const N: usize>(parts: [Vec<T>; N]) -> (Rdd<T>, Calls) {
    let calls = Calls::default();
    let counter = calls.clone();
    let counted = rdd(parts).map(move |record| {
        counter.count();
        record
    });
    (counted, calls)
}

/// The same records in one, two and three partitions, some of them empty.
pub(crate) fn splits<T: Data>(records: &[T]) -> Vec<Rdd<T>> {
    let part = |from: usize, until: usize| records[from..until].to_vec();
    let n = records.len();
    let one = vec![part(0, n)];
    let two = (0..=n).map(|cut| vec![part(0, cut), part(cut, n)]);
    let three = (0..=n).map(|cut| vec![part(0, cut / 2), part(cut / 2, cut), part(cut, n)]);
    let parts = two.chain(three).chain([one]);
    parts.map(|parts| Rdd::of_parts(parts, workers())).collect()
}

/// All records, sorted.
pub(crate) fn sorted<T: Data + Ord>(rdd: Rdd<T>) -> Vec<T> {
    // A heap is compiled faster than a sort, and there are many types.
    BinaryHeap::from(rdd.collect()).into_sorted_vec()
}

/// A graph with a batch a second and the zero time 0, whose batches are computed one by one.
pub(crate) struct Program {
    pub(crate) builder: SharedBuilder,
}

impl Program {
    pub(crate) fn new() -> Self {
        Self { builder: SharedBuilder::new(Interval::from_secs(1)) }
    }

    /// A stream with what `parts` says of the batch at so many seconds.
    pub(crate) fn stream<T: Data>(
        &self,
        parts: impl Fn(u64) -> Vec<Vec<T>> + Send + Sync + 'static,
    ) -> DStream<T> {
        let id = self.builder.lock().add(OperatorKind::QueueStream.into(), &[]);
        let stream = move |scope: &BatchScope<'_>| Rdd::of_parts(parts(scope.time.0 / 1000), workers());
        let (builder, slide) = (self.builder.clone(), Interval::from_secs(1));
        DStream { builder, id, slide, stream: Arc::new(Derived(stream)) }
    }

    /// The batch at so many seconds.
    pub(crate) fn scope(&self, seconds: u64) -> BatchScope<'static> {
        static NOTHING: BTreeMap<crate::ids::SourceId, Vec<crate::source::LoadedBlock>> = BTreeMap::new();
        BatchScope::new(BatchTime(1000 * seconds), BatchTime(0), &NOTHING, workers())
    }

    /// A stream's batch at so many seconds, in a scope of its own.
    pub(crate) fn batch<T>(&self, stream: &DStream<T>, seconds: u64) -> Rdd<T> {
        stream.stream.compute(&self.scope(seconds))
    }

    /// The first error of the program.
    pub(crate) fn error(&self) -> Option<GraphError> {
        self.builder.lock().error()
    }

    /// The operators, as errors name them.
    pub(crate) fn operators(&self) -> Vec<String> {
        self.builder.lock().operators().iter().map(ToString::to_string).collect()
    }
}
