//! What the driver sent on a connection arrives at the source only after the driver has connected again.
//!
//! What it does: once the given bytes were delivered, the driver's next write is held back, and what is on its way to the source
//! with it; the driver gets a reset, one round trip later, of which the source hears nothing. When the source has heard of a newer
//! connection, what was held back arrives on the old one, and then its reset. Missed when the driver never makes that connection,
//! never reads so far, or has nothing to say, as to a `tcp://` source.

use super::super::{Aim, Kind, Trigger, Words};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Data of an old connection that arrive after a reconnect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LateData {
    /// Which connection: the n-th that the driver makes in the whole run, from 1.
    pub connection: u32,
    /// After so many bytes of it were delivered to the driver.
    pub after_bytes: u64,
}

impl Kind for LateData {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        let (connection, after_bytes) = aim.byte_of_an_end(rng);
        // Early enough that there is something to say after it.
        Self { connection, after_bytes: after_bytes / 2 }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Byte { connection: self.connection, after_bytes: self.after_bytes })
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("LATE DATA", "it is cut, and what was under way arrives after the next one was made")
    }
}

impl fmt::Display for LateData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "connection {} delivers late to the source after {} bytes",
            self.connection, self.after_bytes
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = LateData { connection: 2, after_bytes: 7 };
        assert_eq!(fault.to_string(), "connection 2 delivers late to the source after 7 bytes");
    }

    #[test]
    fn the_timeline_says_when_the_rest_arrives() {
        let fault = LateData { connection: 2, after_bytes: 7 };
        let words =
            Words::new("LATE DATA", "it is cut, and what was under way arrives after the next one was made");
        assert_eq!(fault.on_timeline(false), words);
    }
}
