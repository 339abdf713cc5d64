//! For tests of what is done to one batch: records without an engine around them, computed where the test runs.

use super::{Data, Rdd, Workers};
use crate::{
    env::{BoxFuture, ComputeError, Executor, Task},
    state::KeyHasher,
};
use std::{
    collections::BinaryHeap,
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
