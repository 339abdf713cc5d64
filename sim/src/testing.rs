//! For the author of a pipeline: its recovery as a test, in a line.
//!
//! [`sweep`] runs a pipeline under the faults of one seed after the other and panics at the first run in which an invariant is broken, with
//! the smallest plan that breaks it, and how to see that again. [`replay`] lives through a plan that is kept in a file.
//!
//! ```
//! use highwater_core::{DStream, Text};
//! use highwater_sim::scenario::{Batches, Scenario};
//! use std::path::Path;
//!
//! // The pipeline: how many lines each batch has.
//! fn build(lines: DStream<Text>, output: &Path) {
//!     lines.write_text(output, |batch| format!("{} {}\n", batch.time(), batch.records.len()));
//! }
//!
//! // What it must write, as plainly as can be.
//! fn model(batches: &Batches) -> Vec<String> {
//!     batches.iter().map(|(time, lines)| format!("{time} {}\n", lines.len())).collect()
//! }
//!
//! let swept = highwater_sim::sweep(&Scenario::new("line-count", build, model), 0..4);
//! assert_eq!(swept.runs, 4);
//! ```
//!
//! The environment variable [`PLAN_VARIABLE`] names a plan file: a sweep of the scenario that this names lives through that plan alone.

use crate::{
    TextError,
    fault::PlanFile,
    parallel::in_order,
    run::{RunOptions, RunReport, Totals, run},
    scenario::Scenario,
    shrink::{Shrunk, shrink},
};
use std::{
    fmt, fs, io,
    ops::{ControlFlow, Range},
    path::{Path, PathBuf},
    thread::available_parallelism,
    time::{Duration, Instant},
};

/// Names a plan file that a sweep lives through instead of its seeds.
pub const PLAN_VARIABLE: &str = "HIGHWATER_PLAN";
/// How long a failure is made smaller.
const SHRINK_TIME: Duration = Duration::from_secs(30);
/// Where the plans of failures go, below the working directory, which for a test is its package.
const PLANS: &str = "highwater-reports";

/// A sweep in which all invariants held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many runs there were.
    pub runs: u64,
    /// What happened in all of them: a test that wants to be sure that something did asks here.
    pub totals: Totals,
}

/// A run in which an invariant was broken, made small.
#[derive(Clone, Debug)]
pub struct SweepFailure {
    /// The scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The failure, as small as the time allowed.
    pub shrunk: Shrunk,
    /// Its plan as a file.
    pub plan: String,
    /// Where the plan was written to, or why it was not.
    pub written: Result<PathBuf, String>,
}

impl fmt::Display for SweepFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, seed, shrunk, plan, written } = self;
        writeln!(f, "{scenario}: seed {seed} breaks an invariant")?;
        write_broken(f, &shrunk.report)?;
        let (faults, all) = (shrunk.plan.faults.len(), shrunk.original.faults.len());
        let (lines, all_lines) = (shrunk.lines, shrunk.original_lines);
        writeln!(
            f,
            "the smallest plan that breaks it has {faults} of {all} faults and {lines} of {all_lines} lines:"
        )?;
        for (fault, n) in shrunk.plan.faults.iter().zip(1..) {
            writeln!(f, "  fault {n}  {fault}")?;
        }
        match written {
            Ok(path) => {
                let path = path.display();
                writeln!(f, "written to {path}")?;
                writeln!(f, "replay: {PLAN_VARIABLE}={path} cargo test")?;
                write!(
                    f,
                    "keep:   highwater_sim::replay(&scenario, include_str!(..)) of that file, in a test"
                )
            }
            Err(why) => write!(f, "it could not be written ({why}):\n{plan}"),
        }
    }
}

impl std::error::Error for SweepFailure {}

fn write_broken(f: &mut impl fmt::Write, report: &RunReport) -> fmt::Result {
    for verdict in report.verdicts.iter().filter(|verdict| !verdict.violations.is_empty()) {
        writeln!(f, "  {} {}", verdict.invariant, verdict.invariant.name())?;
        verdict.violations.iter().try_for_each(|violation| writeln!(f, "    {violation}"))?;
    }
    Ok(())
}

/// Runs a scenario under the faults of each seed, on all cores, and demands that every invariant holds in every run.
///
/// # Panics
/// At the first run in which one is broken, with the smallest plan that breaks it and how to replay that. If `HIGHWATER_PLAN` names a
/// file that is no plan.
#[track_caller]
pub fn sweep(scenario: &Scenario, seeds: Range<u64>) -> Swept {
    match asked_for(scenario) {
        Ok(None) => try_sweep(scenario, seeds).unwrap_or_else(|failure| panic!("{failure}")),
        Ok(Some((path, file))) => {
            let report = replay_file(scenario, file);
            let mut broken = String::new();
            write_broken(&mut broken, &report).expect("a string takes all that is written to it");
            assert!(
                report.held(),
                "{}: the plan {} breaks an invariant\n{broken}",
                scenario.name,
                path.display()
            );
            Swept { runs: 1, totals: report.totals }
        }
        Err(why) => panic!("{why}"),
    }
}

/// As [`sweep`], without the panic, and whatever the environment says.
///
/// # Errors
/// The first run in which an invariant was broken, made small.
pub fn try_sweep(scenario: &Scenario, seeds: Range<u64>) -> Result<Swept, Box<SweepFailure>> {
    let jobs = available_parallelism().map_or(1, usize::from);
    let seeds: Vec<u64> = seeds.collect();
    let mut swept = Swept::default();
    let mut failed = None;
    let live = |seed: &u64| run(scenario, &RunOptions::seeded(*seed)).report;
    in_order(jobs, &seeds, live, |seed, report| {
        swept.runs += 1;
        swept.totals.add(&report.totals);
        if report.held() {
            return ControlFlow::Continue(());
        }
        failed = Some(*seed);
        ControlFlow::Break(())
    });
    match failed {
        None => Ok(swept),
        Some(seed) => Err(Box::new(made_small(scenario, seed))),
    }
}

fn made_small(scenario: &Scenario, seed: u64) -> SweepFailure {
    let deadline = Instant::now() + SHRINK_TIME;
    let shrunk = shrink(scenario, &RunOptions::seeded(seed), &mut |_| Instant::now() < deadline)
        .expect("a run that failed fails again: it is its seed's");
    let name = format!("{} {}", shrunk.invariant, shrunk.invariant.name());
    let file = PlanFile {
        about: Some(format!("breaks {name}")),
        scenario: Some(scenario.name.clone()),
        seed: Some(seed),
        plan: shrunk.plan.clone(),
    };
    let plan = file.write().unwrap_or_else(|error| format!("# {error}\n"));
    let path = Path::new(PLANS).join(format!("{}-{seed}.toml", scenario.name));
    let written = fs::create_dir_all(PLANS).and_then(|()| fs::write(&path, &plan));
    let written = written.map(|()| path).map_err(|error| error.to_string());
    SweepFailure { scenario: scenario.name.clone(), seed, shrunk, plan, written }
}

/// Lives through a plan, such as [`sweep`] leaves of a failure, and tells what came of it: `report.held()` for a test,
/// `highwater_reports::text::render(&report)` for a person.
///
/// # Errors
/// What is wrong with the file, and where.
pub fn replay(scenario: &Scenario, plan: &str) -> Result<RunReport, TextError> {
    Ok(replay_file(scenario, PlanFile::read(plan)?))
}

fn replay_file(scenario: &Scenario, file: PlanFile) -> RunReport {
    let options = RunOptions { plan: Some(file.plan), ..RunOptions::seeded(file.seed.unwrap_or(0)) };
    run(scenario, &options).report
}

/// The plan that the environment names, if it is one of this scenario.
fn asked_for(scenario: &Scenario) -> Result<Option<(PathBuf, PlanFile)>, String> {
    let Some(path) = std::env::var_os(PLAN_VARIABLE).map(PathBuf::from) else { return Ok(None) };
    let wrong = |why: &dyn fmt::Display| format!("{PLAN_VARIABLE} is {}: {why}", path.display());
    let text = fs::read_to_string(&path).map_err(|error: io::Error| wrong(&error))?;
    let file = PlanFile::read(&text).map_err(|error| wrong(&error))?;
    let is_ours = file.scenario.as_ref().is_none_or(|name| *name == scenario.name);
    Ok(is_ours.then_some((path, file)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Batches;
    use highwater_core::{DStream, Text};

    fn build(lines: DStream<Text>, output: &Path) {
        lines.write_text(output, |batch| format!("{} {}\n", batch.time(), batch.records.len()));
    }

    fn model(batches: &Batches) -> Vec<String> {
        batches.iter().map(|(time, lines)| format!("{time} {}\n", lines.len())).collect()
    }

    fn wrong_model(batches: &Batches) -> Vec<String> {
        batches.iter().map(|(time, lines)| format!("{time} {}\n", lines.len().min(30))).collect()
    }

    #[test]
    fn a_right_pipeline_survives_and_the_sweep_tells_what_it_went_through() {
        let swept = sweep(&Scenario::new("right", build, model), 0..8);
        assert_eq!(swept.runs, 8);
        assert!(swept.totals.crashes > 0 && swept.totals.lives > 8, "{swept:?}");
    }

    #[test]
    fn a_wrong_one_is_told_with_a_small_plan_that_replays() {
        let scenario = Scenario::new("wrong", build, wrong_model);
        let failure = try_sweep(&scenario, 0..100).expect_err("some batch has more than 30 lines");
        let path = failure.written.clone().expect("the plan is written");
        let told = failure.to_string();
        assert!(failure.shrunk.plan.faults.is_empty(), "no fault is needed: {told}");
        assert!((31..222).contains(&failure.shrunk.lines), "fewer than the 222 that were drawn: {told}");
        assert!(told.contains(&format!("replay: HIGHWATER_PLAN={} cargo test", path.display())), "{told}");
        let plan = fs::read_to_string(&path).expect("it is there");
        assert_eq!(plan, failure.plan);
        fs::remove_file(&path).expect("it was there");
        // Another test may have put another one there meanwhile.
        let _ = fs::remove_dir(PLANS);
        assert!(!replay(&scenario, &plan).expect("it is a plan").held());
        assert!(replay(&Scenario::new("right", build, model), &plan).expect("it is a plan").held());
        assert_eq!(replay(&scenario, "sead = 1\n").expect_err("it is none").line, 1);
    }
}
