//! A life of the driver starts slowly: a cold cache, a disk that others use.
//!
//! What it does: each of the first disk operations of the life takes the given time, however long the others take. Missed when that
//! life never begins.

use super::super::{Aim, Kind, Trigger, Words};
use crate::rng::Draws;
use crate::world::Life;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A start that takes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowStart {
    /// In which life of the driver, from 1.
    pub life: Life,
    /// So many disk operations are slow.
    pub operations: u64,
    /// Each takes so many milliseconds.
    pub latency_ms: u64,
}

impl Kind for SlowStart {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self { life: aim.life(rng), operations: rng.magnitude(1..=100), latency_ms: rng.magnitude(1..=60) }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Start { life: self.life })
    }

    fn lasts_ms(&self) -> u64 {
        self.operations.saturating_mul(self.latency_ms)
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new(
            "SLOW START",
            format!("the first {} disk operations take {} ms each", self.operations, self.latency_ms),
        )
    }
}

impl fmt::Display for SlowStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "slow start of life {}: {} disk operations of {} ms each",
            self.life, self.operations, self.latency_ms
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = SlowStart { life: Life(2), operations: 9, latency_ms: 30 };
        assert_eq!(fault.to_string(), "slow start of life 2: 9 disk operations of 30 ms each");
    }

    #[test]
    fn the_timeline_says_how_many_operations_are_slow() {
        let fault = SlowStart { life: Life(2), operations: 9, latency_ms: 30 };
        let words = Words::new("SLOW START", "the first 9 disk operations take 30 ms each");
        assert_eq!(fault.on_timeline(false), words);
    }
}
