//! A connection is reset.
//!
//! What it does: the driver reads exactly the given number of bytes of it and then `ConnectionReset`; what was under way
//! is lost. The source finds the connection reset one latency later. Missed when the driver never makes that connection
//! or never reads so far. Left out: a reset that overtakes bytes which the driver could already read.

use super::super::{Aim, Kind, Trigger, Words};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A reset of a connection, seen by both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reset {
    /// Which connection: the n-th that the driver makes in the whole run, from 1.
    pub connection: u32,
    /// After so many bytes of it were delivered to the driver.
    pub after_bytes: u64,
}

impl Kind for Reset {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        let (connection, after_bytes) = aim.byte_of_an_end(rng);
        Self { connection, after_bytes }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Byte { connection: self.connection, after_bytes: self.after_bytes })
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("RESET", "what was under way is lost")
    }
}

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reset connection {} after {} bytes", self.connection, self.after_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_reads_as_one_line() {
        assert_eq!(
            Reset { connection: 1, after_bytes: 412 }.to_string(),
            "reset connection 1 after 412 bytes"
        );
    }

    #[test]
    fn the_timeline_says_what_a_reset_loses() {
        let fault = Reset { connection: 1, after_bytes: 412 };
        let words = Words::new("RESET", "what was under way is lost");
        assert_eq!(fault.on_timeline(false), words);
    }
}
