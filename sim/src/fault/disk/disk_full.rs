//! The disk is full for a while.
//!
//! What it does: from the trigger on, what needs space fails with ENOSPC: creating a file or a directory that is not there, and
//! appending, of which a part may be written. Removing, renaming, truncating, syncing and reading go on. Missed when the trigger is.

use super::super::{Aim, Kind, Trigger, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A full disk, with space again later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskFull {
    /// When.
    pub trigger: Trigger,
    /// For so many milliseconds.
    pub for_ms: u64,
}

impl Kind for DiskFull {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self { trigger: aim.disk_or_time(rng, |_| true), for_ms: rng.magnitude(1..=6_000) }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(self.trigger.clone())
    }

    fn lasts_ms(&self) -> u64 {
        self.for_ms
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("DISK FULL", format!("for {} ms nothing more fits", self.for_ms))
    }
}

impl fmt::Display for DiskFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "disk full for {} ms {}", self.for_ms, self.trigger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = DiskFull { trigger: Trigger::Time { at_ms: 9 }, for_ms: 50 };
        assert_eq!(fault.to_string(), "disk full for 50 ms at 9 ms");
    }

    #[test]
    fn the_timeline_says_how_long_nothing_fits() {
        let fault = DiskFull { trigger: Trigger::Time { at_ms: 10 }, for_ms: 50 };
        let words = Words::new("DISK FULL", "for 50 ms nothing more fits");
        assert_eq!(fault.on_timeline(false), words);
    }
}
