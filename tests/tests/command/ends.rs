//! A sweep that ends before its last seed: what it was asked for, how far it came, what is known.

use highwater_scenarios::catalogue::scenarios;
use highwater_tests::command::{PATIENCE, Process, path, run_in};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::{
    ffi::OsStr,
    fs, io,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const SABOTAGED: [&str; 6] =
    ["sweep", "word-count", "running-total", "--sabotage", "file-sync-does-nothing", "--format=json"];

/// A summary without the one thing in it that is not a function of the runs.
fn timeless(mut summary: Value) -> Value {
    for scenario in summary["scenarios"].as_object_mut().expect("scenarios by name").values_mut() {
        scenario["wall_seconds"] = json!(0);
    }
    summary
}

fn failures(summary: &Value) -> u64 {
    let scenarios = summary["scenarios"].as_object().expect("scenarios by name").values();
    scenarios.map(|scenario| scenario["failures"].as_object().expect("failures by seed").len() as u64).sum()
}

fn runs(summary: &Value) -> u64 {
    let scenarios = summary["scenarios"].as_object().expect("scenarios by name").values();
    scenarios.map(|scenario| scenario["seeds"].as_u64().expect("a number")).sum()
}

#[test]
fn a_bound_on_failures_ends_after_that_many_on_any_number_of_threads() {
    let directory = tempfile::tempdir().expect("a directory");
    for (bound, most) in [(&["--fail-fast"][..], 1), (&["--max-fail", "3"], 3)] {
        let swept = |jobs| {
            let arguments = [&SABOTAGED[..], &["--seeds", "0..200", "--jobs", jobs], bound].concat();
            let ended = run_in(directory.path(), &arguments);
            assert_eq!(ended.status, Some(1), "{}", ended.said);
            assert!(ended.said.contains("cut short by its failures: "), "{}", ended.said);
            timeless(ended.json())
        };
        let summary = swept("1");
        assert_eq!(swept("3"), summary, "{bound:?}");
        assert_eq!(failures(&summary), most, "{bound:?}");
        let cut = json!([{ "why": "failures", "runs": runs(&summary), "asked": 400 }]);
        assert_eq!(summary["cut_short"], cut, "{bound:?}");
    }
}

#[test]
fn a_bound_that_is_not_reached_cuts_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let arguments = ["sweep", "word-count", "--seeds", "0..3", "--max-fail", "1", "--time-budget", "10m"];
    let ended = run_in(directory.path(), &[&arguments[..], &["--format", "json"]].concat());
    assert_eq!(ended.status, Some(0), "{}", ended.said);
    assert_eq!((ended.json()["cut_short"].clone(), runs(&ended.json())), (json!([]), 3));
    assert!(!ended.said.contains("cut short"), "{}", ended.said);
}

#[test]
fn a_time_budget_is_shared_by_the_scenarios() {
    let directory = tempfile::tempdir().expect("a directory");
    let arguments = ["sweep", "--seeds", "0..1000000", "--time-budget", "4s", "--format", "json"];
    let ended = run_in(directory.path(), &arguments);
    assert_eq!(ended.status, Some(0), "{}", ended.said);
    let summary = ended.json();
    assert_eq!(summary["scenarios"].as_object().expect("scenarios by name").len(), scenarios().len());
    assert_eq!(summary["cut_short"][0]["why"], "time-budget");
    assert_eq!(summary["cut_short"][0]["runs"], runs(&summary));
    assert!(ended.said.contains("cut short by its time budget: "), "{}", ended.said);
}

#[test]
fn ctrl_c_ends_with_what_is_known_so_far() {
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("reports");
    let arguments = [&SABOTAGED[..], &["--seeds", "0..1000000", "--out"]].concat();
    let mut arguments: Vec<&OsStr> = arguments.into_iter().map(OsStr::new).collect();
    arguments.push(out.as_os_str());
    let mut process = Process::start(directory.path(), "sweep", &arguments);
    let deadline = Instant::now() + PATIENCE;
    // A report is written once a run has failed.
    while fs::read_dir(&out).map_or(0, Iterator::count) == 0 {
        assert!(Instant::now() < deadline, "{}", process.stderr());
        thread::sleep(Duration::from_millis(20));
    }
    process.signal(Signal::INT);
    assert_eq!(process.wait().code(), Some(1), "{}", process.stderr());
    let written = process.stdout().expect("it is in a file");
    let summary: Value = serde_json::from_slice(&written).expect("one document");
    assert_eq!(summary["cut_short"][0]["why"], "interrupted");
    assert!(failures(&summary) >= 1 && runs(&summary) < 1_000_000, "{}", summary["cut_short"]);
    assert!(process.stderr().contains("Ctrl-C again ends at once"), "{}", process.stderr());
    let kept = fs::read(out.join("summary.json")).expect("the summary is kept");
    assert_eq!(serde_json::from_slice::<Value>(&kept).expect("one document"), summary);
}

#[test]
fn ctrl_c_ends_well_where_all_held_so_far() {
    let directory = tempfile::tempdir().expect("a directory");
    let out = directory.path().join("reports");
    let arguments = ["sweep", "word-count", "--seeds", "0..1000000", "--faults", "close", "--out"];
    let mut arguments: Vec<&OsStr> = arguments.into_iter().map(OsStr::new).collect();
    arguments.push(out.as_os_str());
    let mut process = Process::start(directory.path(), "sweep", &arguments);
    process.wait_said(|said| said.contains("sweeping 1 scenarios").then_some(()));
    // Enough for some runs, which take milliseconds.
    thread::sleep(Duration::from_secs(5));
    process.signal(Signal::INT);
    assert_eq!(process.wait().code(), Some(0), "{}", process.stderr());
    let table = String::from_utf8(process.stdout().expect("it is in a file")).expect("text");
    assert!(table.contains("cut short by Ctrl-C: ") && table.contains("word-count"), "{table}");
}

#[test]
fn wrong_bounds_are_wrong_usage() {
    let directory = tempfile::tempdir().expect("a directory");
    for wrong in [
        &["--max-fail", "0"][..],
        &["--fail-fast", "--max-fail", "2"],
        &["--time-budget", "soon"],
        &["--shard", "3/2"],
        &["--jobs", "0"],
    ] {
        let ended = run_in(directory.path(), &[&["sweep"], wrong].concat());
        assert_eq!((ended.status, ended.out.as_str()), (Some(2), ""), "{wrong:?}: {}", ended.said);
    }
}

#[test]
fn a_reader_who_leaves_is_told_nothing_and_a_full_disk_is() {
    let to = |out: Stdio| {
        let mut command = Command::new(path());
        let child = command.args(["completions", "bash"]).stdout(out).stderr(Stdio::piped()).spawn();
        child.expect("it starts")
    };
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    let ended = to(writer.into()).wait_with_output().expect("it ends");
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(1), &b""[..]));
    if let Ok(full) = fs::File::options().write(true).open("/dev/full") {
        let ended = to(full.into()).wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(1) && said.starts_with("error: cannot print: "), "{said}");
    }
}

#[test]
fn what_nobody_can_be_told_changes_no_status() {
    let directory = tempfile::tempdir().expect("a directory");
    let sweep = ["sweep", "word-count", "--seeds", "0..1"];
    for (arguments, status) in [(&sweep[..], 0), (&["sweep", "no-such-scenario"], 2)] {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let full = fs::File::options().write(true).open("/dev/full").ok();
        for err in [Some(Stdio::from(writer)), full.map(Stdio::from)].into_iter().flatten() {
            let mut command = Command::new(path());
            command.args(arguments).current_dir(directory.path()).stdout(Stdio::null()).stderr(err);
            assert_eq!(command.status().expect("it ends").code(), Some(status), "{arguments:?}");
        }
    }
}
