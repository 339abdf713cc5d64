//! One report, four faces, and files that can be read again: what is written is what a run was, and shards are their sweep.

use highwater_reports::{
    html,
    json::{read_json, render_json},
    junit,
    recheck::Recheck,
    replay::replay_command,
    sweep::SweepSummary,
    text,
};
use highwater_scenarios::catalogue::find;
use highwater_sim::{
    run::{RunOptions, RunReport, run},
    sabotage::Sabotage,
};
use highwater_tests::command;
use std::{collections::BTreeSet, fs, path::Path, process::Command};

fn report(scenario: &str, seed: u64, detail: bool) -> RunReport {
    let mut options = RunOptions { detail, ..RunOptions::seeded(seed) };
    if seed % 3 == 2 {
        options.sabotage.insert(Sabotage::FileSyncDoesNothing);
    }
    run(&find(scenario).expect("it is there"), &options).report
}

#[test]
fn what_a_file_says_is_the_run_with_every_face() {
    for (scenario, seed) in [("word-count", 0), ("running-total-tcp", 1), ("sessions", 2), ("hot-words", 5)] {
        for detail in [false, true] {
            let report = report(scenario, seed, detail);
            let read: RunReport = read_json(&render_json(&report)).expect("it was just written");
            assert_eq!(read, report, "{scenario} {seed}");
            assert_eq!(text::render(&read), text::render(&report));
            assert_eq!(html::render_run(&read), html::render_run(&report));
            assert_eq!(junit::render_run(&read), junit::render_run(&report));
        }
    }
}

#[test]
fn gathering_what_a_page_shows_changes_nothing_in_the_run() {
    for seed in 0..6 {
        let (plain, mut detailed) =
            (report("running-total", seed, false), report("running-total", seed, true));
        let detail = detailed.detail.take().expect("it was asked for");
        assert_eq!(plain, detailed, "seed {seed}");
        assert!(
            !detail.steps.is_empty() && !detail.connections.is_empty() && !detail.without_faults.is_empty()
        );
        let sent: BTreeSet<u64> =
            detail.sent.iter().flat_map(|sent| sent.first..sent.first + sent.lines.len() as u64).collect();
        assert_eq!(sent.len() as u64, plain.ledger.sent, "seed {seed}");
    }
}

/// Runs the command; its status and its standard output.
fn highwater(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(command::path()).args(arguments).output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("it is UTF-8");
    (output.status.code().expect("it was not killed"), text(output.stdout), text(output.stderr))
}

/// A summary without what a clock measured.
fn summary(directory: &Path) -> SweepSummary {
    let text = fs::read_to_string(directory.join("summary.json")).expect("a summary");
    let mut summary: SweepSummary = read_json(&text).expect("it is one");
    summary.scenarios.values_mut().for_each(|scenario| scenario.wall_seconds = 0.0);
    summary
}

fn text_of(path: &Path) -> &str {
    path.to_str().expect("it is UTF-8")
}

#[test]
fn shards_join_to_the_sweep_that_they_are_parts_of_with_the_pages_of_their_runs() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = |name: &str| directory.path().join(name);
    let sweep = |name: &str, more: &[&str]| {
        let out = place(name);
        let common = ["sweep", "word-count", "sessions", "--seeds", "0..30", "--format", "json", "--out"];
        let arguments = [&common[..], &[text_of(&out)], more].concat();
        let sabotage = ["--sabotage", "file-sync-does-nothing"];
        let (status, stdout, stderr) = highwater(&[&arguments[..], &sabotage].concat());
        assert_eq!(status, 1, "{stderr}");
        read_json::<SweepSummary>(&stdout).expect("one document on the standard output");
    };
    sweep("whole", &[]);
    let shards: Vec<_> = ["1/3", "2/3", "3/3"].map(|shard| (shard, format!("shard-{}", &shard[..1]))).into();
    shards.iter().for_each(|(shard, name)| sweep(name, &["--shard", *shard]));
    let files: Vec<_> = shards.iter().map(|(_, name)| place(name).join("summary.json")).collect();
    let files: Vec<&str> = files.iter().map(|path| text_of(path)).collect();
    let merged = place("merged");
    let merge =
        ["report", "merge", files[2], files[0], files[1], "--format", "junit", "--out", text_of(&merged)];
    let (status, junit, stderr) = highwater(&merge);
    assert_eq!(status, 1, "{stderr}");

    let whole = summary(&place("whole"));
    assert!(!whole.held());
    assert_eq!(summary(&merged), whole);
    assert!(junit.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"), "{junit}");
    let pages = |directory: &Path| {
        let names = fs::read_dir(directory).expect("it is there");
        let names =
            names.map(|entry| entry.expect("an entry").file_name().into_string().expect("it is UTF-8"));
        names.filter(|name| name.ends_with(".html")).collect::<BTreeSet<_>>()
    };
    assert!(pages(&merged).len() > 5);
    assert_eq!(pages(&merged), pages(&place("whole")));
    let index = fs::read_to_string(merged.join("index.html")).expect("an index");
    for page in pages(&merged).iter().filter(|page| *page != "index.html") {
        assert!(index.contains(&format!("<a href=\"{page}\">")), "{page}");
    }

    let (status, _, stderr) = highwater(&["report", "merge", files[0], files[1], files[0]]);
    assert_eq!(status, 2);
    assert!(stderr.contains("both have seed 0 of sessions: give each shard once"), "{stderr}");
}

#[test]
fn a_saved_run_is_judged_again_and_another_run_is_said_to_be_another() {
    let directory = tempfile::tempdir().expect("a directory");
    let out = text_of(directory.path());
    let (status, printed, _) = highwater(&["replay", "word-count", "--seed", "7", "--out", out]);
    assert_eq!(status, 0);
    let file = directory.path().join("word-count-7.json");
    let saved = fs::read_to_string(&file).expect("it was written");
    let (status, shown, _) = highwater(&["report", "show", text_of(&file)]);
    assert_eq!((status, &shown), (0, &printed));
    assert_eq!(
        fs::read_to_string(directory.path().join("word-count-7.txt")).expect("it was written"),
        printed
    );

    let (status, stdout, stderr) = highwater(&["report", "check", text_of(&file)]);
    assert_eq!(status, 0, "{stderr}");
    assert!(stdout.contains("the same run") && stdout.contains("0 of 14 are others"), "{stdout}");

    let report: RunReport = read_json(&saved).expect("it is one");
    fs::write(&file, saved.replace(&report.hash, "1")).expect("it can be written");
    let (_, stdout, _) = highwater(&["report", "check", text_of(&file)]);
    assert!(stdout.contains("ANOTHER run: 1 then"), "{stdout}");

    fs::write(&file, saved.replace("\"version\":1", "\"version\":2")).expect("it can be written");
    for what in ["check", "show"] {
        let (status, _, stderr) = highwater(&["report", what, text_of(&file)]);
        assert_eq!(status, 2);
        assert!(stderr.contains("word-count-7.json: it has version 2 of `highwater.run`"), "{stderr}");
    }
}

#[test]
fn what_a_report_holds_makes_its_run_again() {
    for seed in 0..8 {
        let saved = report("running-total", seed, false);
        let faults = saved.plan.iter().map(|outcome| outcome.fault.clone()).collect();
        let mut options = RunOptions::seeded(seed);
        options.plan = Some(highwater_sim::fault::Plan { lines: saved.lines, faults });
        options.sabotage = saved.sabotage.iter().map(|name| name.parse().expect("it is one")).collect();
        let again = run(&find("running-total").expect("it is there"), &options).report;
        let recheck = Recheck::of(&saved, &again);
        assert!(recheck.same_run && recheck.verdicts.iter().all(|it| !it.is_other()), "{recheck:?}");
        assert_ne!(replay_command(&saved), replay_command(&again), "one plan was drawn, the other given");
    }
}
