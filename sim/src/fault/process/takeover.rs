//! The driver is taken for dead and another one is started while it still lives: two drivers at once.
//!
//! What it does: at the trigger the driver's process stands still, as in a pause, and its lock is lost, as a lease is. The
//! supervisor starts the next life after a while; the older driver wakes up when its pause is over, maybe before that, and
//! goes on until it finds that it was replaced. It must change nothing and emit nothing then, but for the one operation
//! that it was in the middle of, which must not matter. A fault that names its life strikes the older driver also then; a power loss of
//! either ends both, since they have one disk. Missed when the trigger is, and when it strikes one that was replaced already.

use super::super::{Aim, Kind, Trigger, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A pause in which another driver takes over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Takeover {
    /// When.
    pub trigger: Trigger,
    /// The older driver stands still for so many milliseconds.
    pub for_ms: u64,
    /// The newer one is started so many milliseconds after the trigger.
    pub after_ms: u64,
}

impl Kind for Takeover {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self {
            trigger: aim.operation_or_time(rng),
            for_ms: rng.magnitude(1..=8_000),
            after_ms: rng.magnitude(1..=4_000),
        }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(self.trigger.clone())
    }

    fn lasts_ms(&self) -> u64 {
        self.for_ms.max(self.after_ms)
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new(
            "TAKEOVER",
            format!(
                "the process stands still for {} ms, and the next life starts after {} ms without waiting for it",
                self.for_ms, self.after_ms
            ),
        )
    }
}

impl fmt::Display for Takeover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "takeover {}: paused for {} ms, the next life starts after {} ms",
            self.trigger, self.for_ms, self.after_ms
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault = Takeover { trigger: Trigger::Time { at_ms: 10 }, for_ms: 7, after_ms: 5 };
        assert_eq!(fault.to_string(), "takeover at 10 ms: paused for 7 ms, the next life starts after 5 ms");
    }

    #[test]
    fn the_timeline_says_that_the_next_life_does_not_wait() {
        let fault = Takeover { trigger: Trigger::Time { at_ms: 10 }, for_ms: 7, after_ms: 5 };
        let words = Words::new(
            "TAKEOVER",
            "the process stands still for 7 ms, and the next life starts after 5 ms without waiting for it",
        );
        assert_eq!(fault.on_timeline(false), words);
    }
}
