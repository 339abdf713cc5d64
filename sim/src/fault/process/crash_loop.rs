//! The driver crashes again and again, right after each start.
//!
//! What it does: each of the given lives crashes before the given disk operation, so that one recovery after another is cut
//! off. The outcome tells of the first of them, the totals count them all. Missed when the first of these lives never
//! begins or makes no so many operations.

use super::super::{Aim, Kind, Moment, PowerLoss, Trigger, Until, Words};
use super::crash::what_survives;
use crate::rng::Draws;
use crate::world::Life;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A crash loop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrashLoop {
    /// The first life that crashes.
    pub life: Life,
    /// How many lives in a row.
    pub lives: u64,
    /// Before which disk operation of each of them, from 1.
    pub operation: u64,
    /// The supervisor starts the next life after so many milliseconds.
    pub restart_after_ms: u64,
    /// Each time the machine loses power, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_loss: Option<PowerLoss>,
}

impl CrashLoop {
    /// Which of its crashes one is, on the timeline of a report: the first is told by what it hit.
    pub fn which(&self, hit_first: Option<&str>) -> String {
        match hit_first {
            Some(hit) => format!("the first of {} lives in a row, before: {hit}", self.lives),
            None => format!("once more, before disk operation {}", self.operation),
        }
    }

    /// The crash of a life, if it is one of those.
    pub(crate) fn in_life(&self, life: Life) -> Option<Trigger> {
        let number = self.operation;
        (u64::from(self.life.0)..u64::from(self.life.0).saturating_add(self.lives))
            .contains(&u64::from(life.0))
            .then_some(Trigger::DiskOperation { life, number, moment: Moment::Before })
    }
}

impl Kind for CrashLoop {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        Self {
            life: aim.life(rng),
            lives: rng.between(2..=5),
            operation: rng.magnitude(1..=60),
            restart_after_ms: rng.magnitude(1..=1_000),
            power_loss: rng.one_in(2).then(|| PowerLoss::image(rng.below(1 << 32))),
        }
    }

    fn trigger(&self) -> Option<Trigger> {
        None
    }

    fn lasts_ms(&self) -> u64 {
        self.restart_after_ms
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new("CRASH LOOP", what_survives(self.power_loss.as_ref()))
    }

    fn until(&self) -> Until {
        Until::Moment
    }
}

impl fmt::Display for CrashLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.power_loss.is_some() { "power losses" } else { "crashes" };
        write!(
            f,
            "{} {what} in a row from life {} on, each before disk operation {}",
            self.lives, self.life, self.operation
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        let fault =
            CrashLoop { life: Life(2), lives: 3, operation: 7, restart_after_ms: 5, power_loss: None };
        assert_eq!(fault.to_string(), "3 crashes in a row from life 2 on, each before disk operation 7");
    }

    #[test]
    fn on_the_timeline_each_crash_is_a_moment_and_the_first_says_how_many_there_are() {
        let power_loss = Some(PowerLoss::image(1));
        let fault = CrashLoop { life: Life(2), lives: 3, operation: 7, restart_after_ms: 5, power_loss };
        let words = Words::new("CRASH LOOP", "everything survives, by luck");
        assert_eq!(fault.on_timeline(false), words);
        assert_eq!(fault.until(), Until::Moment);
        assert_eq!(
            fault.which(Some("sync journal/7")),
            "the first of 3 lives in a row, before: sync journal/7"
        );
        assert_eq!(fault.which(None), "once more, before disk operation 7");
    }
}
