//! The write-ahead log: what was received, which blocks are in which batch, which batches are done.
//!
//! It is a sequence of *segments*, `journal/SEGMENT-GENERATION.wal`, numbered across all generations. A driver writes only to
//! segments that it began itself. Each begins with a header that names the retained segments before it with their lengths:
//! that fixes, once and for all, where an earlier life's segment ends.
//!
//! Beside each segment lies `SEGMENT-GENERATION.durable`, to which a *mark* is appended after every successful sync: "the
//! segment is durable up to here". Only when the mark is synced too does anything count as durable: two syncs one after the other,
//! of which the second is small, are the price of telling damage from a torn write whenever the power goes. Damage below the
//! last mark is damage, and an error; behind it, it is the torn tail of a write that was never acknowledged, and is dropped. A
//! mark that cannot be read proves less, and not nothing (`marks.rs`). A last mark says that the next segment is durable, so that
//! it is missed if it is not there.
//!
//! What stands behind the last mark and is whole may be in the page cache alone: a sync of an earlier life may have failed and
//! dropped it, and no later sync of that file would tell. So nothing relies on it there. The next life *carries* these records
//! into the segment that it begins, in one append with the header, which says how many they are, and ends the segment before
//! at the mark. A segment without a mark whose carried records are not all there was never begun, and the one before counts.
//! If its first mark is lost, with a power loss, all of it is carried: what is carried is never more than one segment.

mod entry;
mod marks;
mod outline;
mod reader;
#[cfg(all(test, feature = "os"))]
mod tests;
mod writer;

pub use entry::{Allocation, Block, BlockRange, Completion, Record, SegmentHeader, SinkProgress};
pub(crate) use marks::decode_mark;
pub use marks::{DurableMark, MARK_BYTES, Marks, decode_marks};
pub(crate) use outline::outline;
pub(crate) use reader::{
    FoundJournal, Keep, WAL, cannot_read, list_segments, missing, read_block, read_file, read_if_there,
    read_journal, read_marks, segments_in, stale_list,
};
pub use reader::{Segment, decode_segment};
pub(crate) use writer::{Inherited, Journal, Location, Moved};

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

    /// What newer means: of the newest generation, and of that the last.
    pub(crate) fn age(self) -> (Generation, SegmentId) {
        (self.generation, self.segment)
    }

    pub(crate) fn wal(self, journal: &Path) -> PathBuf {
        journal.join(format!("{self}.wal"))
    }

    pub(crate) fn marks(self, journal: &Path) -> PathBuf {
        journal.join(format!("{self}.durable"))
    }
}
