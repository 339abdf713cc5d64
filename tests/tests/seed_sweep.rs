//! The sweep that `cargo test` makes: every scenario, every fault, a number of seeds that takes seconds. `highwater sweep` is
//! the same with more.

use highwater_scenarios::catalogue::{find, scenarios};
use highwater_sim::{
    fault::FaultKind,
    run::{RunOptions, run},
    sweep::{check, sweep},
};
use std::{collections::BTreeSet, ops::ControlFlow, thread::available_parallelism};

/// Seeds of each scenario.
const SEEDS: u64 = 300;

fn assert_all_hold(name: &str) {
    let scenario = find(name).expect("it is in the catalogue");
    let seeds: Vec<u64> = (0..SEEDS).collect();
    let jobs = available_parallelism().map_or(1, usize::from);
    let mut told = Vec::new();
    sweep(&scenario, &seeds, jobs, &RunOptions::seeded(0), |run| {
        told.push(run.report.seed);
        if run.report.held() {
            return ControlFlow::Continue(());
        }
        panic!("{}", highwater_reports::text::render(&run.report));
    });
    assert_eq!(told, seeds, "every seed is told, in order");
}

#[test]
fn word_count_holds_all_invariants() {
    assert_all_hold("word-count");
}

#[test]
fn word_count_tcp_holds_all_invariants() {
    assert_all_hold("word-count-tcp");
}

#[test]
fn running_total_holds_all_invariants() {
    assert_all_hold("running-total");
}

#[test]
fn running_total_tcp_holds_all_invariants() {
    assert_all_hold("running-total-tcp");
}

/// The sweep does something: every class of faults fires, at every durable step that the engine has in its life.
#[test]
fn the_sweep_reaches_every_durable_step() {
    let scenario = find("running-total").expect("it is in the catalogue");
    let mut covered = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    sweep(&scenario, &(0..SEEDS).collect::<Vec<_>>(), 2, &RunOptions::seeded(0), |run| {
        covered.extend(run.report.coverage.iter().map(|(step, _)| step.to_string()));
        kinds.extend(
            run.report.plan.iter().filter(|fault| fault.firing.is_some()).map(|fault| fault.fault.kind()),
        );
        ControlFlow::Continue(())
    });
    // A source that resumes repeats nothing.
    let swept = FaultKind::swept().into_iter().filter(|kind| *kind != FaultKind::Repeat);
    assert_eq!(kinds, BTreeSet::from_iter(swept));
    for step in [
        "create generation",
        "append generation",
        "sync generation",
        "sync directory generation",
        "create checkpoint",
        "append checkpoint",
        "sync checkpoint",
        "rename checkpoint",
        "sync directory checkpoint",
        "remove checkpoint",
        "create journal",
        "append journal",
        "sync journal",
        "sync directory journal",
        "create state",
        "append state",
        "sync state",
        "sync directory state",
        "append output",
        "sync output",
    ] {
        assert!(covered.contains(step), "no crash hit: {step}; hit were {covered:#?}");
    }
}

#[test]
fn a_seed_gives_the_same_run_every_time() {
    for scenario in scenarios() {
        for seed in 0..5 {
            if let Err(difference) = check(&scenario, &RunOptions::seeded(seed)) {
                panic!("{} seed {seed}: {difference}", scenario.name);
            }
        }
    }
}

#[test]
fn a_seed_gives_the_same_report_whatever_else_runs() {
    let scenario = find("word-count").expect("it is in the catalogue");
    let alone = highwater_reports::text::render(&run(&scenario, &RunOptions::seeded(3)).report);
    sweep(&scenario, &[1, 2, 3, 4, 5, 6], 4, &RunOptions::seeded(0), |run| {
        if run.report.seed == 3 {
            assert_eq!(highwater_reports::text::render(&run.report), alone);
        }
        ControlFlow::Continue(())
    });
}
