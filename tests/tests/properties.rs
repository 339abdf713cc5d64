//! Properties over generated workloads and plans, with shrinking: what is told in the end is the smallest plan and the
//! shortest workload that fail.
//!
//! Cases are drawn from a fixed ChaCha seed, so a failure here is the same on every machine.

use highwater_scenarios::catalogue::scenarios;
use highwater_sim::{
    fault::Bounds,
    run::{RunOptions, run},
    scenario::Scenario,
    shrink::Plans,
};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::sync::Arc;

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
    // What is generated is the plan and the text; how many lines of it are sent, the seed draws.
    let plans = Plans { bounds: Bounds::default(), lines: 60 };
    let case = (0..scenarios.len(), 0..1000u64, plans, lines());
    let result = runner(400).run(&case, |(index, seed, plan, corpus)| {
        let scenario = Scenario { corpus: Arc::new(corpus), ..scenarios[index].clone() };
        let options = RunOptions { plan: Some(plan), ..RunOptions::seeded(seed) };
        let report = run(&scenario, &options).report;
        prop_assert!(report.held(), "{}", highwater_reports::text::render(&report));
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
