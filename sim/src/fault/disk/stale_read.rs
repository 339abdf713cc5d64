//! A read gives what was there earlier.
//!
//! What it does: the read, the length or the listing at the trigger answers as if the last append to that file, or the last change of
//! a name in that directory, had not happened yet. Detectable. Missed when the trigger is reached by no such operation in the
//! checkpoint directory, or it would have answered the same.

use super::super::{Aim, DiskOperation, Kind, Trigger, Words};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A read that gives what was there before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaleRead {
    /// When.
    pub trigger: Trigger,
}

impl Kind for StaleRead {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        let reads = |operation| {
            matches!(operation, DiskOperation::Read | DiskOperation::Length | DiskOperation::List)
        };
        Self { trigger: aim.disk(rng, reads) }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(self.trigger.clone())
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("STALE READ", "the driver sees what was there before")
    }
}

impl fmt::Display for StaleRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stale read {}", self.trigger)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Moment;
    use super::*;
    use crate::world::Life;

    #[test]
    fn it_reads_as_one_line() {
        let fault = StaleRead {
            trigger: Trigger::DiskOperation { life: Life(1), number: 4, moment: Moment::Before },
        };
        assert_eq!(fault.to_string(), "stale read before disk operation 4 of life 1");
    }

    #[test]
    fn the_timeline_says_that_the_driver_sees_the_past() {
        let fault = StaleRead { trigger: Trigger::Time { at_ms: 10 } };
        let words = Words::new("STALE READ", "the driver sees what was there before");
        assert_eq!(fault.on_timeline(false), words);
    }
}
