//! Properties over generated workloads and plans, with shrinking: what is told in the end is the smallest plan and the
//! shortest workload that fail.
//!
//! Cases are drawn from a fixed ChaCha seed, so a failure here is the same on every machine.

use highwater_scenarios::catalogue::scenarios;
use highwater_sim::{
    fault::{Close, Crash, Fault, Moment, Plan, PowerLoss, Reset, Stall, Trigger},
    run::{RunOptions, run},
    scenario::Scenario,
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::sync::Arc;

fn moment() -> impl Strategy<Value = Moment> {
    prop_oneof![Just(Moment::Before), Just(Moment::Inside), Just(Moment::After)]
}

fn trigger() -> impl Strategy<Value = Trigger> {
    prop_oneof![
        (1..5u32, 1..400u64, moment()).prop_map(|(life, number, moment)| Trigger::DiskOperation {
            life: highwater_sim::world::Life(life),
            number,
            moment
        }),
        (1..5u32, 1..60u64, moment()).prop_map(|(life, number, moment)| Trigger::NetworkOperation {
            life: highwater_sim::world::Life(life),
            number,
            moment
        }),
        (1..15_000u64).prop_map(|at_ms| Trigger::Time { at_ms }),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    let power_loss = proptest::option::of(any::<u64>().prop_map(PowerLoss::image));
    let crash = (trigger(), power_loss, 1..3000u64).prop_map(|(trigger, power_loss, restart_after_ms)| {
        Fault::Crash(Crash { trigger, power_loss, restart_after_ms })
    });
    let connection = (1..6u32, 0..4000u64);
    prop_oneof![
        4 => crash,
        1 => connection.clone().prop_map(|(connection, after_bytes)| Fault::Reset(Reset { connection, after_bytes })),
        1 => connection.clone().prop_map(|(connection, after_bytes)| Fault::Close(Close { connection, after_bytes })),
        1 => (connection, 1..4000u64).prop_map(|((connection, after_bytes), for_ms)| {
            Fault::Stall(Stall { connection, after_bytes, for_ms })
        }),
    ]
}

/// Lines that no corpus has: empty words, odd spaces, quotes, several alphabets; each distinct by its number.
fn lines() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("[ a-c\"\\\\\u{e9}\u{4e2d}\t]{0,30}", 1..60)
        .prop_map(|lines| lines.into_iter().enumerate().map(|(n, line)| format!("{n} {line}")).collect())
}

fn runner(cases: u32) -> TestRunner {
    // Shrinking stops after a minute: what it has by then is told.
    let config = Config { cases, max_shrink_time: 60_000, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]))
}

#[test]
fn any_plan_over_any_text_holds_all_invariants() {
    let scenarios = scenarios();
    let case = (0..scenarios.len(), 0..1000u64, proptest::collection::vec(fault(), 0..6), lines());
    let result = runner(400).run(&case, |(index, seed, faults, corpus)| {
        let scenario = Scenario { corpus: Arc::new(corpus), ..scenarios[index].clone() };
        let options = RunOptions { plan: Some(Plan::of(faults)), ..RunOptions::seeded(seed) };
        let report = run(&scenario, &options).report;
        prop_assert!(report.held(), "{}", highwater_reports::text::render(&report));
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
