//! Batches of more records than a chunk of a snapshot has.

use super::{ADD, sums};
use crate::dstream::{
    DStream, Data,
    in_line::trial::{Input, Record, Trial, batches, run},
};
use std::fmt::Debug;

/// A batch with partitions of many records, of none and of one, one of as many keys again, and one of a few.
fn inputs() -> Vec<Input<Record>> {
    let many = |from: i64| (from..from + 40_000).map(|key| (format!("k{key}"), 1)).collect::<Vec<_>>();
    let few = vec![("k1".to_owned(), 5), ("k50000".to_owned(), 6)];
    vec![(1, vec![many(0), Vec::new(), few.clone()]), (2, vec![many(20_000)]), (3, vec![few])]
}

/// No chunk of a snapshot of it has more records than fit into so many bytes, and what is read back is the same.
#[track_caller]
fn comes_in_pieces<U: Data + PartialEq + Debug>(build: impl Fn(DStream<Record>) -> DStream<U>) {
    let trial = Trial::new(&build);
    for input in inputs() {
        trial.run(input);
        let longest = trial.freeze().into_iter().map(|(_, chunk)| chunk.len()).max();
        // Of a record 12 bytes at most.
        assert!(longest.is_some_and(|bytes| bytes < 16 << 10), "{longest:?}");
    }
    // With a crash behind each batch.
    assert_eq!(run(&inputs(), &build).len(), 3);
}

#[test]
fn a_window_of_many_records_is_in_pieces_in_a_snapshot() {
    comes_in_pieces(|stream| stream.window(batches(2), batches(1)));
}

#[test]
fn a_window_of_many_keys_is_in_pieces_in_a_snapshot() {
    comes_in_pieces(|stream| stream.reduce_by_key_and_window(ADD, batches(2), batches(1)));
}

#[test]
fn a_window_by_an_inverse_is_in_pieces_in_a_snapshot_with_its_table() {
    comes_in_pieces(|stream| sums(stream, 2, 1));
}
