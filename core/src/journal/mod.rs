//! The write-ahead log: what was received, which blocks are in which batch, which batches are done.
//!
//! It is a sequence of *segments*, `journal/SEGMENT-GENERATION.wal`, numbered across all generations. A driver writes only to
//! segments that it began itself. Each begins with a header that names the retained segments before it with their lengths:
//! that fixes, once and for all, where a torn tail of an earlier life ends.
//!
//! Beside each segment lies `SEGMENT-GENERATION.durable`, to which a *mark* is appended after every successful sync: "the
//! segment is durable up to here". It is never synced itself, so a power loss may take the newest marks; but a mark that is
//! there is true. Damage below the last mark is therefore damage, and an error; behind it, it is the torn tail of a write
//! that was never acknowledged, and is dropped.

mod entry;
mod reader;
mod writer;

pub use entry::{Allocation, Block, BlockRange, Completion, SegmentHeader, SinkProgress};
pub(crate) use entry::{DurableMark, Entry};
pub(crate) use reader::{FoundJournal, list_segments, read_block, read_file, read_journal};
pub use reader::{Record, Segment, decode_segment};
pub(crate) use writer::{Journal, Location};

use crate::ids::{Generation, SegmentId};
use std::{
    fmt,
    path::{Path, PathBuf},
};

/// The name of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct SegmentName {
    /// Its number.
    pub segment: SegmentId,
    /// The generation that wrote it.
    pub generation: Generation,
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010}-{:010}", self.segment.0, self.generation.0)
    }
}

impl SegmentName {
    /// The name before the extension of a file name of this form.
    pub fn parse(stem: &str) -> Option<Self> {
        let (segment, generation) = stem.split_once('-')?;
        let name = Self {
            segment: SegmentId(segment.parse().ok()?),
            generation: Generation(generation.parse().ok()?),
        };
        (name.to_string() == stem).then_some(name)
    }

    pub(crate) fn wal(self, journal: &Path) -> PathBuf {
        journal.join(format!("{self}.wal"))
    }

    pub(crate) fn marks(self, journal: &Path) -> PathBuf {
        journal.join(format!("{self}.durable"))
    }
}
