//! The source repeats lines on a new connection, as a sender does that does not know what arrived.
//!
//! What it does: a `tcp://` source begins the given connection with the last lines that it has sent before. Each of them is a record
//! of its own to the driver. A `resume://` source sends what it is asked for and repeats nothing. Missed when the driver never makes
//! that connection, when nothing was sent before, and with a `resume://` source.

use super::super::{Aim, Kind, Trigger, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A source that repeats lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// Which connection: the n-th that the driver makes in the whole run, from 1.
    pub connection: u32,
    /// So many lines.
    pub lines: u64,
}

impl Kind for Repeat {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self { connection: aim.later_connection(rng), lines: rng.magnitude(1..=20) }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Byte { connection: self.connection, after_bytes: 0 })
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("REPEAT", format!("the source sends {} lines again", self.lines))
    }
}

impl fmt::Display for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {} repeats {} lines", self.connection, self.lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = Repeat { connection: 2, lines: 7 };
        assert_eq!(fault.to_string(), "connection 2 repeats 7 lines");
    }

    #[test]
    fn the_timeline_says_how_many_lines_come_again() {
        let fault = Repeat { connection: 2, lines: 7 };
        let words = Words::new("REPEAT", "the source sends 7 lines again");
        assert_eq!(fault.on_timeline(false), words);
    }
}
