//! The judges: for each invariant one, that says from the outside whether it held.
//!
//! They see the [`Evidence`] of a run and of the same workload's run without faults. What they expect
//! comes from the source's ledger, the scenario's model, and their own reading of the disk; of the engine they use the
//! decoder of its file format and its event stream, nothing else.
//!
//! What a fault did to an operation is one of three things, and no judge may take one for another: it is done; it failed, and the driver
//! was told so; or its outcome is unknown. An operation that failed may be on the disk all the same, whole or in part: so what a life said
//! *after* it is held against what was durable *before* it (I13), and what the next life finds is taken from the disk and never
//! from what the last one was told (I2, I7, I8).
//!
//! The class of the worst fault that fired says what is owed ([`Class`](crate::fault::Class)). Where it is damage that only a copy could
//! mend, the driver may stop for good with an error that names file and offset ([`Evidence::detected`]): then what is missing is no loss
//! and the end no failure, but all that was emitted must be right.

mod alignment;
mod backlog;
mod bounded_duplicates;
mod bounded_space;
mod errors_are_not_success;
mod figures;
mod idempotent_recovery;
mod image;
mod marked_whole;
mod no_loss;
mod one_writer;
mod orderly_end;
mod orderly_stop;
mod orphans;
mod progress;
mod queue;
mod replay_equality;
mod retention;
mod snapshots_due;
mod sound_choice;
mod state_once;
mod time_order;
mod time_outs;

pub(crate) use no_loss::acknowledged_lines;

use crate::{
    run::Evidence,
    scenario::{Batches, Scenario},
    source::Script,
};
use highwater_core::BatchTime;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An invariant of the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Invariant {
    /// No loss.
    I1,
    /// Bounded duplicates.
    I2,
    /// Replay equality.
    I3,
    /// State once.
    I4,
    /// Windows, and the alignment of the batch grid.
    I5,
    /// Timers.
    I6,
    /// Sound choice.
    I7,
    /// Retention.
    I8,
    /// Bounded space.
    I9,
    /// One writer.
    I10,
    /// Progress.
    I11,
    /// Time order.
    I12,
    /// Errors are not success.
    I13,
    /// Idempotent recovery.
    I14,
    /// Nothing panics.
    NoPanic,
}

impl Invariant {
    /// All that are judged, in their order, and last that nothing panics.
    pub fn all() -> impl Iterator<Item = Self> {
        JUDGES.into_iter().map(|(invariant, _)| invariant).chain([Self::NoPanic])
    }

    /// Its name in the design.
    pub fn name(self) -> &'static str {
        match self {
            Self::I1 => "no loss",
            Self::I2 => "bounded duplicates",
            Self::I3 => "replay equality",
            Self::I4 => "state once",
            Self::I5 => "windows",
            Self::I6 => "timers",
            Self::I7 => "sound choice",
            Self::I8 => "retention",
            Self::I9 => "bounded space",
            Self::I10 => "one writer",
            Self::I11 => "progress",
            Self::I12 => "time order",
            Self::I13 => "errors, no success",
            Self::I14 => "idempotent recovery",
            Self::NoPanic => "no panic",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPanic => f.write_str("--"),
            other => fmt::Debug::fmt(other, f),
        }
    }
}

/// What a judge says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The invariant.
    pub invariant: Invariant,
    /// What the judge looked at, in a few words with figures: a judge that saw nothing says so here.
    pub seen: String,
    /// Where the invariant was broken; none if it held.
    pub violations: Vec<String>,
}

impl Verdict {
    pub(crate) fn panicked(message: &str) -> Self {
        Self { invariant: Invariant::NoPanic, seen: "a panic".into(), violations: vec![message.into()] }
    }
}

/// All that a judge may look at.
pub(crate) struct Case<'a> {
    pub scenario: &'a Scenario,
    pub script: &'a Script,
    pub evidence: &'a Evidence,
    /// The same workload without faults; absent if that run panicked.
    pub reference: Option<&'a Evidence>,
}

impl Case<'_> {
    /// The batches that there are in the end, as the scenario's model gets them.
    fn batches(&self) -> Batches {
        let tapped = self.evidence.batches();
        let batches = tapped.iter().map(|batch| (batch.time, batch.records().cloned().collect()));
        // Without a checkpoint there was no batch.
        let zero_time = image::zero_time(self.evidence).unwrap_or(BatchTime(0));
        Batches::new(zero_time, self.scenario.options.batch_interval, batches.collect())
    }

    /// How many bytes a run without faults gets: of the source and of the queue.
    fn input_bytes(&self) -> u64 {
        let of_queue = self.scenario.queue.iter().flatten().map(|line| line.len() as u64 + 1);
        self.script.bytes() + of_queue.sum::<u64>()
    }

    /// The record that the driver makes of the bytes before a line feed.
    fn received(&self, bytes: &[u8]) -> String {
        self.script.received(bytes, self.scenario.options.line_bytes_max)
    }
}

/// What a judge found: what it looked at, and what is wrong.
struct Findings {
    seen: String,
    violations: Vec<String>,
}

type Judge = fn(&Case<'_>) -> Findings;

const JUDGES: [(Invariant, Judge); 14] = [
    (Invariant::I1, no_loss::judge),
    (Invariant::I2, bounded_duplicates::judge),
    (Invariant::I3, replay_equality::judge),
    (Invariant::I4, state_once::judge),
    (Invariant::I5, alignment::judge),
    (Invariant::I6, time_outs::judge),
    (Invariant::I7, sound_choice::judge),
    (Invariant::I8, retention::judge),
    (Invariant::I9, bounded_space::judge),
    (Invariant::I10, one_writer::judge),
    (Invariant::I11, progress::judge),
    (Invariant::I12, time_order::judge),
    (Invariant::I13, errors_are_not_success::judge),
    (Invariant::I14, idempotent_recovery::judge),
];

/// How many violations a judge tells of; the others are counted.
const VIOLATIONS_TOLD_MAX: usize = 5;

pub(crate) fn judge_all(case: &Case<'_>) -> Vec<Verdict> {
    let judge = |(invariant, judge): (Invariant, Judge)| {
        let Findings { seen, mut violations } = judge(case);
        if violations.len() > VIOLATIONS_TOLD_MAX {
            let more = violations.len() - VIOLATIONS_TOLD_MAX;
            violations.truncate(VIOLATIONS_TOLD_MAX);
            violations.push(format!("and {more} more"));
        }
        Verdict { invariant, seen, violations }
    };
    JUDGES.into_iter().map(judge).collect()
}
