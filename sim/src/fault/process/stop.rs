//! The driver is asked to stop in the middle of the stream, and started again later: an upgrade, a move to another machine.
//!
//! What it does: the supervisor asks for an orderly stop; the driver must take what it has received, process it and end
//! without an error. Missed when no driver is up then.

use super::super::{Aim, Kind, Trigger, Until, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An orderly stop in the middle of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Milliseconds of virtual time since the run's start.
    pub at_ms: u64,
    /// The supervisor starts the next life so many milliseconds after the driver has ended.
    pub restart_after_ms: u64,
}

impl Kind for Stop {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self { at_ms: aim.time_ms(rng), restart_after_ms: rng.magnitude(1..=3_000) }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Time { at_ms: self.at_ms })
    }

    fn lasts_ms(&self) -> u64 {
        self.restart_after_ms
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("ASK", "the driver is asked to stop in the middle of the stream")
    }

    fn until(&self) -> Until {
        Until::Moment
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "orderly stop at {} ms, restart after {} ms", self.at_ms, self.restart_after_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = Stop { at_ms: 10, restart_after_ms: 5 };
        assert_eq!(fault.to_string(), "orderly stop at 10 ms, restart after 5 ms");
    }

    #[test]
    fn on_the_timeline_it_is_a_moment_in_which_the_driver_is_asked() {
        let fault = Stop { at_ms: 10, restart_after_ms: 5 };
        let words = Words::new("ASK", "the driver is asked to stop in the middle of the stream");
        assert_eq!(fault.on_timeline(false), words);
        assert_eq!(fault.until(), Until::Moment);
    }
}
