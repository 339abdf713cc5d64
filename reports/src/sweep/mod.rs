//! A sweep: many runs added up, and the table that they make.
//!
//! A [`SweepSummary`] is plain data that can be merged: shards and jobs each fill their own. What holds: everything in it but
//! [`ScenarioSummary::wall_seconds`] is a function of the runs alone and does not depend on their order.

mod coverage;
mod cut_short;
mod price;
pub(crate) mod table;

pub use coverage::{Coverage, CoverageCell, Matrix, StepRuns};
pub use cut_short::{CutShort, Why};
pub use price::{Distribution, Price, Prices};
pub use table::render_table;

use crate::replay::replay_command;
use highwater_sim::run::{RunReport, Totals};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// What the runs of a sweep came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SweepSummary {
    /// By scenario.
    pub scenarios: BTreeMap<String, ScenarioSummary>,
    /// Which durable step was hit by which fault, how often.
    pub coverage: Coverage,
    /// What became of the faults of each kind, and what they cost.
    pub prices: Prices,
    /// What was cut short: this sweep, or parts of it that were merged.
    #[serde(default)]
    pub cut_short: Vec<CutShort>,
}

/// What the runs of one scenario came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScenarioSummary {
    /// Runs.
    pub seeds: u64,
    /// The runs in which an invariant was broken, by seed.
    pub failures: BTreeMap<u64, Failure>,
    /// The sum of all runs.
    pub totals: Totals,
    /// Seconds of real time that the runs took; zero if nobody measured it.
    pub wall_seconds: f64,
}

/// A run in which an invariant was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What was broken, by name.
    pub broken: Vec<String>,
    /// The command that lives through the run again.
    pub replay: String,
}

impl SweepSummary {
    /// Adds one run.
    pub fn add(&mut self, report: &RunReport) {
        let scenario = self.scenarios.entry(report.scenario.clone()).or_default();
        scenario.seeds += 1;
        scenario.totals.add(&report.totals);
        if !report.held() {
            let broken = report.verdicts.iter().filter(|verdict| !verdict.violations.is_empty());
            let broken = broken.map(|verdict| format!("{} {}", verdict.invariant, verdict.invariant.name()));
            let failure = Failure { broken: broken.collect(), replay: replay_command(report) };
            scenario.failures.insert(report.seed, failure);
        }
        self.coverage.add(report);
        self.prices.add(report);
    }

    /// Adds the real time that runs of a scenario took. Jobs that run side by side share it: the time is that of the sweep,
    /// not the sum over its jobs.
    pub fn add_wall_time(&mut self, scenario: &str, took: Duration) {
        self.scenarios.entry(scenario.to_owned()).or_default().wall_seconds += took.as_secs_f64();
    }

    /// Adds another sweep, of other seeds or other scenarios.
    pub fn merge(&mut self, other: Self) {
        let Self { scenarios, coverage, prices, cut_short } = other;
        for (name, ScenarioSummary { seeds, failures, totals, wall_seconds }) in scenarios {
            let mine = self.scenarios.entry(name).or_default();
            mine.seeds += seeds;
            mine.failures.extend(failures);
            mine.totals.add(&totals);
            mine.wall_seconds += wall_seconds;
        }
        self.coverage.merge(coverage);
        self.prices.merge(prices);
        self.cut_short.extend(cut_short);
    }

    /// Whether every invariant held in every run.
    pub fn held(&self) -> bool {
        self.scenarios.values().all(|scenario| scenario.failures.is_empty())
    }

    /// All scenarios together.
    pub fn total(&self) -> ScenarioSummary {
        let mut total = ScenarioSummary::default();
        for scenario in self.scenarios.values() {
            total.seeds += scenario.seeds;
            total.totals.add(&scenario.totals);
            total.wall_seconds += scenario.wall_seconds;
        }
        total
    }
}

#[cfg(test)]
mod tests;
