//! The driver is started with another program on the same checkpoint directory: a deployment by mistake, which is taken back.
//!
//! What it does: the program of that life drops lines before they come to the pipeline, and does not write down what it got. It has as many
//! operators as the right one, so that only what they are tells the two apart. The driver owes an error, and must leave what
//! the right program needs; that one is started a second later. Missed when that life never begins, or finds no checkpoint: then
//! nothing says which program is the right one.

use super::super::{Aim, Kind, Trigger, Words};
use crate::world::Life;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A start of another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherProgram {
    /// Which life of the driver, from 1.
    pub life: Life,
}

impl Kind for OtherProgram {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        // The first life finds nothing.
        Self { life: aim.life(rng).max(Life::FIRST.next()) }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Start { life: self.life })
    }

    fn on_timeline(&self, _: bool) -> Words {
        Words::new(
            "OTHER PROGRAM",
            "the life is of a program that drops lines and writes no tap: it must be refused",
        )
    }
}

impl fmt::Display for OtherProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "life {} is of another program", self.life)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_one_line() {
        assert_eq!(OtherProgram { life: Life(2) }.to_string(), "life 2 is of another program");
    }

    #[test]
    fn the_timeline_says_that_the_program_must_be_refused() {
        let fault = OtherProgram { life: Life(2) };
        let words = Words::new(
            "OTHER PROGRAM",
            "the life is of a program that drops lines and writes no tap: it must be refused",
        );
        assert_eq!(fault.on_timeline(false), words);
    }
}
