//! A connect hangs: its packets are dropped on the way.
//!
//! What it does: the given attempt of the driver to connect gets no answer until the time is over; then its packets get through and
//! it is answered as any other. The operating system gives up before with `TimedOut` when its patience is over, and the driver when
//! it drops the attempt. Missed when the driver never makes so many attempts.

use super::super::{Aim, Kind, Trigger};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A connect that hangs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hang {
    /// Which attempt of the whole run, from 1.
    pub attempt: u64,
    /// For so many milliseconds.
    pub for_ms: u64,
}

impl Kind for Hang {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self { attempt: aim.attempt(rng), for_ms: rng.magnitude(1..=60_000) }
    }

    fn trigger(&self) -> Option<Trigger> {
        None
    }

    fn lasts_ms(&self) -> u64 {
        self.for_ms.min(crate::network::CONNECT_PATIENCE_MS)
    }
}

impl fmt::Display for Hang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connect attempt {} hangs for {} ms", self.attempt, self.for_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = Hang { attempt: 2, for_ms: 3000 };
        assert_eq!(fault.to_string(), "connect attempt 2 hangs for 3000 ms");
    }
}
