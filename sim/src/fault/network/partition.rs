//! The network between the driver and the source is cut, in one direction or both.
//!
//! What it does: for a while nothing that is sent in that direction arrives; it arrives when the partition is over, as TCP sends it
//! again, and so does what was under way. A connect gets no answer until then: it needs both directions. Keep-alive does too: an end
//! to which nothing arrived for its time gives the connection up with `TimedOut` and tells nobody. The other end takes the
//! connection for sound until its next probe or write that gets through is answered with a reset. Missed when the run is over before.

use super::super::{Aim, Kind, Trigger, Words};
use crate::{
    network::{KEEPALIVE_MS, PROBE_MS},
    rng::Draws,
};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A partition of driver and source, one-way or full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// Milliseconds of virtual time since the run's start.
    pub at_ms: u64,
    /// For so many milliseconds.
    pub for_ms: u64,
    /// What does not arrive.
    pub direction: Direction,
}

/// In which direction nothing arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the source to the driver.
    ToDriver,
    /// From the driver to the source.
    ToSource,
    /// Both.
    Both,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ToDriver => "towards the driver",
            Self::ToSource => "towards the source",
            Self::Both => "in both directions",
        })
    }
}

impl Kind for Partition {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        // Some outlast keep-alive.
        let for_ms = match rng.one_in(5) {
            true => rng.between(KEEPALIVE_MS..=2 * KEEPALIVE_MS),
            false => rng.magnitude(1..=20_000),
        };
        let direction = *rng.pick(&[Direction::ToDriver, Direction::ToSource, Direction::Both]);
        Self { at_ms: aim.time_ms(rng), for_ms, direction }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Time { at_ms: self.at_ms })
    }

    /// One end may have to be told that the other has given up.
    fn lasts_ms(&self) -> u64 {
        self.for_ms.saturating_add(if self.for_ms > KEEPALIVE_MS { PROBE_MS } else { 0 })
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("PARTITION", format!("for {} ms nothing arrives {}", self.for_ms, self.direction))
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "partition {} at {} ms for {} ms", self.direction, self.at_ms, self.for_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = Partition { at_ms: 5, for_ms: 70, direction: Direction::ToDriver };
        assert_eq!(fault.to_string(), "partition towards the driver at 5 ms for 70 ms");
    }

    #[test]
    fn the_timeline_says_where_nothing_arrives() {
        let fault = Partition { at_ms: 5, for_ms: 70, direction: Direction::ToDriver };
        let words = Words::new("PARTITION", "for 70 ms nothing arrives towards the driver");
        assert_eq!(fault.on_timeline(false), words);
    }
}
