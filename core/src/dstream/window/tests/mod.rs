//! Each window against what it means, written down as plainly as can be: over random batches, some of them empty and some
//! passed over, with a crash behind every single one.

mod graph;
mod inverse;
mod large;
mod plain;

use crate::dstream::{
    DStream,
    in_line::trial::{Record, batches, by_group},
};

/// Windows and slides, in batches: at rest, long, overlapping unevenly, side by side, apart.
const SPANS: [(u64, u64); 10] =
    [(1, 1), (3, 1), (20, 1), (3, 2), (5, 2), (7, 3), (4, 4), (12, 4), (2, 3), (1, 5)];

type Pairs = DStream<Record>;

/// One type of function for all tests: each one more is each operator once more in the binary.
type Combine = fn(i64, i64) -> i64;
const ADD: Combine = |a, b| a + b;
const TAKE_OFF: Combine = |a, b| a - b;

fn sums(stream: Pairs, window: u64, slide: u64) -> Pairs {
    stream.reduce_by_key_and_window_inverse(ADD, TAKE_OFF, batches(window), batches(slide))
}

fn sums_but_zeros(stream: Pairs, window: u64, slide: u64) -> Pairs {
    let (window, slide) = (batches(window), batches(slide));
    stream.reduce_by_key_and_window_inverse_filter(ADD, TAKE_OFF, window, slide, |_, sum| *sum != 0)
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
