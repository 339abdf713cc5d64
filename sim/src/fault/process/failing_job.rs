//! A computation fails once, as one that runs out of memory does, and succeeds when it is tried again.
//!
//! What it does: the given computation of the life ends with an error before it has begun. The driver may end with that
//! error; the batch must be done all the same, later. Missed when the life never makes so many.

use super::super::{Aim, Kind, Trigger, Words};
use crate::rng::Draws;
use crate::world::Life;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A computation that fails once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailingJob {
    /// In which life of the driver, from 1.
    pub life: Life,
    /// Which computation of that life, from 1.
    pub job: u64,
}

impl Kind for FailingJob {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self { life: aim.life(rng), job: rng.magnitude(1..=30) }
    }

    fn trigger(&self) -> Option<Trigger> {
        None
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("JOB FAILS", "the computation fails, and would succeed if tried again")
    }
}

impl fmt::Display for FailingJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "computation {} of life {} fails", self.job, self.life)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = FailingJob { life: Life(1), job: 3 };
        assert_eq!(fault.to_string(), "computation 3 of life 1 fails");
    }

    #[test]
    fn the_timeline_says_that_the_computation_fails_but_once() {
        let fault = FailingJob { life: Life(1), job: 3 };
        let words = Words::new("JOB FAILS", "the computation fails, and would succeed if tried again");
        assert_eq!(fault.on_timeline(false), words);
    }
}
