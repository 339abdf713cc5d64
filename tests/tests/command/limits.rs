//! What is too much or nothing at all: a clear error, at once, instead of a hang, an abort or a success that is none.

use highwater_tests::command::{Ended, run_in};
use std::{fs, path::Path};

fn ended(arguments: &[&str]) -> Ended {
    let directory = tempfile::tempdir().expect("a directory");
    run_in(directory.path(), arguments)
}

/// It is wrong usage, and says so.
fn refused(arguments: &[&str], why: &str) {
    let ended = ended(arguments);
    assert_eq!((ended.status, ended.out.as_str()), (Some(2), ""), "{arguments:?}: {}", ended.said);
    assert!(ended.said.contains(why), "{arguments:?}: {}", ended.said);
}

#[test]
fn as_many_seeds_as_there_are_numbers_cost_nothing_before_they_are_run() {
    for seeds in ["0..100000000", "0..9223372036854775808"] {
        let arguments = ["sweep", "word-count", "--seeds", seeds, "--max-fail", "1", "--time-budget", "2s"];
        let ended = ended(&[&arguments[..], &["--format", "json"]].concat());
        assert_eq!(ended.status, Some(0), "{}", ended.said);
        assert_eq!(ended.json()["cut_short"][0]["why"], "time-budget");
    }
}

#[test]
fn a_seed_that_no_plan_file_can_hold_is_refused() {
    refused(&["sweep", "--seeds", "0..18446744073709551615"], "the last seed is 9223372036854775807");
    for command in ["replay", "shrink", "explore"] {
        refused(
            &[command, "word-count", "--seed", "9223372036854775808"],
            "is not in 0..=9223372036854775807",
        );
    }
}

#[test]
fn more_threads_than_any_machine_has_cores_are_refused() {
    for command in ["sweep", "prove"] {
        refused(&[command, "--jobs", "1000000000"], "1000000000 is not in 1..=1024");
    }
    refused(&["explore", "word-count", "--jobs", "1025"], "1025 is not in 1..=1024");
}

#[test]
fn where_nothing_is_run_there_is_no_success() {
    refused(&["sweep", "--seeds", "0..2", "--shard", "4/4"], "no seed of 0..2 is in shard 4/4");
    refused(&["explore", "word-count", "--runs-max", "0"], "--runs-max");
}

#[test]
fn a_scenario_that_is_named_twice_is_run_once() {
    let twice = ended(&["sweep", "word-count", "word-count", "--seeds", "0..2", "--format", "json"]);
    assert_eq!(twice.status, Some(0), "{}", twice.said);
    assert!(twice.said.contains("sweeping 1 scenarios"), "{}", twice.said);
    assert_eq!(twice.json()["scenarios"]["word-count"]["seeds"], 2);
    let directory = tempfile::tempdir().expect("a directory");
    for file in ["one.toml", "other.toml"] {
        fs::write(directory.path().join(file), "name = \"mine\"\npipeline = \"word-count\"\n")
            .expect("a file");
    }
    let both = run_in(directory.path(), &["sweep", "one.toml", "other.toml"]);
    assert_eq!(both.status, Some(2), "{}", both.said);
    assert!(both.said.contains("one.toml and other.toml are both named `mine`"), "{}", both.said);
}

#[test]
fn shards_that_are_missing_are_told() {
    let directory = tempfile::tempdir().expect("a directory");
    for shard in ["1/4", "3/4"] {
        let out = format!("shard-{}", &shard[..1]);
        let arguments = ["sweep", "word-count", "--seeds", "0..8", "--shard", shard, "--out", &out];
        assert_eq!(run_in(directory.path(), &arguments).status, Some(0));
    }
    let merge = ["report", "merge", "shard-1/summary.json", "shard-3/summary.json"];
    let merged = run_in(directory.path(), &merge);
    assert_eq!(merged.status, Some(0), "{}", merged.said);
    let told = "a part: 2 of 4 shards of the seeds 0..8; 2 are missing: 2/4, 4/4\n";
    assert!(merged.out.contains(told) && merged.said.contains(told), "{}{}", merged.out, merged.said);
    let json = run_in(directory.path(), &[&merge[..], &["--format", "json"]].concat()).json();
    assert_eq!(json["shards"].as_array().expect("a list").len(), 2, "{json}");
}

#[test]
fn a_report_of_no_run_is_no_success() {
    let directory = tempfile::tempdir().expect("a directory");
    let empty = "{\"schema\":\"highwater.sweep\",\"version\":1,\"asked\":{\"highwater\":\"\",\"faults\":[],\"sabotage\":[]},\
                 \"scenarios\":{},\"coverage\":{\"kinds\":[],\"steps\":[],\"cells\":[]},\"prices\":{}}";
    fs::write(directory.path().join("empty.json"), empty).expect("a file");
    let merged = run_in(directory.path(), &["report", "merge", "empty.json"]);
    assert_eq!(merged.status, Some(2), "{}", merged.said);
    assert!(merged.said.contains("no run is in these reports"), "{}", merged.said);
}

#[test]
fn a_file_without_an_end_is_refused() {
    if !Path::new("/dev/zero").exists() {
        return;
    }
    let larger = "it is larger than such a file may be, which is 16 MiB";
    refused(&["replay", "word-count", "--plan", "/dev/zero"], larger);
    refused(&["shrink", "word-count", "--plan", "/dev/zero"], larger);
    refused(&["sweep", "/dev/zero"], larger);
    refused(&["scenarios", "--config", "/dev/zero"], larger);
}

#[test]
fn a_plan_with_more_faults_than_a_run_can_look_at_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let plan = "[[faults]]\nkind = \"reset\"\nconnection = 1\nafter_bytes = 1\n".repeat(10_001);
    fs::write(directory.path().join("plan.toml"), plan).expect("a file");
    let ended = run_in(directory.path(), &["replay", "word-count", "--plan", "plan.toml"]);
    assert_eq!(ended.status, Some(2), "{}", ended.said);
    assert!(ended.said.contains("it has 10001 faults, and a plan has at most 10000"), "{}", ended.said);
}

#[test]
fn a_plan_and_the_faults_to_draw_exclude_each_other() {
    refused(&["replay", "word-count", "--plan", "plan.toml", "--faults", "crash"], "cannot be used with");
}

#[test]
fn a_replay_of_a_plan_says_how_to_see_it_again_and_how_much_of_the_workload_there_is() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("my plan.toml"), "lines = 9223372036854775807\n").expect("a file");
    let ended = run_in(directory.path(), &["replay", "word-count", "--seed", "3", "--plan", "my plan.toml"]);
    assert_eq!(ended.status, Some(0), "{}", ended.said);
    let last = "replay: highwater replay word-count --seed 3 --plan 'my plan.toml'\n";
    assert!(ended.out.ends_with(last), "{}", ended.out);
    let seed = ended.out.lines().find(|line| line.starts_with("seed  ")).expect("a line of the seed");
    assert!(seed.contains(", all ") && !seed.contains("9223372036854775807"), "{seed}");
}
