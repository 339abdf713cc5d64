//! `--format json`: one document on the standard output, whatever else there is to say.

use highwater_tests::command::{Process, run_in};
use rustix::process::Signal;
use serde_json::Value;
use std::{ffi::OsStr, fs, path::Path};

fn document(arguments: &[&str], status: i32) -> Value {
    let directory = tempfile::tempdir().expect("a directory");
    let ended = run_in(directory.path(), &[arguments, &["--format", "json"]].concat());
    assert_eq!(ended.status, Some(status), "{arguments:?}: {}", ended.said);
    ended.json()
}

#[test]
fn lists_are_lists() {
    let scenarios = document(&["scenarios"], 0);
    let scenarios = scenarios.as_array().expect("a list");
    let tcp = scenarios.iter().find(|scenario| scenario["name"] == "sessions-tcp").expect("it is one");
    assert_eq!((&tcp["source"], &tcp["runs"]), (&"tcp".into(), &false.into()));
    let faults = document(&["faults"], 0);
    let faults = faults.as_array().expect("a list");
    let rot = faults.iter().find(|fault| fault["name"] == "bit-rot").expect("it is one");
    assert_eq!((&rot["class"], &rot["family"]), (&"detectable".into(), &"disk".into()));
}

#[test]
fn what_simulates_tells_one_document() {
    let sweep = document(&["sweep", "word-count", "--seeds", "0..2"], 0);
    assert_eq!(sweep["scenarios"]["word-count"]["seeds"], 2);
    let explored = document(&["explore", "word-count", "--lines", "3", "--runs-max", "10"], 0);
    assert_eq!((&explored["scenario"], &explored["cut_short"]), (&"word-count".into(), &true.into()));
    let proved = document(&["prove", "word-count", "--step", "skip:sync:journal", "--seeds", "100"], 0);
    assert_eq!((&proved["steps"], &proved["cut_short"]), (&1.into(), &false.into()), "{proved}");
    let replayed = document(&["replay", "word-count", "--seed", "3"], 0);
    assert!(replayed.to_string().contains("\"word-count\""), "{replayed}");
    let traced = document(&["replay", "word-count", "--seed", "3", "--trace", "--check"], 0);
    assert_eq!(traced, replayed, "the trace is not in the document, and changes nothing");
}

#[test]
fn a_shrunken_failure_is_a_document_and_one_that_holds_is_null() {
    assert_eq!(document(&["shrink", "word-count", "--seed", "1"], 0), Value::Null);
    let sabotaged = ["running-total", "--seed", "47", "--sabotage", "file-sync-does-nothing", "--time", "2s"];
    let shrunk = document(&[&["shrink"], &sabotaged[..]].concat(), 1);
    assert_eq!((&shrunk["scenario"], &shrunk["seed"]), (&"running-total".into(), &47.into()));
}

#[test]
fn what_is_text_by_nature_is_text_in_a_document() {
    let completions = document(&["completions", "bash"], 0);
    assert!(completions["script"].as_str().expect("a text").contains("_highwater()"), "{completions}");
    let directory = tempfile::tempdir().expect("a directory");
    let written = run_in(directory.path(), &["man", "pages", "--format", "json"]).json();
    let pages = written.as_array().expect("a list");
    assert!(pages.len() > 14, "{} pages", pages.len());
    for page in pages {
        let path = directory.path().join(page["path"].as_str().expect("a path"));
        assert_eq!(
            fs::read_to_string(&path).expect("it was written"),
            page["text"].as_str().expect("a text")
        );
    }
}

/// Starts the command, whose one document is read once it has ended.
fn start(directory: &Path, name: &str, arguments: &[&str]) -> Process {
    let arguments: Vec<&OsStr> =
        arguments.iter().chain(&["--format", "json"]).map(|argument| OsStr::new(*argument)).collect();
    Process::start(directory, name, &arguments)
}

fn ended(mut process: Process, status: i32) -> Value {
    assert_eq!(process.wait().code(), Some(status), "{}", process.stderr());
    serde_json::from_slice(&process.stdout().expect("it is in a file")).expect("one document")
}

#[test]
fn what_serves_tells_at_its_end_what_it_did() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = |name: &str| directory.path().join(name).to_str().expect("it is UTF-8").to_owned();
    fs::write(place("lines.txt"), "tide and tide\n".repeat(50)).expect("a file");
    let listen = ["feed", &place("lines.txt"), "--listen", "127.0.0.1:0", "--resume", "--once"];
    let mut feed = start(directory.path(), "feed", &listen);
    let url = feed.wait_said(|said| Some(said.split_once("listening at ")?.1.split_once(',')?.0.to_owned()));
    let (checkpoint, output) = (place("checkpoint"), place("counts.txt"));
    let arguments = ["run", "word-count", "--source", &url, "--checkpoint", &checkpoint, "--output", &output];
    let run = start(directory.path(), "run", &[&arguments[..], &["--batch-interval", "100ms"]].concat());

    let fed = ended(feed, 0);
    assert_eq!((&fed["sent"], &fed["acknowledged"], &fed["done"]), (&50.into(), &50.into(), &true.into()));
    assert_eq!((&fed["resumed"], &fed["resumed_after"]), (&1.into(), &0.into()), "{fed}");
    run.signal(Signal::INT);
    let ran = ended(run, 0);
    assert_eq!(
        (&ran["ended"], &ran["records"], &ran["error"]),
        (&"stopped".into(), &50.into(), &Value::Null)
    );
    assert_eq!((&ran["recovered"], &ran["generation"]), (&Value::Null, &1.into()), "{ran}");

    // Nobody listens there any more: it recovers, and waits for its source.
    let mut run =
        start(directory.path(), "again", &[&arguments[..], &["--batch-interval", "100ms"]].concat());
    run.wait_said(|said| said.contains("recovered from checkpoint").then_some(()));
    run.signal(Signal::INT);
    let ran = ended(run, 0);
    assert_eq!((&ran["generation"], &ran["records"]), (&2.into(), &0.into()), "{ran}");
    assert!(ran["recovered"]["completed"].as_u64().is_some_and(|completed| completed > 0), "{ran}");
}

#[test]
fn what_cannot_start_says_so_in_its_document() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("checkpoint"), "a file").expect("a file");
    let arguments = ["run", "word-count", "--source", "tcp://127.0.0.1:1", "--checkpoint", "checkpoint"];
    let run = run_in(directory.path(), &[&arguments[..], &["--output", "o", "--format", "json"]].concat());
    assert_eq!((run.status, &run.json()["ended"]), (Some(2), &"unusable".into()), "{}", run.said);
}

#[test]
fn a_proof_that_is_cut_short_says_so() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut prove = start(directory.path(), "prove", &["prove", "running-total"]);
    prove.wait_said(|said| said.contains("looking for the steps").then_some(()));
    prove.signal(Signal::INT);
    let proved = ended(prove, 1);
    assert_eq!((&proved["cut_short"], &proved["steps"]), (&true.into(), &0.into()), "{proved}");
}
