//! Which keys have been idle for too long: an index by the batch in which a key had its last record.
//!
//! A key is noted in each batch in which it has records, and its older notes stay: whether one still holds is looked up when its
//! time has come. So a batch costs what came in it and what came in those whose time is up, and never a look at every key.

use super::tracked::Tracked;
use crate::{ids::BatchTime, state::Slots};
use std::collections::{BTreeMap, VecDeque};

/// Below so many notes nobody minds those that do not hold.
const NOTES_MIN: usize = 64;

/// By the last batch of their keys, oldest first: positions in the table.
#[derive(Debug, Default)]
pub(super) struct TimeOuts {
    notes: VecDeque<(BatchTime, Vec<u32>)>,
    count: usize,
}

impl TimeOuts {
    /// The index of a table as it is.
    pub fn of<K: Eq + Clone, S: Clone>(slots: &Slots<K, Tracked<S>>) -> Self {
        let mut notes: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        for position in 0..slots.end() {
            if let Some(tracked) = slots.value(position) {
                notes.entry(tracked.touched).or_default().push(position);
            }
        }
        Self { notes: notes.into_iter().collect(), count: slots.len() }
    }

    /// Notes that a key had a record at `time`, which is no earlier than those of the notes before.
    pub fn note(&mut self, time: BatchTime, position: u32) {
        match self.notes.back_mut() {
            Some((last, positions)) if *last == time => positions.push(position),
            last => {
                assert!(last.is_none_or(|(last, _)| *last < time), "batch times go forward");
                self.notes.push_back((time, vec![position]));
            }
        }
        self.count += 1;
    }

    /// Whether a note is from before `threshold`.
    pub fn is_due(&self, threshold: BatchTime) -> bool {
        self.notes.front().is_some_and(|(time, _)| *time < threshold)
    }

    /// The keys whose last record was before `threshold`, by that, then in the order of the table.
    pub fn take_due<K: Eq + Clone, S: Clone>(
        &mut self,
        threshold: BatchTime,
        slots: &Slots<K, Tracked<S>>,
    ) -> Vec<u32> {
        let mut due = Vec::new();
        while self.is_due(threshold) {
            let (time, positions) = self.notes.pop_front().expect("it is due");
            self.count -= positions.len();
            let start = due.len();
            let holds = |position: &u32| slots.value(*position).is_some_and(|one| one.touched == time);
            due.extend(positions.into_iter().filter(holds));
            // After a restore they are noted in this order.
            due[start..].sort_unstable();
        }
        due
    }

    /// Whether most notes of a table with so many keys do not hold any more.
    pub fn is_stale(&self, keys: usize) -> bool {
        self.count > 2 * keys + NOTES_MIN
    }
}
