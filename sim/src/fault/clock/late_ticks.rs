//! Sleepers wake up late, as on a machine that has too much to do.
//!
//! What it does: every sleep of the driver that begins within that time lasts so much longer, never less. Missed when the
//! run is over before.

use super::super::{Aim, Kind, Trigger, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Ticks that come late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LateTicks {
    /// Milliseconds of virtual time since the run's start.
    pub at_ms: u64,
    /// For so many milliseconds.
    pub for_ms: u64,
    /// Each sleep lasts so many milliseconds longer.
    pub late_ms: u64,
}

impl Kind for LateTicks {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self { at_ms: aim.time_ms(rng), for_ms: rng.magnitude(1..=10_000), late_ms: rng.magnitude(1..=4_000) }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Time { at_ms: self.at_ms })
    }

    fn lasts_ms(&self) -> u64 {
        self.for_ms.saturating_add(self.late_ms)
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new(
            "LATE TICKS",
            format!("for {} ms sleepers wake up to {} ms late", self.for_ms, self.late_ms),
        )
    }
}

impl fmt::Display for LateTicks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ticks come {} ms late at {} ms for {} ms", self.late_ms, self.at_ms, self.for_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = LateTicks { at_ms: 7, for_ms: 40, late_ms: 3 };
        assert_eq!(fault.to_string(), "ticks come 3 ms late at 7 ms for 40 ms");
    }

    #[test]
    fn the_timeline_says_how_late_sleepers_wake_up() {
        let fault = LateTicks { at_ms: 7, for_ms: 40, late_ms: 3 };
        let words = Words::new("LATE TICKS", "for 40 ms sleepers wake up to 3 ms late");
        assert_eq!(fault.on_timeline(false), words);
    }
}
