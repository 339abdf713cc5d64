//! The source is far ahead of the driver: it has all its lines at once.
//!
//! What it does: from the given time on every line is due, so the source sends as fast as it can and the driver must hold it back.
//! Missed when the run is over before, or every line was sent.

use super::super::{Aim, Kind, Trigger, Words};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A source that is far ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FarAhead {
    /// Milliseconds of virtual time since the run's start.
    pub at_ms: u64,
}

impl Kind for FarAhead {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self { at_ms: aim.time_of_a_line_ms(rng) }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Time { at_ms: self.at_ms })
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("FAR AHEAD", "the source has all its lines at once")
    }
}

impl fmt::Display for FarAhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "all lines are due at {} ms", self.at_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = FarAhead { at_ms: 7 };
        assert_eq!(fault.to_string(), "all lines are due at 7 ms");
    }

    #[test]
    fn the_timeline_says_that_all_lines_are_there() {
        let fault = FarAhead { at_ms: 7 };
        let words = Words::new("FAR AHEAD", "the source has all its lines at once");
        assert_eq!(fault.on_timeline(false), words);
    }
}
