//! Whatever fails, the output is what the model says: the simulator crashes the driver, tears its writes and drops its sockets.

use highwater_core::BatchTime;
use highwater_sim::scenario::{Batches, Scenario};
use std::{collections::BTreeMap, fs};

/// What the output must hold for these batches, a text for each: as plain as can be, and without the pipeline's code.
fn model(batches: &Batches) -> Vec<String> {
    let mut totals = BTreeMap::new();
    let batch = |(time, lines): &(BatchTime, Vec<String>)| {
        for word in lines.iter().flat_map(|line| line.split_whitespace()) {
            *totals.entry(word.to_owned()).or_insert(0) += 1;
        }
        let mut words: Vec<String> = totals
            .iter()
            .map(|(word, total)| format!("{word}={total}"))
            .collect();
        words.sort();
        format!("{time} {}\n", words.join(" "))
    };
    batches.iter().map(batch).collect()
}

fn scenario() -> Scenario {
    Scenario::new("ship-log", ship_log::build, model)
}

#[test]
fn nothing_is_lost_or_doubled_whatever_fails() {
    let swept = highwater_sim::sweep(&scenario(), 0..40);
    // A sweep in which nothing happened would prove nothing.
    assert!(
        swept.totals.crashes > 0 && swept.totals.drops > 0,
        "{swept:?}"
    );
}

/// The plans in `tests/plans`: what a sweep found once, and what is worth keeping. `cargo test plans -- --nocapture` tells their stories.
#[test]
fn the_plans_that_are_kept_hold() {
    for file in fs::read_dir("tests/plans").expect("the directory is part of the crate") {
        let path = file.expect("a file").path();
        let plan = fs::read_to_string(&path).expect("it is text");
        let report = highwater_sim::replay(&scenario(), &plan)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        println!("{}", highwater_reports::text::render(&report));
        assert!(
            report.held(),
            "{} breaks an invariant; its story is above",
            path.display()
        );
    }
}
