//! The driver's process stands still for a while, as a virtual machine that is moved, or a process that is stopped and
//! continued.
//!
//! What it does: from the trigger on none of the driver's tasks runs; time and the world go on. Then all go on where they
//! were. An operation that is hit before its effect is made anew then, and counts again; one that is hit inside or after it
//! has its whole effect, of which the driver hears then, if it is one of the disk, or just before. Nobody starts another
//! driver. Missed when the trigger is.

use super::super::{Aim, Kind, Trigger, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A pause of the driver's process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// When.
    pub trigger: Trigger,
    /// For so many milliseconds.
    pub for_ms: u64,
}

impl Kind for Pause {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self { trigger: aim.operation_or_time(rng), for_ms: rng.magnitude(1..=8_000) }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(self.trigger.clone())
    }

    fn lasts_ms(&self) -> u64 {
        self.for_ms
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("PAUSE", format!("the process stands still for {} ms", self.for_ms))
    }
}

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pause of {} ms {}", self.for_ms, self.trigger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = Pause { trigger: Trigger::Time { at_ms: 10 }, for_ms: 7 };
        assert_eq!(fault.to_string(), "pause of 7 ms at 10 ms");
    }

    #[test]
    fn the_timeline_says_how_long_the_process_stands_still() {
        let fault = Pause { trigger: Trigger::Time { at_ms: 10 }, for_ms: 7 };
        let words = Words::new("PAUSE", "the process stands still for 7 ms");
        assert_eq!(fault.on_timeline(false), words);
    }
}
