//! A write lands in the wrong place.
//!
//! What it does: the bytes of the append at the trigger land in another file of the checkpoint directory, over what is there and not
//! beyond its end, and their own place holds zeros; the length grows as it should. Reads see the right bytes of both files until the
//! life ends, from the page cache. Detectable. Missed when the trigger is not reached by an append into the checkpoint directory, or
//! the place holds no other file with any content.

use super::super::{Aim, DiskOperation, Kind, Place, Trigger, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A write that lands in another place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MisdirectedWrite {
    /// When.
    pub trigger: Trigger,
    /// Where the file is that is hit.
    pub place: Place,
    /// Which other file of that place, from the newest, 0; modulo their number.
    pub file: u64,
    /// At which byte, modulo those that can be hit.
    pub byte: u64,
}

/// In bytes.
const SECTOR: u64 = 512;

impl Kind for MisdirectedWrite {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self {
            trigger: aim.disk(rng, |operation| operation == DiskOperation::Append),
            place: aim.place(rng),
            file: rng.magnitude(0..=3),
            byte: match rng.magnitude(0..=1 << 14) {
                // Every second one begins where a sector does, as on most disks: the first byte of a small file.
                byte if byte.is_multiple_of(2) => byte - byte % SECTOR,
                byte => byte,
            },
        }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(self.trigger.clone())
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("MISDIRECT", "the bytes land in another file, and zeros where they should be")
    }
}

impl fmt::Display for MisdirectedWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "misdirected write into byte {} of the file {} from the newest in {}, {}",
            self.byte, self.file, self.place, self.trigger
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Moment;
    use super::*;
    use crate::world::Life;

    #[test]
    fn it_reads_as_one_line() {
        let fault = MisdirectedWrite {
            trigger: Trigger::DiskOperation { life: Life(1), number: 4, moment: Moment::Before },
            place: Place::State,
            file: 1,
            byte: 9,
        };
        assert_eq!(
            fault.to_string(),
            "misdirected write into byte 9 of the file 1 from the newest in state, before disk operation 4 of life 1"
        );
    }

    #[test]
    fn the_timeline_says_that_both_places_are_wrong() {
        let fault =
            MisdirectedWrite { trigger: Trigger::Time { at_ms: 10 }, place: Place::State, file: 1, byte: 9 };
        let words = Words::new("MISDIRECT", "the bytes land in another file, and zeros where they should be");
        assert_eq!(fault.on_timeline(false), words);
    }
}
