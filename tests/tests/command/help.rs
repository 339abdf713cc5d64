//! What shells and manuals take from the command.

use highwater_tests::command::run_in;
use std::{fs, process::Command};

#[test]
fn every_shell_gets_its_completions() {
    let directory = tempfile::tempdir().expect("a directory");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = run_in(directory.path(), &["completions", shell]);
        assert_eq!(ended.status, Some(0), "{shell}: {}", ended.said);
        assert!(ended.out.contains("max-fail") && ended.out.contains("inspect"), "{shell}: {}", ended.out);
    }
    let script = directory.path().join("script");
    fs::write(&script, run_in(directory.path(), &["completions", "bash"]).out).expect("a file");
    let checked = Command::new("bash").arg("-n").arg(&script).status().expect("there is a bash");
    assert!(checked.success(), "bash reads it");
    assert_eq!(run_in(directory.path(), &["completions", "abacus"]).status, Some(2));
}

#[test]
fn every_command_gets_its_page() {
    let directory = tempfile::tempdir().expect("a directory");
    let ended = run_in(directory.path(), &["man", "pages/man1"]);
    assert_eq!(ended.status, Some(0), "{}", ended.said);
    let page = |name: &str| {
        let path = directory.path().join("pages/man1").join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    assert!(page("highwater.1").contains(".TH highwater 1"), "{}", page("highwater.1"));
    for command in ["run", "feed", "sweep", "replay", "shrink", "explore", "prove", "inspect", "new"] {
        let page = page(&format!("highwater-{command}.1"));
        assert!(page.contains("Examples:"), "{command}: {page}");
    }
    fs::write(directory.path().join("file"), "").expect("a file");
    let ended = run_in(directory.path(), &["man", "file"]);
    assert_eq!(ended.status, Some(2));
    assert!(ended.said.starts_with("error: cannot write to file: "), "{}", ended.said);
}
