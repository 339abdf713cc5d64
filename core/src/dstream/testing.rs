//! Graphs in unit tests: run batch by batch, frozen and restored, without a runtime.

use super::{
    BatchScope, DStream, Data, OperatorKind, Partition, Rdd, SharedBuilder, Stateful, Stream, Workers,
};
use crate::{
    checkpoint::restore,
    env::{BoxFuture, ComputeError, Executor, Task},
    ids::{BatchTime, Interval, OperatorId},
    state::KeyHasher,
};
use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
};

pub(super) const INTERVAL: Interval = Interval::from_secs(2);
/// No multiple of any slide.
const ZERO_TIME: BatchTime = BatchTime(1_000_000_370);

/// Numbers as good as random, the same in each run.
pub(super) struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// The number of a batch, from 1, and its records by partition.
pub(super) type Input<T> = (u64, Vec<Vec<T>>);

/// A graph between one stream of batches and what it makes of them.
pub(super) struct Trial<T, U> {
    batch: Batches<T>,
    output: DStream<U>,
    stateful: Vec<Arc<dyn Stateful>>,
}

impl<T: Data, U: Data + PartialEq + Debug> Trial<T, U> {
    pub fn new(build: impl FnOnce(DStream<T>) -> DStream<U>) -> Self {
        let builder = SharedBuilder::new(INTERVAL);
        let (input, batch) = input(&builder);
        let output = build(input);
        output.clone().for_each_batch(|_| {});
        let stateful = builder.lock().seal().expect("the graph is whole").stateful;
        Self { batch, output, stateful }
    }

    /// What the batch comes to; `None` if the output has none then.
    pub fn run(&self, (number, partitions): Input<T>) -> Option<Vec<U>> {
        *self.batch.lock().unwrap() = partitions;
        let workers = Workers { executor: Arc::new(InLine), hasher: hasher() };
        let time = BatchTime(ZERO_TIME.0 + number * INTERVAL.millis());
        let inputs = BTreeMap::new();
        let scope = BatchScope::new(time, ZERO_TIME, &inputs, workers);
        self.stateful.iter().for_each(|node| node.advance(&scope));
        scope.is_due(self.output.slide).then(|| {
            let records = self.output.stream.compute(&scope).collect();
            assert_eq!(self.output.stream.compute(&scope).collect(), records, "each consumer gets the same");
            records
        })
    }

    /// The snapshot after the last batch.
    pub fn freeze(&self) -> Vec<(OperatorId, Vec<u8>)> {
        let chunks = |node: &Arc<dyn Stateful>| {
            let id = node.id();
            node.freeze().into_iter().map(move |chunk| (id, chunk()))
        };
        self.stateful.iter().flat_map(chunks).collect()
    }

    pub fn restore(&self, snapshot: &[(OperatorId, Vec<u8>)]) -> Result<(), String> {
        restore(snapshot, &self.stateful, hasher())
    }
}

/// What comes of the batches, with their numbers: without a crash, and the same, with the same state in the end, after a crash
/// behind each of them.
pub(super) fn run<T: Data, U: Data + PartialEq + Debug>(
    inputs: &[Input<T>],
    build: impl Fn(DStream<T>) -> DStream<U>,
) -> Vec<(u64, Vec<U>)> {
    let trial = Trial::new(&build);
    let (mut snapshots, mut outputs) = (Vec::new(), Vec::new());
    for input in inputs {
        outputs.push((input.0, trial.run(input.clone())));
        snapshots.push(trial.freeze());
    }
    for (crash, snapshot) in (1..).zip(&snapshots) {
        let recovered = Trial::new(&build);
        recovered.restore(snapshot).expect("it was frozen");
        for (input, (number, output)) in inputs.iter().zip(&outputs).skip(crash) {
            assert_eq!(recovered.run(input.clone()), *output, "batch {number} after a crash behind {crash}");
        }
        assert_eq!(Some(&recovered.freeze()), snapshots.last(), "the state after a crash behind {crash}");
    }
    outputs.into_iter().filter_map(|(number, output)| Some((number, output?))).collect()
}

/// The partitions of the batch that is next.
pub(super) type Batches<T> = Arc<Mutex<Vec<Vec<T>>>>;

/// A stream of whatever is put into the batch.
pub(super) fn input<T: Data>(builder: &SharedBuilder) -> (DStream<T>, Batches<T>) {
    let id = builder.lock().add(OperatorKind::QueueStream.into(), &[]);
    let batch = Arc::new(Mutex::new(Vec::new()));
    let stream = Arc::new(Fed(batch.clone()));
    (DStream { builder: builder.clone(), id, slide: INTERVAL, stream }, batch)
}

pub(super) fn hasher() -> KeyHasher {
    KeyHasher::new(1)
}

struct Fed<T>(Batches<T>);

impl<T: Data> Stream<T> for Fed<T> {
    fn compute(&self, scope: &BatchScope<'_>) -> Rdd<T> {
        scope.rdd(self.0.lock().unwrap().iter().cloned().map(Partition::of).collect())
    }
}

struct InLine;

impl Executor for InLine {
    fn spawn(&self, name: &'static str, _task: BoxFuture<'static, ()>) -> Box<dyn Task> {
        unreachable!("a graph starts no task, and this is {name}")
    }

    fn compute(&self, job: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<(), ComputeError>> {
        job();
        Box::pin(async { Ok(()) })
    }

    fn parallel<'a>(&self, tasks: Vec<Box<dyn FnOnce() + Send + 'a>>) {
        tasks.into_iter().for_each(|task| task());
    }
}
