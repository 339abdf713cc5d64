//! What routine steps come to: a step's own share, and the sum of a folded stretch.

use super::{layout::count, moments};
use highwater_core::BatchTime;

/// What one or more routine steps did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// The first and the last batch that was worked on.
    pub batches: Option<(BatchTime, BatchTime)>,
    pub completed: u64,
    /// Records of the completed batches.
    pub records: u64,
    pub blocks_stored: u64,
    pub checkpoints: u64,
    pub snapshots: u64,
    pub files_trimmed: u64,
    pub segments: u64,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        // Taken apart, so that a count that is added later cannot be forgotten here.
        let Self {
            batches,
            completed,
            records,
            blocks_stored,
            checkpoints,
            snapshots,
            files_trimmed,
            segments,
        } = *other;
        self.batches = match (self.batches, batches) {
            (Some((from, to)), Some((other_from, other_to))) => {
                Some((from.min(other_from), to.max(other_to)))
            }
            (mine, theirs) => mine.or(theirs),
        };
        self.completed += completed;
        self.records += records;
        self.blocks_stored += blocks_stored;
        self.checkpoints += checkpoints;
        self.snapshots += snapshots;
        self.files_trimmed += files_trimmed;
        self.segments += segments;
    }

    /// In words, without what did not happen.
    pub fn in_words(&self) -> String {
        let parts = [
            (self.completed, "completed".to_owned()),
            (self.completed, count(self.records, "record")),
            (self.blocks_stored, format!("{} stored", count(self.blocks_stored, "block"))),
            (self.checkpoints, count(self.checkpoints, "checkpoint")),
            (self.snapshots, count(self.snapshots, "snapshot")),
            (self.files_trimmed, format!("{} trimmed", count(self.files_trimmed, "file"))),
            (self.segments, count(self.segments, "new segment")),
        ];
        let mut words: Vec<String> = Vec::new();
        for (n, text) in parts.into_iter().filter(|(n, _)| *n > 0) {
            words.push(if text == "completed" { format!("{n} {text}") } else { text });
        }
        let words = words.join(", ");
        match self.batches {
            Some((from, to)) if from == to => format!("batch {}: {words}", moments::batch(from)),
            Some((from, to)) => format!("batches {}: {words}", moments::batches(from, to)),
            None => words,
        }
    }
}
