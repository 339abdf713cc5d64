//! A sweep: many runs added up, and the table that they make.
//!
//! A [`SweepSummary`] is plain data that can be merged: shards and jobs each fill their own. What holds: everything in it but
//! [`ScenarioSummary::wall_seconds`] is a function of the runs alone and does not depend on their order.

mod coverage;
mod cut_short;
mod price;
mod seeds;
mod shards;
pub(crate) mod table;
mod top;

pub use coverage::{Coverage, CoverageCell, Matrix, StepRuns};
pub use cut_short::{CutShort, Why};
pub use price::{Distribution, Price, Prices};
pub use seeds::SeedSet;
pub use shards::{Incomplete, Shard, Shards};
pub use table::render_table;
pub(crate) use table::step_name;
pub use top::{Ranked, Top};

use crate::replay::replay_command;
use highwater_sim::{
    judge::Verdict,
    run::{RunReport, Totals},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// What the runs of a sweep came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SweepSummary {
    /// What was asked of every run.
    pub asked: Asked,
    /// By scenario.
    pub scenarios: BTreeMap<String, ScenarioSummary>,
    /// Which durable step was hit by which fault, how often.
    pub coverage: Coverage,
    /// What became of the faults of each kind, and what they cost.
    pub prices: Prices,
    /// What was cut short: this sweep, or parts of it that were merged.
    #[serde(default)]
    pub cut_short: Vec<CutShort>,
    /// The parts of sweeps that are in it, where not all of their parts are.
    #[serde(default)]
    pub shards: Shards,
}

/// What was asked of every run: sums over runs of different kinds mean nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The version of this command, which draws the plans.
    pub highwater: String,
    /// The classes of faults that could be drawn.
    pub faults: Vec<String>,
    /// The promises that were broken on purpose.
    pub sabotage: Vec<String>,
}

/// What the runs of one scenario came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScenarioSummary {
    /// The file that describes it, if it is in none of the catalogues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario_file: Option<String>,
    /// Runs.
    pub seeds: u64,
    /// Which.
    pub ran: SeedSet,
    /// The runs in which an invariant was broken, by seed.
    pub failures: BTreeMap<u64, Failure>,
    /// The sum of all runs.
    pub totals: Totals,
    /// The runs that took most virtual time, in milliseconds.
    pub slowest: Top,
    /// The runs in which most went wrong: 100 for each crash, 1 for each lost connection and each batch to run again.
    pub eventful: Top,
    /// Seconds of real time that the runs took; zero if nobody measured it.
    pub wall_seconds: f64,
}

/// A run in which an invariant was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What was broken, by name.
    pub broken: Vec<String>,
    /// The first objection of each judge of these.
    pub violations: Vec<String>,
    /// The command that lives through the run again.
    pub replay: String,
}

impl SweepSummary {
    /// Adds one run.
    pub fn add(&mut self, report: &RunReport) {
        if self.asked == Asked::default() {
            self.asked = Asked {
                highwater: env!("CARGO_PKG_VERSION").to_owned(),
                faults: report.faults.clone(),
                sabotage: report.sabotage.clone(),
            };
        }
        let scenario = self.scenarios.entry(report.scenario.clone()).or_default();
        scenario.seeds += 1;
        scenario.scenario_file.clone_from(&report.scenario_file);
        scenario.ran.insert(report.seed);
        let Totals { crashes, drops, replayed_batches, .. } = report.totals;
        scenario.slowest.add(Ranked { seed: report.seed, value: report.took.millis() });
        scenario.eventful.add(Ranked { seed: report.seed, value: 100 * crashes + drops + replayed_batches });
        scenario.totals.add(&report.totals);
        if !report.held() {
            let broken = report.verdicts.iter().filter(|verdict| !verdict.violations.is_empty());
            let name = |verdict: &Verdict| format!("{} {}", verdict.invariant, verdict.invariant.name());
            let failure = Failure {
                broken: broken.clone().map(name).collect(),
                violations: broken.filter_map(|verdict| verdict.violations.first().cloned()).collect(),
                replay: replay_command(report),
            };
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

    /// Adds another sweep, of other seeds or other scenarios. Nothing has changed if that is refused.
    ///
    /// # Errors
    /// If the runs of the two were asked for other things, or a run is in both.
    pub fn merge(&mut self, other: Self) -> Result<(), MergeError> {
        let Self { asked, scenarios, coverage, prices, cut_short, shards } = other;
        if scenarios.is_empty() {
            self.cut_short.extend(cut_short);
            self.shards.merge(shards);
            return Ok(());
        }
        if self.scenarios.is_empty() {
            self.asked = asked.clone();
        }
        self.asked.must_be(&asked)?;
        let mut all = BTreeMap::new();
        for (name, theirs) in &scenarios {
            let mine = self.scenarios.get(name).map(|mine| &mine.ran).cloned().unwrap_or_default();
            let shared = |seed| MergeError::Overlap { scenario: name.clone(), seed };
            all.insert(name.clone(), mine.union(&theirs.ran).map_err(shared)?);
        }
        for (name, theirs) in scenarios {
            // Taken apart, so that a figure that is added later cannot be forgotten here.
            let ScenarioSummary {
                scenario_file,
                seeds,
                ran: _,
                failures,
                totals,
                slowest,
                eventful,
                wall_seconds,
            } = theirs;
            let ran = all.remove(&name).expect("it was made of the same scenarios");
            let mine = self.scenarios.entry(name).or_default();
            mine.scenario_file = scenario_file.or(mine.scenario_file.take());
            mine.ran = ran;
            mine.seeds += seeds;
            mine.failures.extend(failures);
            mine.totals.add(&totals);
            mine.slowest.merge(slowest);
            mine.eventful.merge(eventful);
            mine.wall_seconds += wall_seconds;
        }
        self.coverage.merge(coverage);
        self.prices.merge(prices);
        self.cut_short.extend(cut_short);
        self.shards.merge(shards);
        Ok(())
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

/// Why two sweeps are not parts of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Their runs were asked for other things.
    #[error("their {what} differ, `{one}` and `{other}`: sweep all shards with the same options")]
    OtherOptions {
        /// What differs.
        what: &'static str,
        /// What one has.
        one: String,
        /// What the other has.
        other: String,
    },
    /// A run is in both.
    #[error("both have seed {seed} of {scenario}: give each shard once")]
    Overlap {
        /// The scenario.
        scenario: String,
        /// The lowest seed of it that is in both.
        seed: u64,
    },
}

impl Asked {
    fn must_be(&self, other: &Self) -> Result<(), MergeError> {
        let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(",") };
        for (what, one, other) in [
            ("versions", self.highwater.clone(), other.highwater.clone()),
            ("faults", list(&self.faults), list(&other.faults)),
            ("sabotages", list(&self.sabotage), list(&other.sabotage)),
        ] {
            if one != other {
                return Err(MergeError::OtherOptions { what, one, other });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
