//! Random pipelines: operators put together at random over random input, partitions, windows and slides, run by the engine and by an
//! interpreter that is plain enough to be seen right. Without crashes, and with lives cut off at random moments.
//!
//! Batches are compared as multisets, since the order in a batch is the engine's own; but a batch that is emitted again must be the
//! same records in the same order. Cases are drawn from a fixed ChaCha seed, so a failure here is the same on every machine, and
//! what is told in the end is the smallest pipeline that fails.

#[path = "random_pipelines/case.rs"]
mod case;
#[path = "random_pipelines/engine.rs"]
mod engine;
#[path = "random_pipelines/operator.rs"]
mod operator;
#[path = "random_pipelines/program.rs"]
mod program;
#[path = "random_pipelines/reference.rs"]
mod reference;

use case::{Case, cases};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use reference::Reference;
use std::{cell::RefCell, collections::BTreeMap};

/// How many batches are looked at.
const BATCHES: u64 = 14;

fn runner(cases: u32, seed: u8) -> TestRunner {
    // Shrinking stops after half a minute: what it has by then is told.
    let config = Config { cases, max_shrink_time: 30_000, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]))
}

/// Runs a case in both ways and compares.
fn check(case: &Case) -> Result<(), TestCaseError> {
    let program = case.program();
    let run = engine::run(case, &program, BATCHES);
    let run = run.map_err(|error| TestCaseError::fail(format!("{error}\n{program}")))?;
    for (source, queue) in case.inputs.iter().enumerate() {
        // The interpreter gets what came out of the sources, so that must be the queue, in its order.
        let taken: Vec<i64> = run.of(source).values().flatten().map(|record| record.1).collect();
        let queued: Vec<i64> = queue.iter().flatten().copied().collect();
        prop_assert!(queued.starts_with(&taken), "source {source} has {queued:?} and gives {taken:?}");
    }
    let reference = Reference::new(&program, |source, number| run.of(source)[&number].clone());
    for (index, node) in program.nodes.iter().enumerate().filter(|(_, node)| node.observed) {
        let due = |number: &u64| number.is_multiple_of(node.slide);
        let expected: Vec<u64> = (1..=BATCHES).filter(due).collect();
        let found: Vec<u64> = run.of(index).keys().copied().collect();
        prop_assert_eq!(found, expected, "the batches of node {}\n{}", index, program);
        for (number, records) in run.of(index) {
            let mut found = records.clone();
            found.sort_unstable();
            let mut expected = reference.batch(index, *number);
            expected.sort_unstable();
            prop_assert_eq!(found, expected, "node {} in batch {}\n{}", index, number, program);
        }
    }
    Ok(())
}

#[test]
fn any_pipeline_gives_what_a_plain_interpreter_gives() {
    let result = runner(400, 11).run(&cases(0), |case| check(&case));
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

#[test]
fn any_pipeline_gives_the_same_over_crashes_and_recoveries() {
    let result = runner(300, 12).run(&cases(4), |case| check(&case));
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

#[test]
fn the_random_pipelines_have_every_operator_deep_in_them() {
    let seen = RefCell::new(BTreeMap::new());
    let result = runner(400, 11).run(&cases(0), |case| {
        let program = case.program();
        for node in &program.nodes {
            let deep = node.parents.iter().any(|parent| !program.nodes[*parent].parents.is_empty());
            *seen.borrow_mut().entry(node.operator.name()).or_insert(0) += u32::from(deep);
        }
        Ok(())
    });
    result.expect("nothing is checked");
    let mut seen = seen.into_inner();
    assert_eq!(seen.len(), 36, "{seen:?}");
    seen.retain(|_, deep| *deep < 10);
    seen.remove("Source");
    assert!(seen.is_empty(), "hardly any of {seen:?}");
}
