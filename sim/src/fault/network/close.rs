//! A connection ends in order, in the middle of a line as well as between two.
//!
//! What it does: the driver reads exactly the given number of bytes of it and then its orderly end; what else was under
//! way is lost, as if the source had sent no more. The source finds an orderly end too, and a reset when it writes on.
//! Missed when the driver never makes that connection or never reads so far.

use super::super::{Aim, Kind, Trigger, Words};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An orderly end of a connection, seen by both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// Which connection: the n-th that the driver makes in the whole run, from 1.
    pub connection: u32,
    /// After so many bytes of it were delivered to the driver.
    pub after_bytes: u64,
}

impl Kind for Close {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        let (connection, after_bytes) = aim.byte_of_an_end(rng);
        Self { connection, after_bytes }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Byte { connection: self.connection, after_bytes: self.after_bytes })
    }

    fn on_timeline(&self, lines_are_sent_once: bool) -> Words {
        let half = if lines_are_sent_once { "; half a line at the end is a record" } else { "" };
        Words::new("CLOSE", format!("ended in order{half}"))
    }
}

impl fmt::Display for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "close connection {} after {} bytes", self.connection, self.after_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_reads_as_one_line() {
        assert_eq!(Close { connection: 2, after_bytes: 7 }.to_string(), "close connection 2 after 7 bytes");
    }

    #[test]
    fn the_timeline_says_what_becomes_of_half_a_line_that_is_not_sent_again() {
        let fault = Close { connection: 2, after_bytes: 7 };
        assert_eq!(fault.on_timeline(false), Words::new("CLOSE", "ended in order"));
        let words = Words::new("CLOSE", "ended in order; half a line at the end is a record");
        assert_eq!(fault.on_timeline(true), words);
    }
}
