//! The engine against the real Spark: every case of every file in `oracle/` (its README tells the format), exact. One test a file.
//!
//! A batch's records are compared as a sorted list, its time exactly, and a time at which there is no batch must have none. What a
//! case says that is not known here fails its test, by name.
//!
//! Where Highwater differs on purpose, docs/coming-from-spark.md says so, and the case is run in the way in which both agree: the
//! plain definition's answer where Spark's inverse windows are wrong; time-outs looked for in every batch; after a restart the
//! batches without the completed one that Spark emits again.

#[path = "oracle/case.rs"]
mod case;
#[path = "oracle/errors.rs"]
mod errors;
#[path = "oracle/functions.rs"]
mod functions;
#[path = "oracle/pipeline.rs"]
mod pipeline;
#[path = "oracle/run.rs"]
mod run;
#[path = "oracle/time_outs.rs"]
mod time_outs;
#[path = "oracle/wrong_programs.rs"]
mod wrong_programs;

use case::{Batch, Case};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

#[track_caller]
fn assert_same(what: &str, found: &[Batch], expected: &[Batch]) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.time_ms, expected.time_ms, "{what}: a batch at another time");
        assert_eq!(found.records, expected.records, "{what}: the batch at {} ms", found.time_ms);
    }
    let times = |batches: &[Batch]| batches.iter().map(|batch| batch.time_ms).collect::<Vec<_>>();
    assert_eq!(times(found), times(expected), "{what}: the times of the batches");
}

/// Spark checkpoints a `mapWithState` in every so many batches where a program says nothing else.
const SPARKS_INTERVAL: u64 = 10;

fn check(case: &Arc<Case>) {
    let spark = case.output.clone().unwrap_or_default();
    let found = run::outcome(case);
    let every = case.params.number_or_none("checkpoint_interval_batches").unwrap_or(SPARKS_INTERVAL);
    if case.params.number_or_none("timeout_ms").is_some() && every > 1 {
        assert_same("the model of Spark's late time-outs", &time_outs::model(case, every), &spark);
        return assert_same("time-outs in every batch", &found, &time_outs::model(case, 1));
    }
    match &case.plain_output {
        Some(plain) => assert_same("the plain answer", &found, plain),
        None => {
            assert!(case.error.is_none(), "Spark failed: {:?}", case.error);
            assert_same("Spark's answer", &found, &spark);
        }
    }
}

fn check_restart(case: &Arc<Case>) {
    let (before, after) = run::outcome_with_restart(case);
    let expected = case.output_before.as_ref().expect("a case with a restart");
    assert_same("before the restart", &before, expected);
    let completed_ms = expected.last().expect("batches before the restart").time_ms;
    let at_start = case.output_after_at_start.iter().flatten();
    let expected: Vec<Batch> = at_start
        .chain(case.output_after_later.iter().flatten())
        .filter(|batch| batch.time_ms > completed_ms)
        .cloned()
        .collect();
    assert_same("after the restart", &after, &expected);
}

/// Runs all cases of a file, and tells of all that fail.
fn check_file(name: &str, check: impl Fn(&Arc<Case>)) {
    let cases: Vec<Arc<Case>> = case::read::<Case>(name).into_iter().map(Arc::new).collect();
    assert!(!cases.is_empty(), "{name} has no case");
    let mut failures = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| check(case))) {
            let text = payload.downcast_ref::<String>().cloned();
            let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let text = text.unwrap_or_else(|| "a panic without a message".to_owned());
            failures.push(format!("case {index}, {:?}:\n{text}", case.params));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} cases of {name} fail:\n\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n\n")
    );
}

macro_rules! files {
    ($($test:ident $file:literal $check:path;)*) => {
        $(
            #[test]
            fn $test() {
                check_file($file, $check);
            }
        )*

        const FILES: &[&str] = &["errors", $($file),*];
    };
}

files! {
    cogroup "cogroup" check;
    combine_by_key "combineByKey" check;
    comp_join_of_windows "comp_join_of_windows" check;
    comp_window_of_window "comp_window_of_window" check;
    comp_window_then_reduce_by_key "comp_window_then_reduceByKey" check;
    comp_window_then_update_state_by_key "comp_window_then_updateStateByKey" check;
    count "count" check;
    count_by_value "countByValue" check;
    count_by_value_and_window "countByValueAndWindow" check;
    count_by_window "countByWindow" check;
    filter "filter" check;
    flat_map "flatMap" check;
    flat_map_values "flatMapValues" check;
    full_outer_join "fullOuterJoin" check;
    glom "glom" check;
    group_by_key "groupByKey" check;
    group_by_key_and_window "groupByKeyAndWindow" check;
    join "join" check;
    left_outer_join "leftOuterJoin" check;
    map "map" check;
    map_partitions "mapPartitions" check;
    map_values "mapValues" check;
    map_with_state "mapWithState" check;
    recovery "recovery" check_restart;
    reduce "reduce" check;
    reduce_by_key "reduceByKey" check;
    reduce_by_key_and_window "reduceByKeyAndWindow" check;
    reduce_by_key_and_window_inverse "reduceByKeyAndWindow_inverse" check;
    reduce_by_key_and_window_inverse_filter "reduceByKeyAndWindow_inverse_filter" check;
    reduce_by_window "reduceByWindow" check;
    reduce_by_window_inverse "reduceByWindow_inverse" check;
    repartition "repartition" check;
    right_outer_join "rightOuterJoin" check;
    slice "slice" check;
    ssc_transform "ssc_transform" check;
    ssc_union "ssc_union" check;
    transform "transform" check;
    transform_with "transformWith" check;
    union "union" check;
    update_state_by_key "updateStateByKey" check;
    window "window" check;
}

#[test]
fn errors() {
    errors::check_all();
}

#[test]
fn every_recorded_file_has_its_test() {
    for entry in std::fs::read_dir(case::folder()).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        assert!(name == "README" || FILES.contains(&name), "{name} has no test");
    }
}
