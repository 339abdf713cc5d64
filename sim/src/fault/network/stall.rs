//! A connection delivers nothing for a while.
//!
//! What it does: the driver reads exactly the given number of bytes of it and then nothing until the time is over, its end
//! or a reset neither. Then everything arrives. The source notices only when its send buffer is full. Missed when the
//! driver never makes that connection or never reads so far.

use super::super::{Aim, Kind, Trigger, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A silence on a connection, towards the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stall {
    /// Which connection: the n-th that the driver makes in the whole run, from 1.
    pub connection: u32,
    /// After so many bytes of it were delivered to the driver.
    pub after_bytes: u64,
    /// Silent for so many milliseconds.
    pub for_ms: u64,
}

impl Kind for Stall {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        let (connection, after_bytes) = aim.byte(rng);
        Self { connection, after_bytes, for_ms: rng.magnitude(1..=aim.horizon_ms() / 2) }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Byte { connection: self.connection, after_bytes: self.after_bytes })
    }

    fn lasts_ms(&self) -> u64 {
        self.for_ms
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("STALL", format!("nothing arrives for {} ms", self.for_ms))
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "stall connection {} after {} bytes for {} ms",
            self.connection, self.after_bytes, self.for_ms
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_reads_as_one_line() {
        assert_eq!(
            Stall { connection: 1, after_bytes: 0, for_ms: 900 }.to_string(),
            "stall connection 1 after 0 bytes for 900 ms"
        );
    }

    #[test]
    fn the_timeline_says_how_long_nothing_arrives() {
        let fault = Stall { connection: 1, after_bytes: 0, for_ms: 900 };
        let words = Words::new("STALL", "nothing arrives for 900 ms");
        assert_eq!(fault.on_timeline(false), words);
    }
}
