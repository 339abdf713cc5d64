//! Shrinking: a run that fails among many faults, under a promise that is broken on purpose, comes down to the faults that cause it.

use highwater_scenarios::catalogue::find;
use highwater_sim::{
    fault::{Plan, PlanFile},
    run::RunOptions,
    sabotage::Sabotage,
    shrink::{Shrunk, shrink},
};
use highwater_tests::command::Process;
use std::{collections::BTreeSet, ffi::OsStr, fs, path::Path};

/// Faults of which few matter, whatever is broken.
const NOISY: &str = "
scenario = 'running-total'
seed = 7
[[faults]]
kind = 'stall'
connection = 1
after_bytes = 100
for_ms = 300
[[faults]]
kind = 'crash'
restart_after_ms = 700
trigger = { on = 'step', life = 1, operation = 'append', place = 'output', nth = 4, moment = 'after' }
[[faults]]
kind = 'reset'
connection = 2
after_bytes = 300
[[faults]]
kind = 'crash'
restart_after_ms = 300
trigger = { on = 'disk-operation', life = 2, number = 8, moment = 'inside' }
[[faults]]
kind = 'crash'
restart_after_ms = 200
trigger = { on = 'step', life = 3, operation = 'sync', place = 'output', nth = 2, moment = 'before' }
power_loss = { image_seed = 4 }
[[faults]]
kind = 'close'
connection = 3
after_bytes = 20
[[faults]]
kind = 'crash'
restart_after_ms = 20
trigger = { on = 'time', at_ms = 9000 }
power_loss = { image_seed = 99 }
";

fn options(sabotage: Sabotage) -> RunOptions {
    let file = PlanFile::read(NOISY).expect("it is a plan");
    let seed = file.seed.expect("it names one");
    RunOptions { sabotage: BTreeSet::from([sabotage]), plan: Some(file.plan), ..RunOptions::seeded(seed) }
}

fn shrunk(options: &RunOptions, keep_going: &mut dyn FnMut(&Plan) -> bool) -> Option<Shrunk> {
    shrink(&find("running-total").expect("it is in the catalogue"), options, keep_going)
}

fn assert_small(sabotage: Sabotage) {
    let shrunk = shrunk(&options(sabotage), &mut |_| true).expect("it fails");
    let text =
        format!("{:?}\n{}\nlines {}, {} runs", shrunk.invariant, shrunk.plan, shrunk.lines, shrunk.runs);
    println!("{text}");
    assert!((1..=2).contains(&shrunk.plan.faults.len()) && shrunk.lines <= 40, "{text}");
    assert!(shrunk.complete && shrunk.original.faults.len() == 7 && shrunk.original_lines > 100, "{text}");
    let broken = |verdict: &highwater_sim::judge::Verdict| {
        verdict.invariant == shrunk.invariant && !verdict.violations.is_empty()
    };
    assert!(shrunk.report.verdicts.iter().any(broken), "{text}");
    assert!(shrunk.report.plan.iter().all(|fault| fault.firing.is_some()), "{text}");
    assert_eq!(shrunk.without.len(), shrunk.plan.faults.len());
    for without in &shrunk.without {
        assert!(!without.0.contains(&shrunk.invariant), "a fault is no cause: {text}");
    }
    assert!(shrunk.calm.held(), "{text}");
}

#[test]
fn a_file_sync_that_does_nothing_comes_down_to_its_cause() {
    assert_small(Sabotage::FileSyncDoesNothing);
}

#[test]
fn a_write_that_lands_at_the_end_comes_down_to_its_cause() {
    assert_small(Sabotage::WritesLandAtTheEnd);
}

#[test]
fn an_acknowledgement_before_the_sync_comes_down_to_its_cause() {
    assert_small(Sabotage::AcknowledgeBeforeSync);
}

#[test]
fn the_same_failure_comes_down_to_the_same_plan() {
    let once = || {
        let shrunk = shrunk(&options(Sabotage::WritesLandAtTheEnd), &mut |_| true).expect("it fails");
        (shrunk.plan, shrunk.runs, shrunk.report.hash)
    };
    assert_eq!(once(), once());
}

#[test]
fn who_does_not_wait_gets_the_plan_that_failed() {
    let options = options(Sabotage::FileSyncDoesNothing);
    let mut asked = 0;
    let shrunk = shrunk(&options, &mut |_| {
        asked += 1;
        false
    });
    let shrunk = shrunk.expect("it fails");
    assert_eq!((asked, Some(&shrunk.plan), shrunk.complete), (1, options.plan.as_ref(), false));
    assert_eq!(shrunk.without.len(), 7, "what each fault does is told all the same");
}

#[test]
fn what_holds_is_not_shrunk() {
    let options = RunOptions { plan: Some(Plan::calm()), ..RunOptions::seeded(7) };
    assert!(shrunk(&options, &mut |_| true).is_none());
}

/// How a command ended, and what it wrote.
fn highwater(directory: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    let mut process = Process::start(directory, "highwater", &arguments);
    let status = process.wait().code();
    let stdout = String::from_utf8(process.stdout().expect("it is read")).expect("it is text");
    (status, stdout, process.stderr())
}

#[test]
fn the_command_writes_a_case_that_its_last_line_replays() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().expect("a plain name").to_owned();
    let (noisy, small) = (path("noisy.toml"), path("new/small.toml"));
    fs::write(&noisy, NOISY).unwrap();
    let shrink = ["shrink", "--plan", &noisy, "--sabotage", "writes-land-at-the-end", "--out", &small];
    let (status, stdout, stderr) = highwater(directory.path(), &shrink);
    assert_eq!(status, Some(1), "{stderr}");
    assert!(stderr.starts_with("shrinking running-total, seed 7, the given plan"), "{stderr}");
    assert!(stdout.contains("\nwithout fault 1 it passes\n"), "{stdout}");
    let written = fs::read_to_string(&small).unwrap();
    assert!(stdout.contains(&written), "{stdout}");
    let case = PlanFile::read(&written).expect("it is a plan");
    assert_eq!((case.scenario.as_deref(), case.seed), (Some("running-total"), Some(7)));

    let last = stdout.lines().last().unwrap();
    let replay: Vec<&str> = last.strip_prefix("replay: highwater ").expect(last).split(' ').collect();
    let (status, report, _) = highwater(directory.path(), &replay);
    assert_eq!(status, Some(1), "{report}");
    let (status, report, stderr) = highwater(directory.path(), &["replay", "--plan", &small]);
    assert_eq!(status, Some(0), "nothing is broken on purpose: {report}{stderr}");

    let (status, _, stderr) = highwater(directory.path(), &shrink);
    assert_eq!(status, Some(2));
    assert!(stderr.contains("stays without --force"), "{stderr}");
    let again = [&shrink[..], &["--force", "--format", "json"]].concat();
    let (status, json, stderr) = highwater(directory.path(), &again);
    assert_eq!((status, json.lines().count()), (Some(1), 1), "{stderr}");
    assert!(json.contains("\"faults_before\":7") && json.contains("\"broken_without\":[[]"), "{json}");
    assert_eq!(fs::read_to_string(&small).unwrap(), written, "the same again");
}

#[test]
fn the_command_has_nothing_to_do_where_all_holds() {
    let directory = tempfile::tempdir().unwrap();
    let (plan, out) = (directory.path().join("calm.toml"), directory.path().join("out.toml"));
    fs::write(&plan, "lines = 2\n").unwrap();
    let [plan, out_name] = [&plan, &out].map(|path| path.to_str().expect("a plain name"));
    let (status, stdout, stderr) =
        highwater(directory.path(), &["shrink", "word-count", "--plan", plan, "--out", out_name]);
    assert_eq!((status, stdout.as_str()), (Some(0), "all invariants held: nothing to shrink\n"), "{stderr}");
    assert!(!out.exists());
}

#[test]
fn a_plan_that_is_wrong_is_refused_with_its_place() {
    let directory = tempfile::tempdir().unwrap();
    let plan = directory.path().join("plan.toml");
    let name = plan.to_str().expect("a plain name");
    for (text, wrong) in [
        ("lines = 0\n", "line 1, column 9: `lines` is 0"),
        (
            "[[faults]]\nkind = 'reset'\nconection = 1\n",
            "line 3, column 1: fault 1: unknown field `conection`",
        ),
        ("lines = 2\n", "it names no scenario"),
        ("scenario = 'word-cuont'\n", "there is no scenario `word-cuont`"),
    ] {
        fs::write(&plan, text).unwrap();
        for command in ["replay", "shrink"] {
            let (status, _, stderr) = highwater(directory.path(), &[command, "--plan", name]);
            assert_eq!(status, Some(2), "{stderr}");
            assert!(stderr.starts_with("error: the plan ") && stderr.contains(wrong), "{stderr}");
        }
    }
}
