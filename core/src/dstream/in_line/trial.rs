//! A graph between one stream of batches and what it makes of them: run batch by batch, frozen and restored.

use super::{hasher, workers};
use crate::{
    checkpoint::restore,
    dstream::{
        BatchScope, Chunk, DStream, Data, OperatorKind, Partition, Rdd, SharedBuilder, Stateful, Stream,
    },
    ids::{BatchTime, Interval, OperatorId},
    state::KeyHasher,
};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Debug,
    sync::{Arc, Mutex},
};

pub(crate) const INTERVAL: Interval = Interval::from_secs(2);
/// No multiple of any slide.
const ZERO_TIME: BatchTime = BatchTime(1_000_000_370);
/// A snapshot is encoded so many batches after it was taken: what it holds must not change meanwhile.
const ENCODED_LATER: usize = 3;

/// So many intervals.
pub(crate) fn batches(count: u64) -> Interval {
    INTERVAL * count
}

/// The number of the batch of a time.
pub(crate) fn number(time: BatchTime) -> u64 {
    (time.0 - ZERO_TIME.0) / INTERVAL.millis()
}

/// The number of a batch, from 1, and its records by partition.
pub(crate) type Input<T> = (u64, Vec<Vec<T>>);

/// The numbers of the batches that a stream has, with its records then.
pub(crate) type Output<U> = Vec<(u64, Vec<U>)>;

/// What most tests make streams of.
pub(crate) type Record = (String, i64);

/// What a graph does to its input.
type Build<'a, T, U> = &'a dyn Fn(DStream<T>) -> DStream<U>;

/// Of the operators with a state, by their ids.
type Frozen = Vec<(OperatorId, Vec<Chunk>)>;

/// Each chunk with the operator that it is of.
pub(crate) type Snapshot = Vec<(OperatorId, Vec<u8>)>;

/// A graph under way.
pub(crate) struct Trial<T, U> {
    batch: Batches<T>,
    output: DStream<U>,
    stateful: Vec<Arc<dyn Stateful>>,
}

impl<T: Data, U: Data + PartialEq + Debug> Trial<T, U> {
    pub fn new(build: impl Fn(DStream<T>) -> DStream<U>) -> Self {
        Self::of(&build)
    }

    fn of(build: Build<'_, T, U>) -> Self {
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
        let time = BatchTime(ZERO_TIME.0 + number * INTERVAL.millis());
        let inputs = BTreeMap::new();
        let scope = BatchScope::new(time, ZERO_TIME, &inputs, workers());
        self.stateful.iter().for_each(|node| node.advance(&scope));
        scope.is_due(self.output.slide).then(|| {
            let records = self.output.stream.compute(&scope).collect();
            assert_eq!(self.output.stream.compute(&scope).collect(), records, "each consumer gets the same");
            records
        })
    }

    fn take(&self) -> Frozen {
        self.stateful.iter().map(|node| (node.id(), node.freeze())).collect()
    }

    /// The snapshot after the last batch.
    pub fn freeze(&self) -> Snapshot {
        encode(self.take())
    }

    pub fn restore(&self, snapshot: &[(OperatorId, Vec<u8>)]) -> Result<(), String> {
        restore(snapshot, &self.stateful, hasher())
    }
}

fn encode(frozen: Frozen) -> Snapshot {
    frozen.into_iter().flat_map(|(id, chunks)| chunks.into_iter().map(move |chunk| (id, chunk()))).collect()
}

/// What comes of the batches, with their numbers: without a crash, and the same, with the same snapshot in the end, after a crash
/// behind each of them.
pub(crate) fn run<T: Data, U: Data + PartialEq + Debug>(
    inputs: &[Input<T>],
    build: impl Fn(DStream<T>) -> DStream<U>,
) -> Output<U> {
    run_and_crash(inputs, &build, true)
}

/// As [`run`], of a table of states: what its snapshot holds is the same after a crash, and may be cut into other chunks, since keys that
/// were removed leave their places empty until it is read back.
pub(crate) fn run_of_table<T: Data, U: Data + PartialEq + Debug>(
    inputs: &[Input<T>],
    build: impl Fn(DStream<T>) -> DStream<U>,
) -> Output<U> {
    run_and_crash(inputs, &build, false)
}

fn run_and_crash<T: Data, U: Data + PartialEq + Debug>(
    inputs: &[Input<T>],
    build: Build<'_, T, U>,
    same_snapshot: bool,
) -> Output<U> {
    let trial = Trial::of(build);
    let (mut frozen, mut snapshots, mut outputs) = (VecDeque::new(), Vec::new(), Vec::new());
    for input in inputs {
        outputs.push((input.0, trial.run(input.clone())));
        frozen.push_back(trial.take());
        if frozen.len() > ENCODED_LATER {
            snapshots.extend(frozen.pop_front().map(encode));
        }
    }
    snapshots.extend(frozen.into_iter().map(encode));
    for (crash, snapshot) in (1..).zip(&snapshots) {
        let recovered = Trial::of(build);
        recovered.restore(snapshot).expect("it was frozen");
        for (input, (number, output)) in inputs.iter().zip(&outputs).skip(crash) {
            assert_eq!(recovered.run(input.clone()), *output, "batch {number} after a crash behind {crash}");
        }
        if same_snapshot {
            assert_eq!(Some(&recovered.freeze()), snapshots.last(), "the state after a crash behind {crash}");
        }
    }
    outputs.into_iter().filter_map(|(number, output)| Some((number, output?))).collect()
}

/// What comes of the batches without a crash: where there are too many to crash behind each of them.
pub(crate) fn run_through<T: Data, U: Data + PartialEq + Debug>(
    inputs: &[Input<T>],
    build: impl Fn(DStream<T>) -> DStream<U>,
) -> Output<U> {
    let trial = Trial::of(&build);
    inputs.iter().filter_map(|input| Some((input.0, trial.run(input.clone())?))).collect()
}

/// The partitions of the batch that is next.
pub(crate) type Batches<T> = Arc<Mutex<Vec<Vec<T>>>>;

/// A stream of whatever is put into the batch.
pub(crate) fn input<T: Data>(builder: &SharedBuilder) -> (DStream<T>, Batches<T>) {
    let id = builder.lock().add(OperatorKind::QueueStream.into(), &[]);
    let batch = Arc::new(Mutex::new(Vec::new()));
    let stream = Arc::new(Fed(batch.clone()));
    (DStream { builder: builder.clone(), id, slide: INTERVAL, stream }, batch)
}

struct Fed<T>(Batches<T>);

impl<T: Data> Stream<T> for Fed<T> {
    fn compute(&self, scope: &BatchScope<'_>) -> Rdd<T> {
        scope.rdd(self.0.lock().unwrap().iter().cloned().map(Partition::of).collect())
    }
}

/// Numbers as good as random, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// The keys of [`random`].
pub(crate) const KEYS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// Batches of up to six records in up to three partitions, the values between -2 and 2: sums cancel often. Every third or so is
/// empty, and twice some are passed over.
pub(crate) fn random(seed: u64) -> Vec<Input<Record>> {
    let mut numbers = Numbers(seed);
    let mut number = numbers.below(3);
    let batch = |_| {
        number += if numbers.below(12) == 0 { 1 + numbers.below(9) } else { 1 };
        let partitions = numbers.below(4);
        let mut partition = |_| {
            let records = numbers.below(3);
            let mut record = |_| (KEYS[numbers.below(6) as usize].to_owned(), numbers.below(5) as i64 - 2);
            (0..records).map(&mut record).collect()
        };
        (number, (0..partitions).map(&mut partition).collect())
    };
    (0..26).map(batch).collect()
}

/// So many batches: mostly few records of a few keys, at times none, at times hundreds of many keys, the values from -5 to 14; and five
/// without records at the end.
pub(crate) fn random_of_many_keys(seed: u64, count: u64) -> Vec<Input<Record>> {
    let mut numbers = Numbers(seed);
    let batch = |number| {
        let (records, keys) = match numbers.below(6) {
            0 => (0, 1),
            1 => (500, 2000),
            _ => (numbers.below(8), 6),
        };
        let mut record = |_| (format!("k{}", numbers.below(keys)), numbers.below(20) as i64 - 5);
        let records: Vec<Record> = (0..records).map(&mut record).collect();
        let size = records.len().div_ceil(1 + seed as usize % 3).max(1);
        (number, records.chunks(size).map(<[Record]>::to_vec).collect())
    };
    let mut inputs: Vec<Input<Record>> = (1..=count).map(batch).collect();
    inputs.extend((count + 1..=count + 5).map(|number| (number, Vec::new())));
    inputs
}

/// Batches of these records, one partition each, numbered from 1.
pub(crate) fn told(inputs: &[&[(&str, i64)]]) -> Vec<Input<Record>> {
    let record = |(key, value): &(&str, i64)| ((*key).to_owned(), *value);
    (1..).zip(inputs).map(|(number, batch)| (number, vec![batch.iter().map(record).collect()])).collect()
}

/// For every batch at which there is a window: its number, and what `f` makes of the batches in the window.
pub(crate) fn each_window<T, R>(
    inputs: &[Input<T>],
    (window, slide): (u64, u64),
    mut f: impl FnMut(&[&Vec<Vec<T>>]) -> R,
) -> Vec<(u64, R)> {
    let ends = inputs.iter().map(|(number, _)| *number).filter(|number| number.is_multiple_of(slide));
    let covered = |end: u64| {
        let inside = inputs.iter().filter(|(number, _)| number + window > end && *number <= end);
        inside.map(|(_, partitions)| partitions).collect::<Vec<_>>()
    };
    ends.map(|end| (end, f(&covered(end)))).collect()
}

/// The records of these batches, in their order.
pub(crate) fn records<T: Clone>(inside: &[&Vec<Vec<T>>]) -> Vec<T> {
    inside.iter().flat_map(|partitions| partitions.iter().flatten().cloned()).collect()
}

/// In the order of keyed results: by key group, and in a group as they came.
pub(crate) fn by_group<V>(mut pairs: Vec<(String, V)>) -> Vec<(String, V)> {
    pairs.sort_by_key(|(key, _)| KeyHasher::group(hasher().hash(key)));
    pairs
}

/// In the order of the records, which is not that of the stream.
pub(crate) fn sorted<V: Ord>(mut output: Output<V>) -> Output<V> {
    output.iter_mut().for_each(|(_, records)| records.sort());
    output
}
