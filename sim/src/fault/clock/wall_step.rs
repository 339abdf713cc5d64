//! The wall clock steps, forward or back, by milliseconds or by a year, while the driver runs or while it is down.
//!
//! What it does: from the trigger on the wall clock of every node is another. The monotonic clock is not. Missed when the
//! trigger is.

use super::super::{Aim, Kind, Trigger, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A step of the wall clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WallStep {
    /// When.
    pub trigger: Trigger,
    /// By so many milliseconds; negative is back.
    pub by_ms: i64,
}

impl Kind for WallStep {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        let by_ms = match rng.one_in(6) {
            true => 365 * 86_400_000,
            false => rng.magnitude(1..=7_200_000) as i64,
        };
        Self { trigger: aim.start_or_time(rng), by_ms: if rng.one_in(2) { by_ms } else { -by_ms } }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(self.trigger.clone())
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("WALL STEP", format!("the wall clock steps by {} ms", self.by_ms))
    }
}

impl fmt::Display for WallStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the wall clock steps by {} ms {}", self.by_ms, self.trigger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Life;

    #[test]
    fn it_reads_as_one_line() {
        let fault = WallStep { trigger: Trigger::Start { life: Life(2) }, by_ms: -5 };
        assert_eq!(fault.to_string(), "the wall clock steps by -5 ms before life 2");
    }

    #[test]
    fn the_timeline_says_which_way_the_clock_steps() {
        let fault = WallStep { trigger: Trigger::Time { at_ms: 10 }, by_ms: -5 };
        let words = Words::new("WALL STEP", "the wall clock steps by -5 ms");
        assert_eq!(fault.on_timeline(false), words);
    }
}
