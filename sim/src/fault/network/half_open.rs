//! A connection becomes half-open: the source's machine vanished, and nobody tells the driver.
//!
//! What it does: after the given bytes nothing arrives on it any more in either direction, neither bytes nor an end nor a reset, until
//! keep-alive finds it out, at each end by itself: its reads and writes fail with `TimedOut`. What is written until then goes into
//! the send buffer, and no further. Missed when the driver never makes that connection or never reads so far.

use super::super::{Aim, Kind, Trigger, Words};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A connection whose other end vanishes without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HalfOpen {
    /// Which connection: the n-th that the driver makes in the whole run, from 1.
    pub connection: u32,
    /// After so many bytes of it were delivered to the driver.
    pub after_bytes: u64,
}

impl Kind for HalfOpen {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        let (connection, after_bytes) = aim.byte_of_an_end(rng);
        Self { connection, after_bytes }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Byte { connection: self.connection, after_bytes: self.after_bytes })
    }

    fn lasts_ms(&self) -> u64 {
        crate::network::KEEPALIVE_MS
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("HALF OPEN", "the source is gone, and nobody tells the driver")
    }
}

impl fmt::Display for HalfOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {} half-open after {} bytes", self.connection, self.after_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = HalfOpen { connection: 2, after_bytes: 7 };
        assert_eq!(fault.to_string(), "connection 2 half-open after 7 bytes");
    }

    #[test]
    fn the_timeline_says_that_the_driver_is_not_told() {
        let fault = HalfOpen { connection: 2, after_bytes: 7 };
        let words = Words::new("HALF OPEN", "the source is gone, and nobody tells the driver");
        assert_eq!(fault.on_timeline(false), words);
    }
}
