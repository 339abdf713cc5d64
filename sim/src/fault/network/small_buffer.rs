//! The send buffers of a connection are small, so that a writer waits for its reader.
//!
//! What it does: so many bytes at most may be under way in each direction of that connection. Missed when the driver never makes it.
//! So small a buffer is slow: a few bytes for each latency. It is not drawn so small that a run could not end in time.

use super::super::{Aim, Kind, Trigger, Until, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A connection whose send buffers are small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmallBuffer {
    /// Which connection: the n-th that the driver makes in the whole run, from 1.
    pub connection: u32,
    /// So many bytes, at least 1.
    pub bytes: u64,
}

impl Kind for SmallBuffer {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self { connection: aim.connection(rng), bytes: rng.magnitude(8..=256) }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Byte { connection: self.connection, after_bytes: 0 })
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("BUFFER", format!("it holds {} bytes in each direction", self.bytes))
    }

    fn until(&self) -> Until {
        Until::EndOfConnection(self.connection)
    }
}

impl fmt::Display for SmallBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {} has send buffers of {} bytes", self.connection, self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = SmallBuffer { connection: 2, bytes: 7 };
        assert_eq!(fault.to_string(), "connection 2 has send buffers of 7 bytes");
    }

    #[test]
    fn on_the_timeline_it_goes_on_until_the_end_of_its_connection() {
        let fault = SmallBuffer { connection: 2, bytes: 7 };
        let words = Words::new("BUFFER", "it holds 7 bytes in each direction");
        assert_eq!(fault.on_timeline(false), words);
        assert_eq!(fault.until(), Until::EndOfConnection(2));
    }
}
