//! The disk lies: syncs succeed and make nothing durable, as a drive with a volatile cache and no flush does.
//!
//! What it does: from the trigger on every sync of a file or a directory does nothing and reports success, until the world heals.
//! Beyond any engine: a negative control, not in the default sweep. Missed when the trigger is.

use super::super::{Aim, Kind, Trigger, Words};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A disk that lies about syncs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LyingDisk {
    /// When.
    pub trigger: Trigger,
}

impl Kind for LyingDisk {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self { trigger: aim.disk_or_time(rng, |_| true) }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(self.trigger.clone())
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("LYING DISK", "from here on syncs report success and do nothing")
    }
}

impl fmt::Display for LyingDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the disk lies about syncs {}", self.trigger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = LyingDisk { trigger: Trigger::Time { at_ms: 9 } };
        assert_eq!(fault.to_string(), "the disk lies about syncs at 9 ms");
    }

    #[test]
    fn the_timeline_says_that_syncs_do_nothing_from_there_on() {
        let fault = LyingDisk { trigger: Trigger::Time { at_ms: 10 } };
        let words = Words::new("LYING DISK", "from here on syncs report success and do nothing");
        assert_eq!(fault.on_timeline(false), words);
    }
}
