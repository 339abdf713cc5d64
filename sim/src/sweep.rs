//! Many runs at once: the seeds of a scenario, on all cores, told in the order of the seeds.
//!
//! Each run is a world of its own, so the number of threads changes nothing but the time. Runs that finish early wait for the
//! slower ones before them, so whatever listens sees the same sequence each time.

use crate::{
    parallel::in_order,
    run::{Run, RunOptions, run},
    scenario::Scenario,
};
use std::ops::ControlFlow;

/// Runs `seeds` on `jobs` threads and gives each run to `each`, in the order of the seeds, until it says to stop.
///
/// # Panics
/// If a judge panics: that is a bug of the testbed. A panic inside a run is that run's failure.
pub fn sweep(
    scenario: &Scenario,
    seeds: &[u64],
    jobs: usize,
    options: &RunOptions,
    mut each: impl FnMut(Run) -> ControlFlow<()>,
) {
    let work = |seed: &u64| run(scenario, &RunOptions { seed: *seed, ..options.clone() });
    in_order(jobs, seeds, work, |_, run| each(run));
}

/// Runs a seed twice and tells the first difference, if there is one.
///
/// # Errors
/// Where the two runs differ.
pub fn check(scenario: &Scenario, options: &RunOptions) -> Result<(), String> {
    let traced = RunOptions { trace: true, ..options.clone() };
    let (first, second) = (run(scenario, &traced), run(scenario, &traced));
    for (index, (one, other)) in first.trace.iter().zip(&second.trace).enumerate() {
        if one != other {
            return Err(format!("operation {index} differs:\n  {one:?}\n  {other:?}"));
        }
    }
    match first.trace.len() == second.trace.len() && first.report.hash == second.report.hash {
        true => Ok(()),
        false => Err(format!("{} and {} operations", first.trace.len(), second.trace.len())),
    }
}
