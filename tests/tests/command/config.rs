//! `highwater.toml`: found upwards, won over by flags, and wrong at a place that is told.

use highwater_tests::command::run_in;
use std::{fs, path::Path};
use tempfile::TempDir;

/// A directory with a file of defaults, and a directory `below/it`.
fn with(defaults: &str) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(directory.path().join("below/it")).expect("a directory");
    fs::write(directory.path().join("highwater.toml"), defaults).expect("a file");
    directory
}

#[test]
fn defaults_are_found_upwards_and_flags_win() {
    let directory = with(
        "seeds = '0..3'\njobs = 1\nout = 'kept'\nformat = 'json'\nfaults = ['crash', 'reset']\n\
         [sweep]\nmax_fail = 7\n",
    );
    let below = directory.path().join("below/it");
    let ended = run_in(&below, &["sweep", "word-count"]);
    assert_eq!(ended.status, Some(0), "{}", ended.said);
    for told in ["seeds 0..3", "faults crash,reset", "jobs 1", "at most 7 failures"] {
        assert!(ended.said.contains(told), "{told}: {}", ended.said);
    }
    let path = directory.path().join("highwater.toml");
    assert!(ended.said.contains(&format!("defaults are taken from {}", path.display())), "{}", ended.said);
    assert_eq!(ended.json()["scenarios"]["word-count"]["seeds"], 3);
    assert!(directory.path().join("kept/summary.json").is_file(), "paths in it are relative to it");

    let flags =
        ["sweep", "word-count", "--seeds", "4..6", "--jobs", "2", "--format", "text", "--faults", "close"];
    let ended = run_in(&below, &[&flags[..], &["--out", "here", "--fail-fast"]].concat());
    assert_eq!(ended.status, Some(0), "{}", ended.said);
    for told in ["seeds 4..6", "faults close", "jobs 2", "at most 1 failures"] {
        assert!(ended.said.contains(told), "{told}: {}", ended.said);
    }
    assert!(ended.out.contains("reports: here") && below.join("here/summary.txt").is_file(), "{}", ended.out);
}

#[test]
fn the_example_of_the_page_is_one() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/command.md");
    let page = fs::read_to_string(page).expect("the page");
    let example = page.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let directory = with(example);
    let ended = run_in(directory.path(), &["scenarios"]);
    assert_eq!(ended.status, Some(0), "{}", ended.said);
}

#[test]
fn the_nearest_file_counts_and_a_named_one_before_it() {
    let directory = with("seeds = '0..3'\n");
    fs::write(directory.path().join("below/highwater.toml"), "[sweep]\nseeds = '1..2'\n").expect("a file");
    fs::write(directory.path().join("other.toml"), "seeds = '2..3'\n").expect("a file");
    let below = directory.path().join("below/it");
    let said = |arguments: &[&str]| run_in(&below, &[&["sweep", "word-count"], arguments].concat()).said;
    assert!(said(&[]).contains("seeds 1..2"), "{}", said(&[]));
    assert!(said(&["--config", "../../other.toml"]).contains("seeds 2..3"));
    assert!(said(&["--config=../../other.toml"]).contains("seeds 2..3"));
    let ended = run_in(&below, &["--config", "nowhere.toml", "scenarios"]);
    assert_eq!(ended.status, Some(2));
    assert!(ended.said.starts_with("error: cannot read nowhere.toml: "), "{}", ended.said);
}

#[test]
fn a_flag_can_be_a_default() {
    let directory = with("[replay]\ncheck = true\n");
    let ended = run_in(directory.path(), &["replay", "word-count", "--seed", "1"]);
    assert!(ended.said.contains("run twice: no difference"), "{}", ended.said);
}

#[test]
fn a_default_that_a_command_cannot_have_is_not_forced_on_it() {
    // `shrink --out` is a file, `prove --seeds` a number: the shared defaults are not meant for them.
    let directory = with("out = 'kept'\nseeds = '0..3'\n");
    let arguments = ["prove", "word-count", "--step", "skip:sync:journal"];
    let ended = run_in(directory.path(), &arguments);
    assert_eq!(ended.status, Some(0), "{}", ended.said);
    assert!(ended.said.contains("seeds 0..1000"), "{}", ended.said);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (defaults, wrong) in [
        ("jobs = 2\nsede = 1\n", "line 2, column 1: unknown key `sede`; there are: jobs, "),
        ("[swep]\n", "line 1, column 2: unknown key `swep`"),
        (
            "[sweep]\nseeds = '0..9'\nmax_fial = 1\n",
            "line 3, column 1: unknown key `max_fial`; [sweep] has: ",
        ),
        ("seeds = 'many'\n", "line 1, column 9: invalid value 'many' for '--seeds <FROM..TO>'"),
        ("jobs = 0\n", "line 1, column 8: invalid value '0'"),
        ("jobs = 1.5\n", "line 1, column 8: `jobs` is a text, a number, or a list"),
        ("format = 'xml'\n", "line 1, column 10: invalid value 'xml'"),
        ("faults = ['crash', 'crush']\n", "line 1, column 10: invalid value 'crush'"),
        ("[sweep]\nfail_fast = 1\n", "line 2, column 13: `fail-fast` is true or false"),
        ("[run]\nsupervised_by = 1\n", "line 2, column 1: unknown key `supervised_by`"),
        ("jobs = \n", "line 1, column 8: "),
    ] {
        let directory = with(defaults);
        let ended = run_in(directory.path(), &["scenarios"]);
        assert_eq!((ended.status, ended.out.as_str()), (Some(2), ""), "{defaults}{}", ended.said);
        let expected = format!("error: highwater.toml, {wrong}");
        assert!(ended.said.starts_with(&expected), "{expected}\n{}", ended.said);
    }
}
