//! When a sweep ends before its last seed: after failures, after a time, after Ctrl-C.
//!
//! Which seeds were run is always the first ones of each scenario, in the order in which they would all have been run; with a bound
//! on failures it does not depend on the machine either.

use crate::command::interrupt::Interrupt;
use highwater_reports::sweep::{CutShort, Why};
use std::time::{Duration, Instant};

/// What ends a sweep.
pub(super) struct Ends {
    /// After so many failed runs.
    pub failures_max: Option<u64>,
    /// At this time.
    pub deadline: Option<Instant>,
    /// After Ctrl-C.
    pub interrupt: Interrupt,
    failures: u64,
    runs: u64,
    cut: Option<Why>,
}

impl Ends {
    pub fn new(failures_max: Option<u64>, budget: Option<Duration>, interrupt: Interrupt) -> Self {
        let deadline = budget.map(|budget| Instant::now() + budget);
        Self { failures_max, deadline, interrupt, failures: 0, runs: 0, cut: None }
    }

    /// Until when the next of so many scenarios may go on: all that are left have the same share of the time that is left.
    pub fn share(&self, scenarios_left: usize) -> Option<Instant> {
        let now = Instant::now();
        let left = self.deadline?.saturating_duration_since(now);
        Some(now + left / u32::try_from(scenarios_left.max(1)).unwrap_or(u32::MAX))
    }

    /// Takes note of a run, and says whether its scenario ends here.
    pub fn after(&mut self, held: bool, share: Option<Instant>) -> bool {
        self.runs += 1;
        self.failures += u64::from(!held);
        self.cut = match () {
            () if self.interrupt.asked() => Some(Why::Interrupted),
            () if self.failures_max.is_some_and(|most| self.failures >= most) => Some(Why::Failures),
            () if share.is_some_and(|share| Instant::now() >= share) => Some(Why::TimeBudget),
            () => return false,
        };
        true
    }

    /// Whether no further scenario is begun.
    pub fn is_over(&self) -> bool {
        self.interrupt.asked() || matches!(self.cut, Some(Why::Interrupted | Why::Failures))
    }

    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// How the sweep was cut short, if it was: of so many runs that it was asked for.
    pub fn cut_short(&self, asked: u64) -> Option<CutShort> {
        let why = if self.interrupt.asked() { Some(Why::Interrupted) } else { self.cut };
        (self.runs < asked).then(|| CutShort { why: why.unwrap_or(Why::Interrupted), runs: self.runs, asked })
    }
}
