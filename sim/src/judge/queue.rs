//! A part of I1: what a scenario's queue owes.
//!
//! Verified: the batches that took something of the queue, in the order of their times, took its elements, in theirs: each whole, each
//! once, one a batch. The expectation comes from the scenario alone. Not verified: in which batches, since a batch takes none where the
//! disk was too slow for the next one to be durable by then; and how many were taken in the end, beyond what `orderly_stop` says of
//! blocks in no batch.

use crate::run::TappedBatch;

pub(super) fn violations(queue: &[Vec<String>], batches: &[TappedBatch]) -> Option<String> {
    let mut elements = queue.iter();
    let mut took = batches.iter().filter(|batch| !batch.queued.is_empty());
    took.find_map(|batch| {
        let (element, taken) = (elements.next(), &batch.queued);
        (element != Some(taken)).then(|| {
            let next = element.map_or_else(|| "nothing".to_owned(), |element| format!("{element:?}"));
            format!("batch {} has {taken:?} of the queue, where {next} was next", batch.time)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_core::BatchTime;

    #[test]
    fn each_element_is_in_one_batch_whole_and_in_its_turn() {
        let own = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        let queue = [own(&["a", "b"]), own(&["c"])];
        let told = |taken: &[&[&str]]| {
            let batch = |(time, queued): (u64, &&[&str])| TappedBatch {
                time: BatchTime(time * 1000),
                lines: own(&["of the source"]),
                queued: own(queued),
            };
            violations(&queue, &(1..).zip(taken).map(batch).collect::<Vec<_>>())
        };
        let right: [&[&[&str]]; 3] = [&[], &[&["a", "b"], &["c"]], &[&[], &["a", "b"], &[], &["c"], &[]]];
        for right in right {
            assert_eq!(told(right), None);
        }
        let wrong: [&[&[&str]]; 5] = [
            &[&["a", "b", "c"]],
            &[&["c"], &["a", "b"]],
            &[&["a"], &["b"]],
            &[&["a", "b"], &["a", "b"]],
            &[&["a", "b"], &["c"], &["c"]],
        ];
        for wrong in wrong {
            assert!(told(wrong).is_some(), "{wrong:?}");
        }
    }
}
