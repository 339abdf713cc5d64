//! Every run that once broke an invariant, from `scenarios/regressions/`: what that folder is, its README says.

use highwater_reports::text;
use highwater_scenarios::catalogue::find;
use highwater_sim::{
    fault::PlanFile,
    run::{RunOptions, run},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/regressions");
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

/// Lives through a case, and says what is wrong with it.
fn check(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let file = PlanFile::read(&text).map_err(|error| error.to_string())?;
    let about = file.about.as_deref().unwrap_or_default();
    if about.is_empty() || about.starts_with("breaks ") {
        return Err("`about` must say what went wrong, in words of yours".to_owned());
    }
    let seed = file.seed.ok_or("it names no seed")?;
    let name = file.scenario.ok_or("it names no scenario")?;
    let scenario = find(&name).ok_or_else(|| format!("there is no scenario `{name}`"))?;
    let report = run(&scenario, &RunOptions { plan: Some(file.plan), ..RunOptions::seeded(seed) }).report;
    if !report.held() {
        return Err(format!("it fails again\n\n{}", text::render(&report)));
    }
    let missed = report.plan.iter().position(|fault| fault.firing.is_none());
    missed.map_or(Ok(()), |fault| {
        Err(format!(
            "fault {} does not fire any more, so the case tests nothing: move its trigger, as scenarios/regressions/README.md \
             says\n\n{}",
            fault + 1,
            text::render(&report)
        ))
    })
}

#[test]
fn what_once_broke_an_invariant_holds() {
    let files = files();
    assert!(!files.is_empty());
    let wrong: Vec<String> = files
        .iter()
        .filter_map(|path| check(path).err().map(|why| format!("{}: {why}", path.display())))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The check itself: a case that fails to be one is told.
#[test]
fn a_case_that_tests_nothing_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("case.toml");
    let head = "about = 'x'\nscenario = 'word-count'\nseed = 1\nlines = 5\n";
    for (text, wrong) in [
        ("scenario = 'word-count'\nseed = 1\n".to_owned(), "`about` must say"),
        ("about = 'x'\nscenario = 'word-count'\n".to_owned(), "it names no seed"),
        ("about = 'x'\nseed = 1\n".to_owned(), "it names no scenario"),
        (format!("{head}sabotage = ['file-sync-does-nothing']\n"), "unknown field `sabotage`"),
        (
            format!("{head}[[faults]]\nkind = 'reset'\nconnection = 99\nafter_bytes = 0\n"),
            "fault 1 does not fire",
        ),
    ] {
        fs::write(&path, text).expect("it can be written");
        let told = check(&path).expect_err(wrong);
        assert!(told.contains(wrong), "{told}");
    }
    fs::write(&path, head).expect("it can be written");
    assert_eq!(check(&path), Ok(()));
}
