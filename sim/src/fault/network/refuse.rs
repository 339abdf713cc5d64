//! Connects are refused: the source is down, or its queue is full.
//!
//! What it does: the given attempts of the driver to connect fail with `ConnectionRefused`, after a round trip. Missed when the driver
//! never makes so many.

use super::super::{Aim, Kind, Trigger, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Connects that are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refuse {
    /// The first attempt of the whole run that is refused, from 1.
    pub attempt: u64,
    /// How many in a row.
    pub times: u64,
}

impl Kind for Refuse {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self { attempt: aim.attempt(rng), times: rng.magnitude(1..=8) }
    }

    fn trigger(&self) -> Option<Trigger> {
        None
    }

    /// As long as a driver takes to make so many attempts that tries once a second at least.
    fn lasts_ms(&self) -> u64 {
        self.times.saturating_mul(1_000)
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("REFUSE", format!("{} attempts to connect are refused", self.times))
    }
}

impl Refuse {
    /// The last attempt that is refused.
    pub(crate) fn last_attempt(&self) -> u64 {
        self.attempt.saturating_add(self.times.saturating_sub(1))
    }
}

impl fmt::Display for Refuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} refused connects from attempt {} on", self.times, self.attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = Refuse { attempt: 2, times: 3 };
        assert_eq!(fault.to_string(), "3 refused connects from attempt 2 on");
    }

    #[test]
    fn the_timeline_says_how_many_attempts_are_refused() {
        let fault = Refuse { attempt: 2, times: 3 };
        let words = Words::new("REFUSE", "3 attempts to connect are refused");
        assert_eq!(fault.on_timeline(false), words);
    }
}
