//! The durable marks of a segment: how far it is known to be durable, as they are written and as they are read.
//!
//! Each mark stands in a slot of its own, padded with zeros, so that one that cannot be read hides none behind it, and no sector
//! holds half of one.
//!
//! A mark is appended after the sync of the segment alone, and nothing is appended to the segment before the mark is synced. So even
//! one that cannot be read proves something, if it is the last: all that was written before it was durable, which was a record at
//! least, and nothing was on its way behind it, unless the mark was there once and rotted. The segment must go on, then, where the
//! mark before it ends, and be whole to its end. How much the first mark covers is known without it: the header, and the
//! records that the header says were written with it.

use super::{Segment, SegmentName};
use crate::{
    codec::{self, FrameError, Kind, Payload},
    ids::Generation,
};
use serde::{Deserialize, Serialize};

/// The length of a mark's slot in bytes.
pub const MARK_BYTES: usize = 64;

/// The segment is durable up to this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DurableMark {
    pub length: u64,
    /// The next segment of the same generation is durable too.
    pub continued: bool,
}

impl Payload for DurableMark {
    const KIND: Kind = Kind::DurableMark;
    const SCHEMA: &'static str = "length u64, continued bool";
}

impl DurableMark {
    /// The slot of the mark of this number.
    pub fn slot(&self, generation: Generation, number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        codec::write_frame(&mut bytes, generation, number, self);
        bytes.resize(MARK_BYTES, 0);
        bytes
    }
}

/// What the marks of a segment say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The segment is durable up to here at the least.
    pub length: u64,
    /// The next segment of the same generation is durable too.
    pub continued: bool,
    /// How many there are.
    pub written: u64,
    /// How many there are up to the last one that can be read.
    pub read: u64,
}

impl Marks {
    /// Whether all is there of a segment that was durable when these were written.
    pub(super) fn hold_of(&self, segment: &Segment) -> bool {
        let is_last_unread = self.read < self.written;
        match self.written {
            0 => true,
            1 if is_last_unread => segment.is_begun(),
            _ if is_last_unread => {
                segment.is_begun() && segment.length > self.length && segment.tail.is_none()
            }
            _ => segment.length >= self.length,
        }
    }
}

/// Decodes the marks of a segment. One that cannot be read counts as written; each that can be is a lower bound.
///
/// # Errors
/// At which byte there is one of another version: another release was here, and what it says must not be left out.
pub fn decode_marks(name: SegmentName, bytes: &[u8]) -> Result<Marks, (u64, FrameError)> {
    let mut marks = Marks::default();
    for slot in bytes.chunks(MARK_BYTES) {
        match decode_mark(name, marks.written, slot) {
            Ok(mark) => {
                marks.length = marks.length.max(mark.length);
                marks.continued |= mark.continued;
                marks.read = marks.written + 1;
            }
            Err(error @ FrameError::Version { .. }) => return Err((marks.written * MARK_BYTES as u64, error)),
            Err(_) => {}
        }
        marks.written += 1;
    }
    Ok(marks)
}

fn decode_mark(name: SegmentName, number: u64, slot: &[u8]) -> Result<DurableMark, FrameError> {
    let (frame, _) = codec::read_frame(slot)?;
    if frame.generation != name.generation || frame.sequence != number {
        return Err(FrameError::Header { field: "generation or sequence number" });
    }
    frame.decode()
}
