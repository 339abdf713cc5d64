//! How what is kept of a batch is cut into chunks of a snapshot. A batch has as many records as came, and whoever encodes a chunk keeps
//! the batches that come from a thread meanwhile.

use crate::ids::BatchTime;
use std::ops::Range;

/// How many records a chunk has at most: of usual ones a fraction of a megabyte.
const RECORDS_MAX: usize = 1024;

/// The records of each chunk of so many; one chunk also of none.
pub(super) fn pieces(records: usize) -> impl Iterator<Item = Range<usize>> {
    let count = records.div_ceil(RECORDS_MAX).max(1);
    (0..count).map(move |piece| piece * RECORDS_MAX..((piece + 1) * RECORDS_MAX).min(records))
}

/// The chunks of lists of so many records each: which list, and which of its records. They come back by [`put`].
pub(super) fn pieces_of_each(lists: &[usize]) -> impl Iterator<Item = (u32, Range<usize>)> {
    (0..).zip(lists).flat_map(|(list, records)| pieces(*records).map(move |range| (list, range)))
}

/// The batch to which a chunk belongs, among those that came before it: the last one, or one that begins with it. `None` if the chunk
/// comes out of its turn.
pub(super) fn batch_of<B>(
    batches: &mut Vec<(BatchTime, B)>,
    time: BatchTime,
    begin: impl FnOnce() -> B,
) -> Option<&mut B> {
    match batches.last() {
        Some((last, _)) if *last > time => return None,
        Some((last, _)) if *last == time => {}
        _ => batches.push((time, begin())),
    }
    batches.last_mut().map(|(_, batch)| batch)
}

/// Puts the records of a chunk to their list.
///
/// # Errors
/// If it comes out of its turn.
pub(super) fn put<T>(lists: &mut Vec<Vec<T>>, list: u32, records: Vec<T>) -> Result<(), String> {
    match (list as usize).checked_sub(lists.len()) {
        Some(0) => lists.push(records),
        None if list as usize + 1 == lists.len() => lists[list as usize].extend(records),
        _ => return Err("the partitions of a batch are out of order in it".into()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_every_length_come_back_from_their_pieces() {
        let lengths = [0, 1, RECORDS_MAX, RECORDS_MAX + 1, 0, 3 * RECORDS_MAX];
        let lists: Vec<Vec<usize>> = lengths.iter().map(|length| (0..*length).collect()).collect();
        let mut back = Vec::new();
        for (list, range) in pieces_of_each(&lengths) {
            assert!(range.len() <= RECORDS_MAX);
            put(&mut back, list, lists[list as usize][range].to_vec()).unwrap();
        }
        assert_eq!(back, lists);
        for out_of_turn in [0, lists.len() as u32 + 1] {
            assert!(put(&mut back, out_of_turn, vec![1]).is_err_and(|error| error.contains("out of order")));
        }
    }
}
