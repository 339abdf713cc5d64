//! `highwater new`: a crate that builds and passes at once, and what is refused.

use highwater_tests::command::{path, run_in};
use std::{fs, process::Command};

#[test]
fn a_new_crate_builds_and_passes_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let made = run_in(directory.path(), &["new", "ship-log"]);
    assert_eq!(made.status, Some(0), "{}", made.said);
    let home = directory.path().join("ship-log");
    // Where the command was built, so that what both need is not built again; offline, with what was downloaded for that.
    let target = path().ancestors().nth(2).expect("it lies in a target directory");
    let tested = Command::new(env!("CARGO"))
        .args(["test", "--offline", "--target-dir"])
        .arg(target)
        // These are compiled for this test alone, which runs few seeds.
        .args(["--config", "profile.dev.package.highwater-sim.opt-level=1"])
        .args(["--config", "profile.dev.package.highwater-core.opt-level=1"])
        .env_remove("RUSTFLAGS")
        .current_dir(&home)
        .output()
        .expect("cargo starts");
    let told =
        [tested.stdout, tested.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(tested.status.success(), "{told}");
    for test in ["nothing_is_lost_or_doubled_whatever_fails ... ok", "the_plans_that_are_kept_hold ... ok"] {
        assert!(told.contains(test), "{told}");
    }
    assert!(!told.contains("warning:"), "{told}");
    let formatted = Command::new(env!("CARGO")).args(["fmt", "--check"]).current_dir(&home).output();
    let formatted = formatted.expect("cargo starts");
    assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stdout));

    let again = run_in(directory.path(), &["new", "ship-log"]);
    assert_eq!(again.status, Some(2));
    assert_eq!(again.said, "error: ship-log is there already: choose another name\n");
}

#[test]
fn what_can_be_no_crate_is_refused_and_leaves_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    for wrong in [&["new", "Ship"][..], &["new", "a/b"], &["new", "core"], &["new"]] {
        assert_eq!(run_in(directory.path(), wrong).status, Some(2), "{wrong:?}");
    }
    let ended = run_in(directory.path(), &["new", "fine", "--highwater", "."]);
    assert_eq!(ended.status, Some(2));
    assert!(
        ended.said.contains(". is no checkout of Highwater: name one with --highwater"),
        "{}",
        ended.said
    );
    assert_eq!(fs::read_dir(directory.path()).expect("it is there").count(), 0);
}

#[test]
fn what_was_made_is_told_as_json_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let made = run_in(directory.path(), &["new", "fine", "--format", "json"]).json();
    for file in made["files"].as_array().expect("a list") {
        let path = directory.path().join("fine").join(file.as_str().expect("a path"));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(!text.contains("{{"), "{}", path.display());
    }
}
