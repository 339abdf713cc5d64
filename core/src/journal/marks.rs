//! The durable marks of a segment: how far it is known to be durable, as they are written and as they are read.
//!
//! Each mark stands in a slot of its own, padded with zeros, so that one that cannot be read hides none behind it, and no sector
//! holds half of one.
//!
//! A mark is appended after the sync of the segment alone, and nothing is appended to the segment before the mark is synced. So even
//! one that cannot be read proves something, if it is the last: all that was written before it was durable, which was a record at
//! least, and nothing was on its way behind it. So the segment must go on where the mark before it ends, and be whole to its
//! end; otherwise it is damaged. (A mark that was synced and rotted, and behind it a write that the power loss tore, look the same, and
//! end in the same error: what was acknowledged is not known then.) How much the first mark covers is known without it: the
//! header, and the records that the header says were written with it.

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
pub struct DurableMark {
    /// That many bytes of it.
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
            Ok((mark, _)) => {
                marks.length = marks.length.max(mark.length);
                marks.continued |= mark.continued;
                marks.read = marks.written + 1;
            }
            Err(error @ FrameError::Version { .. }) => {
                return Err((marks.written * MARK_BYTES as u64, error));
            }
            Err(_) => {}
        }
        marks.written += 1;
    }
    Ok(marks)
}

/// The mark in the slot of this number, and what is behind it in its slot.
pub(crate) fn decode_mark(
    name: SegmentName,
    number: u64,
    slot: &[u8],
) -> Result<(DurableMark, &[u8]), FrameError> {
    let (frame, bytes) = codec::read_frame(slot)?;
    if frame.generation != name.generation || frame.sequence != number {
        return Err(FrameError::Header { field: "generation or sequence number" });
    }
    Ok((frame.decode()?, &slot[bytes..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::SegmentId;

    const NAME: SegmentName = SegmentName { segment: SegmentId(4), generation: Generation(3) };

    fn three() -> Vec<u8> {
        let mark = |number| DurableMark { length: 100u64 << (28 * number), continued: number == 2 };
        (0..3).flat_map(|number| mark(number).slot(NAME.generation, number)).collect()
    }

    #[test]
    fn every_mark_fills_its_slot_however_long_the_segment_is() {
        assert_eq!(three().len(), 3 * MARK_BYTES);
        let mark = DurableMark { length: u64::MAX, continued: true };
        let slot = mark.slot(Generation(u64::MAX), 0);
        let name = SegmentName { generation: Generation(u64::MAX), ..NAME };
        let expected = Marks { length: u64::MAX, continued: true, written: 1, read: 1 };
        assert_eq!((slot.len(), decode_marks(name, &slot)), (MARK_BYTES, Ok(expected)));
    }

    #[test]
    fn a_mark_that_cannot_be_read_counts_and_hides_none_behind_it() {
        let whole = Marks { length: 100 << 56, continued: true, written: 3, read: 3 };
        assert_eq!(decode_marks(NAME, &three()), Ok(whole));
        for (number, left) in
            [(0, whole), (1, whole), (2, Marks { length: 100 << 28, continued: false, written: 3, read: 2 })]
        {
            let mut bytes = three();
            bytes[number * MARK_BYTES..][..MARK_BYTES].fill(0);
            assert_eq!(decode_marks(NAME, &bytes), Ok(left), "{number}");
        }
        let cut = &three()[..2 * MARK_BYTES + 1];
        let left = Marks { length: 100 << 28, continued: false, written: 3, read: 2 };
        assert_eq!(decode_marks(NAME, cut), Ok(left), "one byte of a mark proves as much as all of it");
    }

    #[test]
    fn a_mark_of_another_place_or_generation_is_none() {
        let bytes = three();
        let moved = [&bytes[..MARK_BYTES], &bytes[..MARK_BYTES]].concat();
        assert_eq!(decode_marks(NAME, &moved).map(|marks| (marks.written, marks.read)), Ok((2, 1)));
        let other = SegmentName { generation: Generation(2), ..NAME };
        assert_eq!(decode_marks(other, &bytes).map(|marks| (marks.written, marks.read)), Ok((3, 0)));
    }
}
