//! A disk operation fails with EIO.
//!
//! What it does: the operation at the trigger returns an error. By its moment it had no effect; a part of its effect (of an append some
//! of the bytes, of anything else all or nothing, by a coin); or all of it: to the driver its outcome is unknown. A lock that fails is
//! never taken. Missed when the trigger is.

use super::super::{Aim, Kind, Trigger, Words};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An operation of the disk that fails with EIO.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IoError {
    /// When.
    pub trigger: Trigger,
}

impl Kind for IoError {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self { trigger: aim.disk(rng, |_| true) }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(self.trigger.clone())
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("I/O ERROR", "the driver is told EIO, whatever was done")
    }
}

impl fmt::Display for IoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EIO {}", self.trigger)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Moment;
    use super::*;
    use crate::world::Life;

    #[test]
    fn it_reads_as_one_line() {
        let fault =
            IoError { trigger: Trigger::DiskOperation { life: Life(1), number: 4, moment: Moment::Before } };
        assert_eq!(fault.to_string(), "EIO before disk operation 4 of life 1");
    }

    #[test]
    fn the_timeline_says_that_the_driver_is_told_eio() {
        let fault = IoError { trigger: Trigger::Time { at_ms: 10 } };
        let words = Words::new("I/O ERROR", "the driver is told EIO, whatever was done");
        assert_eq!(fault.on_timeline(false), words);
    }
}
