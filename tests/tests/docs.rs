//! What the documents say is so.

use highwater_sim::{
    fault::{Class, FaultKind, Plan},
    sabotage::Sabotage,
};
use highwater_tests::command;
use std::{fs, path::Path, process::Command};

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages of the guide, by their names, in its order.
fn pages() -> Vec<String> {
    let summary = document("SUMMARY.md");
    let names = summary.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    names.map(str::to_owned).collect()
}

#[test]
fn the_guide_has_all_its_pages_and_leads_to_files_that_there_are() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    assert!(pages().len() > 10);
    for page in pages() {
        let text = document(&page);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for link in links.filter(|link| !link.is_empty()) {
            assert!(docs.join(link).exists(), "{page} leads to {link}");
        }
    }
}

/// The lines of a page's `sh` blocks that call the command, without comments.
fn commands(page: &str) -> Vec<Vec<String>> {
    let text = document(page).replace("\\\n", " ");
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines).map(|line| line.split('#').next().unwrap_or_default());
    lines
        .filter_map(|line| line.trim().strip_prefix("highwater "))
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

#[test]
fn the_guide_calls_commands_with_options_that_there_are() {
    let mut seen = 0;
    for page in pages() {
        for words in commands(&page) {
            let help = Command::new(command::path()).args([&words[0], "--help"]).output().expect("it starts");
            assert!(help.status.success(), "{page}: there is no `highwater {}`", words[0]);
            let help = String::from_utf8_lossy(&help.stdout).into_owned();
            for option in words.iter().filter(|word| word.starts_with("--")) {
                assert!(help.contains(option.as_str()), "{page}: `highwater {}` has no {option}", words[0]);
                seen += 1;
            }
        }
    }
    assert!(seen > 10, "only {seen} options");
}

/// The story that the guide tells of a failing sweep is so, as far as it goes.
#[test]
fn the_sweep_that_the_guide_lets_fail_fails() {
    let out = tempfile::tempdir().expect("a directory");
    let swept = Command::new(command::path())
        .args(["sweep", "running-total", "--sabotage", "file-sync-does-nothing", "--seeds", "0..50", "--out"])
        .arg(out.path())
        .output()
        .expect("it starts");
    assert_eq!(swept.status.code(), Some(1), "{}", String::from_utf8_lossy(&swept.stderr));
}

#[test]
fn the_fault_model_names_every_kind_in_its_class_and_nothing_else() {
    let text = document("fault-model.md");
    let families = ["| process |", "| disk |", "| network |", "| clock |"];
    let rows = text.lines().filter(|line| families.iter().any(|family| line.starts_with(family)));
    let mut named = Vec::new();
    for row in rows {
        let columns: Vec<&str> = row.split('|').collect();
        for (column, class) in [(2, Class::Tolerated), (3, Class::Detectable), (4, Class::Beyond)] {
            for name in columns[column].split('`').skip(1).step_by(2) {
                let kind: FaultKind = name.parse().unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(kind.class(), class, "{name}");
                named.push(kind);
            }
        }
    }
    named.sort_unstable();
    assert_eq!(named, FaultKind::ALL.to_vec(), "each kind once");
}

#[test]
fn the_plans_in_the_fault_model_can_be_read() {
    let text = document("fault-model.md");
    let plans: Vec<&str> =
        text.split("```toml").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!plans.is_empty());
    for plan in plans {
        let plan: Plan = toml::from_str(plan).unwrap_or_else(|error| panic!("{error}\n{plan}"));
        assert!(!plan.faults.is_empty());
    }
}

#[test]
fn the_proof_names_sabotages_that_there_are() {
    let text = document("proof.md");
    let is_name = |word: &&str| {
        ["skip:", "late:", "overwrite:", "forge:", "shorten:", "hide-"]
            .iter()
            .any(|kind| word.starts_with(kind))
    };
    let names: Vec<&str> = text.split('`').skip(1).step_by(2).filter(is_name).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(name.parse::<Sabotage>().is_ok(), "{name}");
    }
}

/// The names of calls in a table's cell: what stands between backticks, without arguments and path.
fn calls(cell: &str) -> impl Iterator<Item = &str> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.filter_map(|call| call.split('(').next()?.rsplit("::").next())
}

#[test]
fn coming_from_spark_names_calls_that_there_are() {
    let text = document("coming-from-spark.md");
    let tables = text.split("## What transform works on").next().expect("the tables come first");
    let core = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src"));
    let rows = tables.lines().filter(|line| line.starts_with("| `"));
    let mut named = 0;
    for row in rows {
        // A bar in a cell is written as `\|`.
        let row = row.replace("\\|", " ");
        for name in calls(row.split('|').nth(2).expect("a second column")) {
            let is_there = ["fn NAME(", "fn NAME<", "pub NAME:"]
                .iter()
                .any(|pattern| core.contains(&pattern.replace("NAME", name)));
            assert!(is_there, "there is no {name}: {row}");
            named += 1;
        }
    }
    assert!(named > 70, "only {named} calls");
}

/// All Rust below a directory.
fn sources(directory: &Path) -> String {
    let entries =
        fs::read_dir(directory).expect("it is there").map(|entry| entry.expect("it can be read").path());
    let text = |path: std::path::PathBuf| match path.is_dir() {
        true => sources(&path),
        false => fs::read_to_string(&path).expect("it can be read"),
    };
    entries.map(text).collect()
}
