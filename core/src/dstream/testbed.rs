//! Operators without a driver: batches go in, batches come out, and the state may be brought to another program at any batch.

use super::{BatchScope, DStream, Data, Graph, Partition, Rdd, SharedBuilder, Stateful, Stream, Workers};
use crate::{
    env::{BoxFuture, ComputeError, Executor, Task},
    ids::{BatchTime, Interval, OperatorId},
    state::KeyHasher,
};
use std::{collections::BTreeMap, sync::Arc};

const ZERO: BatchTime = BatchTime(1_000_000);
const HASHER_SEED: u64 = 7;

/// Runs everything where it is called.
struct InLine;

impl Executor for InLine {
    fn spawn(&self, _name: &'static str, _task: BoxFuture<'static, ()>) -> Box<dyn Task> {
        unreachable!("an operator spawns no task")
    }

    fn compute(&self, _job: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<(), ComputeError>> {
        unreachable!("an operator is computed, and computes nothing elsewhere")
    }

    fn parallel<'a>(&self, tasks: Vec<Box<dyn FnOnce() + Send + 'a>>) {
        tasks.into_iter().for_each(|task| task());
    }
}

/// The input: the batches from the first one on, each cut into as many partitions.
struct Feed<T> {
    batches: Vec<Vec<T>>,
    slide: Interval,
    partitions: usize,
}

impl<T: Data> Stream<T> for Feed<T> {
    fn compute(&self, scope: &BatchScope<'_>) -> Rdd<T> {
        let number = (scope.time.0 - scope.zero_time.0) / self.slide.millis();
        let batch = self.batches.get(number as usize - 1).map_or(&[][..], Vec::as_slice);
        let size = batch.len().div_ceil(self.partitions).max(1);
        scope.rdd(batch.chunks(size).map(|part| Partition::of(part.to_vec())).collect())
    }
}

/// What a program is made of: its input, and how many batches of a second it runs.
pub(super) struct Bed<T> {
    pub batches: Vec<Vec<T>>,
    /// In seconds.
    pub slide: u64,
    pub partitions: usize,
    /// In seconds.
    pub until: u64,
}

/// By the second of the batch, what a stream held then.
pub(super) type Output<U> = BTreeMap<u64, Vec<U>>;

impl<T: Data> Bed<T> {
    /// One with a batch each second, in two partitions, and some seconds without data at the end.
    pub fn new(batches: Vec<Vec<T>>) -> Self {
        let until = batches.len() as u64 + 5;
        Self { batches, slide: 1, partitions: 2, until }
    }

    fn program<U: Data>(&self, make: impl Fn(DStream<T>) -> DStream<U>) -> (Graph, DStream<U>) {
        let slide = Interval::from_secs(self.slide);
        let feed = Feed { batches: self.batches.clone(), slide, partitions: self.partitions };
        let builder = SharedBuilder::new(Interval::from_secs(1));
        let made =
            make(DStream { builder: builder.clone(), id: OperatorId(0), slide, stream: Arc::new(feed) });
        made.clone().for_each_batch(|_| ());
        let graph = builder.lock().seal().expect("the graph is whole");
        (graph, made)
    }

    /// What the stream that `make` makes holds in each batch.
    pub fn run<U: Data>(&self, make: impl Fn(DStream<T>) -> DStream<U>) -> Output<U> {
        self.run_with_restarts(make, |_| false)
    }

    /// As [`run`](Self::run), with another program that goes on from a snapshot after each batch for which `restarts` says so.
    /// The snapshot is encoded a few batches after it was taken.
    pub fn run_with_restarts<U: Data>(
        &self,
        make: impl Fn(DStream<T>) -> DStream<U>,
        restarts: impl Fn(u64) -> bool,
    ) -> Output<U> {
        let mut output = Output::new();
        let (mut graph, mut made) = self.program(&make);
        for second in 1..=self.until {
            self.batch(second, &graph, &made, &mut output);
            if restarts(second) {
                let frozen: Vec<_> = graph.stateful.iter().map(|node| node.freeze()).collect();
                for later in second + 1..=(second + 3).min(self.until) {
                    self.batch(later, &graph, &made, &mut Output::new());
                }
                (graph, made) = self.program(&make);
                for (node, chunks) in graph.stateful.iter().zip(frozen) {
                    restore(&**node, chunks.into_iter().map(|chunk| chunk()).collect());
                }
            }
        }
        output
    }

    fn batch<U: Data>(&self, second: u64, graph: &Graph, made: &DStream<U>, output: &mut Output<U>) {
        let (time, inputs) = (BatchTime(ZERO.0 + second * 1000), BTreeMap::new());
        let workers = Workers { executor: Arc::new(InLine), hasher: KeyHasher::new(HASHER_SEED) };
        let scope = BatchScope::new(time, ZERO, &inputs, workers);
        graph.stateful.iter().for_each(|node| node.advance(&scope));
        if scope.is_due(made.slide) {
            output.insert(second, made.stream.compute(&scope).collect());
        }
    }
}

fn restore(node: &dyn Stateful, chunks: Vec<Vec<u8>>) {
    let chunks: Vec<_> = chunks.iter().map(Vec::as_slice).collect();
    node.restore(&chunks, KeyHasher::new(HASHER_SEED)).expect("its own chunks");
}

/// The second of a batch time.
pub(super) fn second(time: BatchTime) -> u64 {
    (time.0 - ZERO.0) / 1000
}

/// Batches of random records: mostly few of a few keys, at times none, at times hundreds of many keys.
pub(super) fn random_batches(seed: u64, count: usize) -> Vec<Vec<(String, i64)>> {
    let mut state = seed;
    let mut below = move |bound: u64| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        KeyHasher::new(state).hash(&state) % bound
    };
    let mut batch = |_| {
        let (records, keys) = match below(6) {
            0 => (0, 1),
            1 => (500, 2000),
            _ => (below(8), 6),
        };
        (0..records).map(|_| (format!("k{}", below(keys)), below(20) as i64 - 5)).collect()
    };
    (0..count).map(&mut batch).collect()
}

/// In the order of their keys, which is not that of the stream.
pub(super) fn sorted<U: Ord + Clone>(output: &Output<U>) -> Output<U> {
    let mut sorted = output.clone();
    sorted.values_mut().for_each(|records| records.sort());
    sorted
}
