//! What is drawn: a pipeline, its input, and when its lives end.

use super::program::{Program, SOURCES, Step, steps};
use proptest::prelude::*;

/// How a life ends.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// `stop(false)`.
    CutOff,
    /// The process dies.
    Crash,
    /// So does the machine: what was not synced may be gone, as the number says.
    PowerLoss(u64),
}

#[derive(Clone, Copy, Debug)]
pub struct Death {
    /// How long the life lasts, in milliseconds.
    pub after_ms: u64,
    pub end: End,
    /// How long it takes until the next one, in milliseconds.
    pub pause_ms: u64,
}

#[derive(Clone, Debug)]
pub struct Case {
    steps: Vec<Step>,
    /// The queue of each source.
    pub inputs: Vec<Vec<Vec<i64>>>,
    /// Of each batch of a source.
    pub partitions: usize,
    /// The checkpoint interval in batches.
    pub checkpoint_every: u64,
    pub deaths: Vec<Death>,
}

impl Case {
    pub fn program(&self) -> Program {
        Program::of(&self.steps)
    }
}

/// Cases with up to so many deaths; none without any, if there may be one.
pub fn cases(deaths_max: usize) -> impl Strategy<Value = Case> {
    let batch = || proptest::collection::vec(-9..10_i64, 0..6);
    let queue = move || proptest::collection::vec(batch(), 0..11);
    let end = prop_oneof![Just(End::CutOff), Just(End::Crash), any::<u64>().prop_map(End::PowerLoss)];
    let death = (5..4_500_u64, end, 1..3_500_u64).prop_map(|(after_ms, end, pause_ms)| Death {
        after_ms,
        end,
        pause_ms,
    });
    let deaths = proptest::collection::vec(death, deaths_max.min(1)..=deaths_max);
    let inputs = proptest::collection::vec(queue(), SOURCES);
    (steps(), inputs, 1..4_usize, 1..6_u64, deaths).prop_map(
        |(steps, inputs, partitions, checkpoint_every, deaths)| Case {
            steps,
            inputs,
            partitions,
            checkpoint_every,
            deaths,
        },
    )
}
