//! Scenarios from files: where a name goes a path goes, what is wrong is told with its place, and a failure replays.

use highwater_scenarios::scenario_file;
use highwater_sim::run::{RunOptions, run};
use highwater_tests::command::run_in;
use std::{
    fs,
    path::{Path, PathBuf},
};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn every_example_holds() {
    let mut read = 0;
    for file in fs::read_dir(repository().join("scenarios/examples")).expect("there are examples") {
        let path = file.expect("a file").path();
        let scenario = scenario_file::read(&path).unwrap_or_else(|error| panic!("{error}"));
        for seed in 0..10 {
            let report = run(&scenario, &RunOptions::seeded(seed)).report;
            assert!(report.held(), "{}: seed {seed}: {:?}", path.display(), report.verdicts);
        }
        read += 1;
    }
    assert!(read >= 2, "{read} examples");
}

#[test]
fn the_examples_of_the_page_can_be_read() {
    let page = fs::read_to_string(repository().join("docs/scenario-files.md")).expect("the page");
    let examples: Vec<&str> =
        page.split("```toml").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!examples.is_empty());
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("lines.txt"), "a line\n").expect("a file");
    for (number, example) in examples.iter().enumerate() {
        let path = directory.path().join(format!("example-{number}.toml"));
        fs::write(&path, example).expect("a file");
        scenario_file::read(&path).unwrap_or_else(|error| panic!("{error}\n{example}"));
    }
}

#[test]
fn the_bounds_of_a_file_bound_what_is_drawn() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("few.toml");
    let text = "pipeline = 'word-count'\n[workload]\nlines = [3, 5]\n\
                [faults]\nkinds = ['crash', 'reset']\ncrashes_max = 1\nothers_max = 1\n";
    fs::write(&path, text).expect("a file");
    let scenario = scenario_file::read(&path).expect("it can be read");
    let mut faults = 0;
    for seed in 0..80 {
        let report = run(&scenario, &RunOptions::seeded(seed)).report;
        assert!((3..=5).contains(&report.ledger.records), "{} lines", report.ledger.records);
        let kinds: Vec<&str> = report.plan.iter().map(|planned| planned.fault.kind().name()).collect();
        let count = |kind| kinds.iter().filter(|name| **name == kind).count();
        assert!(count("crash") <= 1 && count("reset") <= 1 && kinds.len() <= 2, "{kinds:?}");
        faults += kinds.len();
    }
    assert!(faults > 10, "{faults} in 80 runs");
}

#[test]
fn a_failure_of_a_file_replays_and_shrinks() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = "pipeline = 'running-total'\n[faults]\nkinds = ['crash', 'power-loss']\n";
    fs::create_dir(directory.path().join("mine")).expect("a directory");
    fs::write(directory.path().join("mine/lossy.toml"), text).expect("a file");
    let sabotage = ["--sabotage", "file-sync-does-nothing"];
    let sweep = ["sweep", "mine/lossy.toml", "--fail-fast", "--seeds", "0..200"];
    let swept = run_in(directory.path(), &[&sweep[..], &sabotage].concat());
    assert_eq!(swept.status, Some(1), "{}", swept.said);
    let replay = swept.out.lines().find_map(|line| line.trim().strip_prefix("replay: highwater "));
    let replay: Vec<&str> = replay.expect("it tells how to see it again").split(' ').collect();
    assert_eq!(replay[..2], ["replay", "mine/lossy.toml"]);
    let replayed = run_in(directory.path(), &replay);
    assert_eq!(replayed.status, Some(1), "{}", replayed.said);
    assert!(replayed.out.contains("BROKEN"), "{}", replayed.out);
    let shrink =
        [&["shrink", "mine/lossy.toml", "--seed", replay[3], "--time", "2s"][..], &sabotage].concat();
    let shrunk = run_in(directory.path(), &[&shrink[..], &["--out", "small.toml"]].concat());
    assert_eq!(shrunk.status, Some(1), "{}", shrunk.said);
    let again = run_in(directory.path(), &[&["replay", "--plan", "small.toml"][..], &sabotage].concat());
    assert_eq!(again.status, Some(1), "{}{}", again.out, again.said);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("x.toml"), "pipeline = 'sessions'\n\n[faults]\nkinds = ['crush']\n")
        .expect("a file");
    for command in ["sweep", "explore"] {
        let ended = run_in(directory.path(), &[command, "x.toml"]);
        assert_eq!((ended.status, ended.out.as_str()), (Some(2), ""), "{}", ended.said);
        assert!(ended.said.contains("x.toml, line 4, column 10: "), "{}", ended.said);
    }
    let ended = run_in(directory.path(), &["sweep", "nowhere.toml"]);
    assert_eq!(ended.status, Some(2));
    assert!(ended.said.contains("cannot read nowhere.toml: No such file"), "{}", ended.said);
    let ended = run_in(directory.path(), &["sweep", "word-cuont"]);
    assert!(ended.said.contains("there are: word-count, "), "{}", ended.said);
}
