//! Batches are slower than the batch interval, so that they pile up.
//!
//! What it does: the given computations of the life take the given virtual time. Missed when the life never makes so many.

use super::super::{Aim, Kind, Trigger, Words};
use crate::rng::Draws;
use crate::world::Life;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Batches that take longer than the interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowBatch {
    /// In which life of the driver, from 1.
    pub life: Life,
    /// The first slow computation of that life, from 1.
    pub job: u64,
    /// How many are slow.
    pub jobs: u64,
    /// Each takes so many milliseconds.
    pub takes_ms: u64,
}

impl Kind for SlowBatch {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self {
            life: aim.life(rng),
            job: rng.magnitude(1..=20),
            jobs: rng.between(1..=4),
            takes_ms: rng.magnitude(50..=3_000),
        }
    }

    fn trigger(&self) -> Option<Trigger> {
        None
    }

    fn lasts_ms(&self) -> u64 {
        self.jobs.saturating_mul(self.takes_ms)
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new(
            "SLOW BATCH",
            format!("{} computations from here on take {} ms each", self.jobs, self.takes_ms),
        )
    }
}

impl fmt::Display for SlowBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} slow batches of {} ms from computation {} of life {} on",
            self.jobs, self.takes_ms, self.job, self.life
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = SlowBatch { life: Life(1), job: 3, jobs: 2, takes_ms: 1500 };
        assert_eq!(fault.to_string(), "2 slow batches of 1500 ms from computation 3 of life 1 on");
    }

    #[test]
    fn the_timeline_says_how_many_computations_are_slow() {
        let fault = SlowBatch { life: Life(1), job: 3, jobs: 2, takes_ms: 1500 };
        let words = Words::new("SLOW BATCH", "2 computations from here on take 1500 ms each");
        assert_eq!(fault.on_timeline(false), words);
    }
}
