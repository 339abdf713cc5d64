//! The network is slow for a while.
//!
//! What it does: whatever is sent in that time is under way for longer. What is sent after it does not overtake it. Missed when the
//! run is over before.

use super::super::{Aim, Kind, Trigger, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A network that is slow for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// Milliseconds of virtual time since the run's start.
    pub at_ms: u64,
    /// For so many milliseconds.
    pub for_ms: u64,
    /// Each write is under way for so many milliseconds more.
    pub extra_ms: u64,
}

impl Kind for Latency {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self {
            at_ms: aim.time_ms(rng),
            for_ms: rng.magnitude(1..=10_000),
            extra_ms: rng.magnitude(1..=3_000),
        }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Time { at_ms: self.at_ms })
    }

    fn lasts_ms(&self) -> u64 {
        // A connect goes there and back.
        self.for_ms.saturating_add(self.extra_ms.saturating_mul(2))
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("LATENCY", format!("for {} ms everything arrives {} ms later", self.for_ms, self.extra_ms))
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms more latency at {} ms for {} ms", self.extra_ms, self.at_ms, self.for_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = Latency { at_ms: 5, for_ms: 70, extra_ms: 200 };
        assert_eq!(fault.to_string(), "200 ms more latency at 5 ms for 70 ms");
    }

    #[test]
    fn the_timeline_says_how_much_later_everything_arrives() {
        let fault = Latency { at_ms: 5, for_ms: 70, extra_ms: 200 };
        let words = Words::new("LATENCY", "for 70 ms everything arrives 200 ms later");
        assert_eq!(fault.on_timeline(false), words);
    }
}
