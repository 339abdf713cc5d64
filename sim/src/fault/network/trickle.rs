//! Reads and writes of a connection are partial, down to one byte.
//!
//! What it does: from the given byte on each read of the driver gives so many bytes at most, and each write of either side goes into
//! the send buffer by so many at a time, with a moment between two, in which anything else may happen. Missed when the driver never
//! makes that connection or never reads so far.

use super::super::{Aim, Kind, Trigger, Until, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A connection that takes and gives few bytes at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trickle {
    /// Which connection: the n-th that the driver makes in the whole run, from 1.
    pub connection: u32,
    /// After so many bytes of it were delivered to the driver.
    pub after_bytes: u64,
    /// At most so many bytes at a time, at least 1.
    pub bytes_max: u64,
}

impl Kind for Trickle {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        let (connection, after_bytes) = aim.byte(rng);
        Self { connection, after_bytes, bytes_max: rng.magnitude(1..=64) }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Byte { connection: self.connection, after_bytes: self.after_bytes })
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("TRICKLE", format!("at most {} bytes at a time from here on", self.bytes_max))
    }

    fn until(&self) -> Until {
        Until::EndOfConnection(self.connection)
    }
}

impl fmt::Display for Trickle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "connection {} gives {} bytes at a time after {} bytes",
            self.connection, self.bytes_max, self.after_bytes
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = Trickle { connection: 2, after_bytes: 7, bytes_max: 1 };
        assert_eq!(fault.to_string(), "connection 2 gives 1 bytes at a time after 7 bytes");
    }

    #[test]
    fn on_the_timeline_it_goes_on_until_the_end_of_its_connection() {
        let fault = Trickle { connection: 2, after_bytes: 7, bytes_max: 1 };
        let words = Words::new("TRICKLE", "at most 1 bytes at a time from here on");
        assert_eq!(fault.on_timeline(false), words);
        assert_eq!(fault.until(), Until::EndOfConnection(2));
    }
}
