//! A connect hangs: its packets are dropped on the way.
//!
//! What it does: the given attempt of the driver to connect gets no answer until the time is over; then its packets get through and
//! it is answered as any other. The operating system gives up before with `TimedOut` when its patience is over, and the driver when
//! it drops the attempt. Missed when the driver never makes so many attempts.
//!
//! Only this attempt hangs: for a driver that gives it up in time the fault is over then. So the bound of liveness counts from its beginning,
//! however long it would hang.

use super::super::{Aim, Kind, Trigger, Until, Words};
use crate::{network::CONNECT_PATIENCE_MS, rng::Draws};
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
        let attempt = aim.attempt(rng);
        // Often for as long as an operating system has patience: a middle box drops all of them.
        let for_ms = if rng.one_in(3) { CONNECT_PATIENCE_MS } else { rng.magnitude(1..=60_000) };
        Self { attempt, for_ms }
    }

    fn trigger(&self) -> Option<Trigger> {
        None
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("HANG", format!("the attempt to connect gets no answer for {} ms", self.for_ms))
    }

    fn until(&self) -> Until {
        Until::Answer(self.for_ms)
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

    #[test]
    fn on_the_timeline_it_goes_on_until_its_answer() {
        let fault = Hang { attempt: 2, for_ms: 3000 };
        let words = Words::new("HANG", "the attempt to connect gets no answer for 3000 ms");
        assert_eq!(fault.on_timeline(false), words);
        assert_eq!(fault.until(), Until::Answer(3000));
    }
}
