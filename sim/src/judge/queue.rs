//! A part of I1: what a scenario's queue owes.
//!
//! Verified: the batches that took something of the queue, in the order of their times, took its elements, in theirs: each whole, each
//! once, one a batch; and while there are more, some one of [`IDLE_MAX`] batches in a row takes one. The expectation comes from the scenario
//! alone. Not verified: in which batches, since a batch takes none where the disk was too slow for the next one to be durable by then, or
//! where it is made up for after the time that nobody ran; and, of runs with damage, that all are taken.

use crate::{fault::Class, run::TappedBatch};

/// How many batches in a row take nothing of a queue that has more: longer than any disk is slow and any driver is down.
const IDLE_MAX: usize = 12;

pub(super) fn violations(queue: &[Vec<String>], batches: &[TappedBatch], class: Class) -> Option<String> {
    let (mut elements, mut idle) = (queue.iter(), 0);
    for batch in batches {
        let taken = &batch.queued;
        if taken.is_empty() {
            idle += usize::from(elements.len() > 0);
            if idle > IDLE_MAX && class == Class::Tolerated {
                let left = elements.len();
                return Some(format!(
                    "{idle} batches up to {} took nothing of the queue, and {left} elements are left",
                    batch.time
                ));
            }
            continue;
        }
        idle = 0;
        let element = elements.next();
        if element != Some(taken) {
            let next = element.map_or_else(|| "nothing".to_owned(), |element| format!("{element:?}"));
            return Some(format!("batch {} has {taken:?} of the queue, where {next} was next", batch.time));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_core::BatchTime;

    #[test]
    fn each_element_is_in_one_batch_whole_and_in_its_turn() {
        let own = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        let queue = [own(&["a", "b"]), own(&["c"])];
        let told = |taken: &[&[&str]], class| {
            let batch = |(time, queued): (u64, &&[&str])| TappedBatch {
                time: BatchTime(time * 1000),
                lines: own(&["of the source"]),
                queued: own(queued),
            };
            violations(&queue, &(1..).zip(taken).map(batch).collect::<Vec<_>>(), class)
        };
        let right: [&[&[&str]]; 3] = [&[], &[&["a", "b"], &["c"]], &[&[], &["a", "b"], &[], &["c"], &[]]];
        for right in right {
            assert_eq!(told(right, Class::Tolerated), None);
        }
        let wrong: [&[&[&str]]; 5] = [
            &[&["a", "b", "c"]],
            &[&["c"], &["a", "b"]],
            &[&["a"], &["b"]],
            &[&["a", "b"], &["a", "b"]],
            &[&["a", "b"], &["c"], &["c"]],
        ];
        for wrong in wrong {
            assert!(told(wrong, Class::Detectable).is_some(), "{wrong:?}");
        }
        let idle = |batches: usize| [&[&["a", "b"][..]], &vec![&[][..]; batches][..]].concat();
        assert!(told(&idle(IDLE_MAX + 1), Class::Tolerated).is_some());
        assert_eq!(told(&idle(IDLE_MAX), Class::Tolerated), None);
        assert_eq!(told(&idle(IDLE_MAX + 1), Class::Detectable), None);
        let over = [&[&["a", "b"][..], &["c"]], &idle(IDLE_MAX + 1)[1..]].concat();
        assert_eq!(told(&over, Class::Tolerated), None);
    }
}
