//! `--format json`: one document on the standard output, whatever else there is to say.

use highwater_tests::command::run_in;
use serde_json::Value;

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
    assert_eq!(explored["scenario"], "word-count");
    let proved = document(&["prove", "word-count", "--step", "skip:sync:journal", "--seeds", "100"], 0);
    assert!(proved.is_object(), "{proved}");
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
