//! Report files that nobody wrote in good faith: cut off, of another version, with numbers and texts that no run has. Reading one is an
//! error that says what is wrong, or gives a report that every face can show; it never panics, and never takes memory that the file does not.

use highwater_reports::{
    html,
    json::{read_json, render_json},
    junit,
    sweep::{SweepSummary, render_table},
    text,
};
use highwater_scenarios::catalogue::find;
use highwater_sim::{
    fault::Fault,
    run::{RunOptions, RunReport, run},
    sabotage::Sabotage,
};
use highwater_tests::command::{Ended, run_in};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

/// A run with many faults that broke something, with all that a page shows.
fn report() -> RunReport {
    let scenario = find("running-total").expect("it is there");
    let of_seed = |seed| {
        let mut options = RunOptions { detail: true, ..RunOptions::seeded(seed) };
        options.sabotage.insert(Sabotage::FileSyncDoesNothing);
        run(&scenario, &options).report
    };
    let mut reports = (0..100).map(of_seed);
    let has_a_crash =
        |report: &RunReport| report.plan.iter().any(|outcome| matches!(outcome.fault, Fault::Crash(_)));
    let is_it = |report: &RunReport| !report.held() && report.plan.len() > 5 && has_a_crash(report);
    reports.find(is_it).expect("many seeds show it")
}

/// A place of each kind in a document: the same field of two elements of a list is one.
fn places(document: &Value) -> Vec<String> {
    fn walk(value: &Value, pointer: &str, kind: &str, found: &mut BTreeMap<String, String>) {
        found.entry(kind.to_owned()).or_insert_with(|| pointer.to_owned());
        match value {
            Value::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    walk(item, &format!("{pointer}/{n}"), &format!("{kind}/*"), found);
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    let escaped = name.replace('~', "~0").replace('/', "~1");
                    walk(field, &format!("{pointer}/{escaped}"), &format!("{kind}/{escaped}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = BTreeMap::new();
    walk(document, "", "", &mut found);
    found.into_values().collect()
}

/// What stands where something else is expected.
fn strange() -> [Value; 8] {
    [
        json!(null),
        json!(0),
        json!(-1),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1.5e300),
        json!("</script><script>alert(1)</script>\u{0}\u{1b}[31m\u{202e}\"'&"),
        json!([]),
    ]
}

/// Puts what is strange into each place in turn; `show` reads and shows the document, if it is one. Gives how many were one.
fn try_all(document: &Value, show: impl Fn(&str) -> bool) -> usize {
    let (mut shown, mut broken) = (0, Vec::new());
    for place in places(document) {
        for strange in strange() {
            let mut changed = document.clone();
            *changed.pointer_mut(&place).expect("it was found there") = strange.clone();
            match catch_unwind(AssertUnwindSafe(|| show(&changed.to_string()))) {
                Ok(is_report) => shown += usize::from(is_report),
                Err(_) => broken.push(format!("{strange} at {place}")),
            }
        }
    }
    assert!(broken.is_empty(), "{} panics:\n{}", broken.len(), broken.join("\n"));
    shown
}

fn parsed(document: &str) -> Value {
    serde_json::from_str(document).expect("it was just written")
}

/// No face lets a text of the report out of its place.
fn assert_tame(page: &str) {
    assert!(!page.contains("<script>alert"), "markup that was a text");
    assert!(!page.contains('\u{0}') && !page.contains('\u{1b}'), "a control character");
}

#[test]
fn a_run_with_any_strange_value_is_refused_or_shown() {
    let shown = try_all(&parsed(&render_json(&report())), |document| {
        let Ok(read) = read_json::<RunReport>(document) else { return false };
        let told = text::render(&read);
        assert!(
            !told.contains('\u{1b}') && !told.contains('\u{0}'),
            "a control character reaches the terminal"
        );
        assert_tame(&html::render_run(&read));
        assert_tame(&junit::render_run(&read));
        read_json::<RunReport>(&render_json(&read)).is_ok_and(|again| again == read)
    });
    assert!(shown > 80, "{shown} were reports");
}

#[test]
fn a_sweep_with_any_strange_value_is_refused_or_shown() {
    let mut summary = SweepSummary::default();
    summary.add(&report());
    let shown = try_all(&parsed(&render_json(&summary)), |document| {
        let Ok(mut read) = read_json::<SweepSummary>(document) else { return false };
        render_table(&read);
        assert_tame(&html::render_sweep(&read, &|scenario, seed| Some(format!("{scenario}-{seed}.html"))));
        assert_tame(&junit::render_sweep(&read));
        let again = read.clone();
        // Two of the same are not of one sweep, and that is said.
        read.merge(again).is_err() || read.scenarios.is_empty()
    });
    assert!(shown > 40, "{shown} were sweeps");
}

fn check(directory: &Path, document: &[u8]) -> Ended {
    fs::write(directory.join("run.json"), document).expect("a file");
    run_in(directory, &["report", "check", "run.json"])
}

#[test]
fn the_command_says_of_each_file_what_is_wrong_with_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let report = report();
    let (whole, seed) = (render_json(&report), format!("\"seed\":{}", report.seed));
    let changed = |from: &str, to: &str| whole.replacen(from, to, 1).into_bytes();
    for (document, wrong) in [
        (Vec::new(), "it is no report: "),
        (whole.as_bytes()[..whole.len() / 2].to_vec(), "it is no report: EOF while parsing"),
        (whole.as_bytes()[..whole.len() - 1].to_vec(), "it is no report: EOF while parsing"),
        ([whole.as_bytes(), b"{}"].concat(), "it is no report: trailing characters"),
        (b"\x00\xff\xfe".to_vec(), "valid UTF-8"),
        ("[".repeat(100_000).into_bytes(), "it is no report: "),
        (changed("\"version\":1", "\"version\":2"), "it has version 2 of `highwater.run`"),
        (changed("\"version\":1", "\"version\":1e9"), "it is no report: "),
        (changed("\"highwater.run\"", "\"highwater.sweep\""), "and a `highwater.run` is needed"),
        (changed(&seed, "\"seed\":99999999999999999999999"), "it is no report: "),
        (
            changed("\"scenario\":\"running-total\"", "\"scenario\":\"nothing\""),
            "there is no scenario `nothing`",
        ),
        (changed("\"took\":", "\"took\":999999999"), "it says what cannot be: it takes 999999999"),
        (changed("\"restart_after_ms\":", "\"restart_after_ms\":99999999"), "its plan, as a file: "),
        (changed("file-sync-does-nothing", "file-sync-does-much"), "file-sync-does-much"),
    ] {
        let ended = check(directory.path(), &document);
        assert_eq!((ended.status, ended.out.as_str()), (Some(2), ""), "{wrong}: {}", ended.said);
        assert!(ended.said.starts_with("error: run.json: ") && ended.said.contains(wrong), "{}", ended.said);
        assert_eq!(ended.said.lines().count(), 1, "{}", ended.said);
    }
    let ended = run_in(directory.path(), &["report", "show", "."]);
    assert_eq!(ended.status, Some(2), "{}", ended.said);
    let ended = run_in(directory.path(), &["report", "show", "/dev/zero"]);
    assert_eq!(ended.status, Some(2), "{}", ended.said);
    assert!(ended.said.contains("it is larger than such a file may be"), "{}", ended.said);
}

#[test]
fn a_saved_verdict_that_was_changed_is_told_by_the_judges_of_today() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut report = run(&find("word-count").expect("it is there"), &RunOptions::seeded(4)).report;
    assert!(report.held());
    report.verdicts[0].violations.push("a line that an older judge missed".to_owned());
    let ended = check(directory.path(), render_json(&report).as_bytes());
    assert_eq!(ended.status, Some(0), "{}", ended.said);
    assert!(ended.out.contains("1 of 14 are others than then"), "{}", ended.out);
    assert!(ended.out.contains("BROKEN then, held now"), "{}", ended.out);
}
