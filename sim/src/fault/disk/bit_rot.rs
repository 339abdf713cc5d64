//! A bit of a durable file flips while nobody looks.
//!
//! What it does: at the trigger one bit of a file of the checkpoint directory is another one, for every later read; the pristine byte
//! is kept beside it. It hits a durable byte, or any byte of a file that has none.
//! Detectable: all invariants hold, or the driver stops with an error that names file and offset. Missed when the place holds no
//! file with any content.

use super::super::{Aim, Kind, Place, Trigger, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A bit of a durable file that flips at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BitRot {
    /// When.
    pub trigger: Trigger,
    /// Where the file is.
    pub place: Place,
    /// Which file of that place, from the newest, 0; modulo their number.
    pub file: u64,
    /// Which byte, modulo those that can be hit.
    pub byte: u64,
    /// Which bit, 0 to 7.
    pub bit: u8,
}

impl Kind for BitRot {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self {
            trigger: aim.start_or_time(rng),
            place: aim.place(rng),
            file: rng.magnitude(0..=3),
            byte: rng.magnitude(0..=1 << 14),
            bit: rng.below(8) as u8,
        }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(self.trigger.clone())
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new(
            "BIT ROT",
            format!(
                "a bit flips in a file of the place {}; the checksum that covers it must tell",
                self.place
            ),
        )
    }
}

impl fmt::Display for BitRot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "bit {} of byte {} of the file {} from the newest in {} rots {}",
            self.bit, self.byte, self.file, self.place, self.trigger
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Life;

    #[test]
    fn it_reads_as_one_line() {
        let fault = BitRot {
            trigger: Trigger::Start { life: Life(2) },
            place: Place::Journal,
            file: 0,
            byte: 99,
            bit: 3,
        };
        assert_eq!(
            fault.to_string(),
            "bit 3 of byte 99 of the file 0 from the newest in journal rots before life 2"
        );
    }

    #[test]
    fn the_timeline_says_that_a_checksum_must_tell() {
        let fault =
            BitRot { trigger: Trigger::Time { at_ms: 10 }, place: Place::Journal, file: 0, byte: 99, bit: 3 };
        let words = Words::new(
            "BIT ROT",
            "a bit flips in a file of the place journal; the checksum that covers it must tell",
        );
        assert_eq!(fault.on_timeline(false), words);
    }
}
