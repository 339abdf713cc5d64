//! A write is lost, though it was synced honestly.
//!
//! What it does: the append at the trigger never reaches the medium. Reads see it until the life ends, from the page cache; then its
//! bytes are zeros. Detectable. Missed when the trigger is not reached by an append into the checkpoint directory.

use super::super::{Aim, DiskOperation, Kind, Trigger, Words};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A write that never reaches the medium, though its sync succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LostWrite {
    /// When.
    pub trigger: Trigger,
}

impl Kind for LostWrite {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self { trigger: aim.disk(rng, |operation| operation == DiskOperation::Append) }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(self.trigger.clone())
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("LOST WRITE", "the bytes never reach the medium, and its sync says they did")
    }
}

impl fmt::Display for LostWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lost write {}", self.trigger)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Moment;
    use super::*;
    use crate::world::Life;

    #[test]
    fn it_reads_as_one_line() {
        let fault = LostWrite {
            trigger: Trigger::DiskOperation { life: Life(1), number: 4, moment: Moment::Before },
        };
        assert_eq!(fault.to_string(), "lost write before disk operation 4 of life 1");
    }

    #[test]
    fn the_timeline_says_that_the_sync_is_no_witness() {
        let fault = LostWrite { trigger: Trigger::Time { at_ms: 10 } };
        let words = Words::new("LOST WRITE", "the bytes never reach the medium, and its sync says they did");
        assert_eq!(fault.on_timeline(false), words);
    }
}
