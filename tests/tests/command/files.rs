//! What becomes of files: the user's own stay, a full disk is told after the result, and nothing is left by halves.

use highwater_tests::command::{Ended, run_in};
use std::{fs, path::Path};

const SWEEP: [&str; 6] = ["sweep", "word-count", "--seeds", "0..2", "--out", "out"];

/// A directory in which `out` has one file.
fn with(name: &str, text: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    fs::create_dir(directory.path().join("out")).expect("a directory");
    fs::write(directory.path().join("out").join(name), text).expect("a file");
    directory
}

fn stays(directory: &Path, name: &str, ended: &Ended) {
    assert_eq!(ended.status, Some(2), "{}", ended.said);
    assert!(ended.said.contains("what is there is no report of Highwater's, and stays"), "{}", ended.said);
    assert_eq!(fs::read_to_string(directory.join("out").join(name)).expect("it is there"), "mine\n");
}

#[test]
fn a_users_own_file_stays_and_a_report_is_replaced() {
    let directory = with("index.html", "mine\n");
    let ended = run_in(directory.path(), &SWEEP);
    stays(directory.path(), "index.html", &ended);
    assert_eq!(ended.out, "", "it is told before the first run");
    fs::remove_file(directory.path().join("out/index.html")).expect("it is there");
    for _ in 0..2 {
        assert_eq!(run_in(directory.path(), &SWEEP).status, Some(0));
    }

    let directory = with("word-count-1.txt", "mine\n");
    let replay = ["replay", "word-count", "--seed", "1", "--out", "out"];
    let ended = run_in(directory.path(), &replay);
    stays(directory.path(), "word-count-1.txt", &ended);
    assert!(ended.out.contains("verdict    all"), "it is told all the same: {}", ended.out);
    fs::remove_file(directory.path().join("out/word-count-1.txt")).expect("it is there");
    for _ in 0..2 {
        assert_eq!(run_in(directory.path(), &replay).status, Some(0));
    }
    let names = fs::read_dir(directory.path().join("out")).expect("it is there");
    let names: Vec<_> = names.map(|entry| entry.expect("an entry").file_name()).collect();
    assert_eq!(names.len(), 3, "nothing but the reports: {names:?}");
}

/// A file on a disk that is full.
#[cfg(target_os = "linux")]
fn with_full(name: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    fs::create_dir(directory.path().join("out")).expect("a directory");
    std::os::unix::fs::symlink("/dev/full", directory.path().join("out").join(name)).expect("a link");
    directory
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_may_go_away_and_the_result_is_told_all_the_same() {
    let full = |ended: &Ended| {
        assert_eq!(ended.status, Some(1), "{}", ended.said);
        assert!(ended.said.contains("No space left on device"), "{}", ended.said);
    };
    let directory = with_full("index.html");
    let ended = run_in(directory.path(), &SWEEP);
    full(&ended);
    assert!(ended.out.contains("word-count ") && !ended.out.contains("\nreports: "), "{}", ended.out);
    assert!(directory.path().join("out/summary.json").exists(), "the others are written");

    let directory = with_full("word-count-1.txt");
    let ended = run_in(directory.path(), &["replay", "word-count", "--seed", "1", "--out", "out"]);
    full(&ended);
    assert!(ended.out.contains("verdict    all"), "{}", ended.out);

    let sabotaged = ["--sabotage", "file-sync-does-nothing"];
    let directory = with_full("case.toml");
    let shrink =
        ["shrink", "running-total", "--seed", "47", "--time", "1s", "--force", "--out", "out/case.toml"];
    let ended = run_in(directory.path(), &[&shrink[..], &sabotaged].concat());
    full(&ended);
    assert!(ended.out.contains("[[faults]]") && ended.out.contains("--plan FILE"), "{}", ended.out);

    let directory = with_full("explore-word-count-2-1.toml");
    let explore =
        ["explore", "word-count", "--seed", "2", "--lines", "3", "--runs-max", "20", "--out", "out"];
    let ended = run_in(directory.path(), &[&explore[..], &sabotaged].concat());
    full(&ended);
    assert!(ended.out.contains("BROKEN:"), "{}", ended.out);
}
