//! An append is cut short.
//!
//! What it does: the append at the trigger writes a part of its bytes and returns an error, whatever the moment. Missed when the
//! trigger is not reached by an append.

use super::super::{Aim, DiskOperation, Kind, Trigger, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An append of which only a part is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShortWrite {
    /// When.
    pub trigger: Trigger,
    /// So many of 1024 parts of the bytes are written.
    pub part: u64,
}

impl Kind for ShortWrite {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self {
            trigger: aim.disk(rng, |operation| operation == DiskOperation::Append),
            part: rng.between(0..=1024),
        }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(self.trigger.clone())
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new(
            "SHORT",
            format!("{} of 1024 parts are written, and the driver is told an error", self.part),
        )
    }
}

impl fmt::Display for ShortWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "short write of {}/1024 {}", self.part, self.trigger)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Moment;
    use super::*;
    use crate::world::Life;

    #[test]
    fn it_reads_as_one_line() {
        let fault = ShortWrite {
            trigger: Trigger::DiskOperation { life: Life(1), number: 4, moment: Moment::Before },
            part: 512,
        };
        assert_eq!(fault.to_string(), "short write of 512/1024 before disk operation 4 of life 1");
    }

    #[test]
    fn the_timeline_says_how_much_is_written() {
        let fault = ShortWrite { trigger: Trigger::Time { at_ms: 10 }, part: 512 };
        let words = Words::new("SHORT", "512 of 1024 parts are written, and the driver is told an error");
        assert_eq!(fault.on_timeline(false), words);
    }
}
