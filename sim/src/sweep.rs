//! Many runs at once: the seeds of a scenario, on all cores, told in the order of the seeds.
//!
//! Each run is a world of its own, so the number of threads changes nothing but the time. Runs that finish early wait for the
//! slower ones before them, so whatever listens sees the same sequence each time.

use crate::{
    run::{Run, RunOptions, run},
    scenario::Scenario,
};
use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

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

/// Does the same with each of some items on `jobs` threads, and gives each result to `each` in the order of the items, until it says
/// to stop.
pub(crate) fn in_order<T: Sync, R: Send>(
    jobs: usize,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
    mut each: impl FnMut(&T, R) -> ControlFlow<()>,
) {
    let next = AtomicUsize::new(0);
    let stopped = AtomicBool::new(false);
    let (done, finished) = mpsc::sync_channel(4 * jobs.max(1));
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (next, stopped, done, work) = (&next, &stopped, done.clone(), &work);
            scope.spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    // Nobody listens any more: it was stopped.
                    if done.send((index, work(item))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut waiting = BTreeMap::new();
        let mut expected = 0;
        for (index, result) in finished {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&expected) {
                let item = &items[expected];
                expected += 1;
                if each(item, result).is_break() {
                    stopped.store(true, Ordering::Relaxed);
                    return;
                }
            }
        }
    });
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
