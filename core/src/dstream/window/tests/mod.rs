//! Each window against what it means, written down as plainly as can be: over random batches, some of them empty and some
//! passed over, with a crash behind every single one.

mod graph;
mod inverse;
mod plain;

use crate::{
    dstream::testing::{INTERVAL, Input, Numbers, hasher},
    ids::Interval,
    state::KeyHasher,
};

/// Windows and slides, in batches: at rest, long, overlapping unevenly, side by side, apart.
const SPANS: [(u64, u64); 10] =
    [(1, 1), (3, 1), (20, 1), (3, 2), (5, 2), (7, 3), (4, 4), (12, 4), (2, 3), (1, 5)];

type Record = (&'static str, i64);

const KEYS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn batches(count: u64) -> Interval {
    INTERVAL * count
}

/// Batches of up to six records in up to three partitions, the values between -2 and 2: sums cancel often. Every third or so is
/// empty, and twice some are passed over.
fn random(seed: u64) -> Vec<Input<(String, i64)>> {
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

/// For every batch at which there is a window: its number, and what `f` makes of the batches in the window.
fn each_window<T, R>(
    inputs: &[Input<T>],
    (window, slide): (u64, u64),
    f: impl Fn(&[&Vec<Vec<T>>]) -> R,
) -> Vec<(u64, R)> {
    let ends = inputs.iter().map(|(number, _)| *number).filter(|number| number.is_multiple_of(slide));
    let covered = |end: u64| {
        let inside = inputs.iter().filter(|(number, _)| number + window > end && *number <= end);
        inside.map(|(_, partitions)| partitions).collect::<Vec<_>>()
    };
    ends.map(|end| (end, f(&covered(end)))).collect()
}

/// The records of these batches, in their order.
fn records<T: Clone>(inside: &[&Vec<Vec<T>>]) -> Vec<T> {
    inside.iter().flat_map(|partitions| partitions.iter().flatten().cloned()).collect()
}

/// In the order of keyed results: by key group, and in a group as they came.
fn by_group<V>(mut pairs: Vec<(String, V)>) -> Vec<(String, V)> {
    pairs.sort_by_key(|(key, _)| KeyHasher::group(hasher().hash(key)));
    pairs
}

/// Each key once, with all its values.
fn grouped<V>(records: Vec<(String, V)>) -> Vec<(String, Vec<V>)> {
    let mut groups: Vec<(String, Vec<V>)> = Vec::new();
    for (key, value) in records {
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    by_group(groups)
}

/// Batches of these records, one partition each, numbered from 1.
fn told(inputs: &[&[Record]]) -> Vec<Input<(String, i64)>> {
    let record = |(key, value): &Record| ((*key).to_owned(), *value);
    (1..).zip(inputs).map(|(number, batch)| (number, vec![batch.iter().map(record).collect()])).collect()
}
