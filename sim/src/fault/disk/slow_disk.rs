//! The disk is slow for a while, or stalls.
//!
//! What it does: from the trigger on each disk operation takes the given time, before its effect or after it; with a duration of zero
//! it is one operation alone that stalls, the one at the trigger or the first after it. An operation that a crash overtakes before its
//! effect has none. Missed when the trigger is.

use super::super::{Aim, Kind, Trigger, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A disk that is slow for a while, or stalls once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowDisk {
    /// When.
    pub trigger: Trigger,
    /// For so many milliseconds; 0 for a single operation.
    pub for_ms: u64,
    /// Each operation takes so many milliseconds.
    pub latency_ms: u64,
}

impl Kind for SlowDisk {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        let stall = rng.one_in(2);
        Self {
            trigger: aim.disk_or_time(rng, |_| true),
            for_ms: if stall { 0 } else { rng.magnitude(1..=5_000) },
            latency_ms: if stall { rng.magnitude(1..=5_000) } else { rng.magnitude(1..=100) },
        }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(self.trigger.clone())
    }

    fn lasts_ms(&self) -> u64 {
        self.for_ms.saturating_add(self.latency_ms)
    }

    fn on_timeline(&self, _: bool) -> Words {
        match self.for_ms {
            0 => Words::new("DISK HANGS", format!("the operation takes {} ms", self.latency_ms)),
            for_ms => {
                let does = format!("for {for_ms} ms every operation takes {} ms", self.latency_ms);
                Words::new("SLOW DISK", does)
            }
        }
    }
}

impl fmt::Display for SlowDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.for_ms {
            0 => write!(f, "stall of {} ms {}", self.latency_ms, self.trigger),
            for_ms => {
                write!(f, "slow disk for {for_ms} ms, {} ms an operation, {}", self.latency_ms, self.trigger)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = SlowDisk { trigger: Trigger::Time { at_ms: 9 }, for_ms: 0, latency_ms: 40 };
        assert_eq!(fault.to_string(), "stall of 40 ms at 9 ms");
    }

    #[test]
    fn the_timeline_tells_a_stall_of_one_operation_from_a_slow_disk() {
        let stall = SlowDisk { trigger: Trigger::Time { at_ms: 9 }, for_ms: 0, latency_ms: 40 };
        let slow = SlowDisk { for_ms: 500, ..stall.clone() };
        assert_eq!(stall.on_timeline(false), Words::new("DISK HANGS", "the operation takes 40 ms"));
        let words = Words::new("SLOW DISK", "for 500 ms every operation takes 40 ms");
        assert_eq!(slow.on_timeline(false), words);
    }
}
