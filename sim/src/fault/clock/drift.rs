//! The wall clock runs fast or slow.
//!
//! What it does: from the given time on the wall clock of every node gains or loses against the monotonic one, for ever.
//! Missed when the run is over before.

use super::super::{Aim, Kind, Trigger, Until, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A wall clock that drifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// Milliseconds of virtual time since the run's start.
    pub at_ms: u64,
    /// It gains so many millionths; negative loses.
    pub ppm: i64,
}

impl Kind for Drift {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        let ppm = rng.magnitude(1..=500_000) as i64;
        Self { at_ms: aim.time_ms(rng), ppm: if rng.one_in(2) { ppm } else { -ppm } }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Time { at_ms: self.at_ms })
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("DRIFT", format!("the wall clock is {} parts in a million fast from here on", self.ppm))
    }

    fn until(&self) -> Until {
        Until::EndOfRun
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the wall clock drifts by {} ppm at {} ms", self.ppm, self.at_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = Drift { at_ms: 7, ppm: -200 };
        assert_eq!(fault.to_string(), "the wall clock drifts by -200 ppm at 7 ms");
    }

    #[test]
    fn on_the_timeline_it_goes_on_until_the_end_of_the_run() {
        let fault = Drift { at_ms: 7, ppm: -200 };
        let words = Words::new("DRIFT", "the wall clock is -200 parts in a million fast from here on");
        assert_eq!(fault.on_timeline(false), words);
        assert_eq!(fault.until(), Until::EndOfRun);
    }
}
