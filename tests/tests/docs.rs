//! What the documents say is so.

use highwater_reports::{
    json::{Document, render_json},
    sweep::SweepSummary,
    text,
};
use highwater_scenarios::catalogue::find;
use highwater_sim::{
    fault::{Class, FaultKind, Plan},
    run::{Detail, RunOptions, RunReport, run},
    sabotage::Sabotage,
};
use highwater_tests::command;
use std::{collections::BTreeMap, fs, path::Path, process::Command};

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

/// What a page says to the command: in blocks, in the middle of a sentence or a table, and as the arguments of a unit or a container.
fn commands(text: &str) -> Vec<Vec<String>> {
    let text = text.replace("\\\n", " ");
    let (mut in_block, mut found) = (false, Vec::new());
    for line in text.lines() {
        if line.starts_with("```") {
            in_block = !in_block;
            continue;
        }
        match in_block {
            true => {
                let line = line.split(" #").next().unwrap_or_default();
                let line = line.replace("cargo run --release -- ", "highwater ").replace("highwater:", "");
                let line =
                    if line.contains("highwater ") { line } else { line.replace("args: [", "highwater ") };
                found.push(line.replace([',', ']', '"', '\''], " "));
            }
            false => found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned)),
        }
    }
    let called = found.iter().filter_map(|line| {
        let (before, words) = line.split_once("highwater ")?;
        // Not a path, a flag's value or a word in prose.
        let is_command =
            before.trim().is_empty() || before.ends_with(['/', ' ']) && !before.contains("image");
        is_command.then(|| words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    });
    called
        .filter(|words| words.first().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_lowercase())))
        .collect()
}

#[test]
fn the_documents_call_commands_with_options_that_there_are() {
    let mut pages = pages();
    pages.push("../README.md".to_owned());
    let (mut helps, mut seen) = (BTreeMap::new(), 0);
    for page in pages {
        for words in commands(&document(&page)) {
            // Those that have commands of their own have the options there.
            let name = if words[0] == "report" && words.len() > 1 { &words[..2] } else { &words[..1] };
            let help = helps.entry(name.to_vec()).or_insert_with(|| {
                let help =
                    Command::new(command::path()).args(name).arg("--help").output().expect("it starts");
                assert!(help.status.success(), "{page}: there is no `highwater {}`", name.join(" "));
                String::from_utf8_lossy(&help.stdout).into_owned()
            });
            for option in words.iter().filter(|word| word.starts_with("--")) {
                let option = option.split('=').next().unwrap_or(option);
                assert!(help.contains(option), "{page}: `highwater {}` has no {option}", name.join(" "));
                seen += 1;
            }
        }
    }
    assert!(seen > 60, "only {seen} options");
}

/// The code of the walk through a crate of one's own is that crate's, which is built and tested.
#[test]
fn the_code_that_is_walked_through_is_the_crates() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("own-crate");
    let files = [
        "src/lib.rs",
        "src/main.rs",
        "tests/recovery.rs",
        "Cargo.toml",
        "tests/plans/power-loss-at-a-checkpoint.toml",
    ];
    let files = files.map(|path| fs::read_to_string(home.join(path)).expect("it is there"));
    let text = document("test-your-own.md");
    let blocks = ["```rust,ignore\n", "```toml\n"].into_iter().flat_map(|begin| text.split(begin).skip(1));
    let blocks: Vec<&str> = blocks.filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 6);
    for block in blocks {
        assert!(files.iter().any(|file| file.contains(block)), "in no file of the crate:\n{block}");
    }
    assert!(!text.contains("```rust\n") && !text.contains("```rust,no_run"));
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
fn the_report_in_the_readme_is_the_one_that_is_printed() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(readme).expect("it is there");
    let (_, rest) =
        readme.split_once("`highwater replay running-total --seed 60` prints").expect("it is in it");
    let block = rest.split("```").nth(1).and_then(|block| block.strip_prefix("text\n")).expect("a block");
    let (beginning, end) = block.split_once("\n[..]\n\n").expect("its middle is left out");
    let scenario = find("running-total").expect("it is in the catalogue");
    let report = text::render(&run(&scenario, &RunOptions::seeded(60)).report);
    assert!(report.starts_with(beginning) && report.trim_end().ends_with(end.trim_end()), "{report}");
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

#[test]
fn the_schema_of_reports_names_every_field() {
    let text = document("report-schema.md");
    let run = RunReport { detail: Some(Detail::default()), ..RunReport::default() };
    for document in [render_json(&run), render_json(&SweepSummary::default())] {
        let document: serde_json::Value = serde_json::from_str(&document).expect("it is JSON");
        for field in document.as_object().expect("it is an object").keys() {
            assert!(text.contains(&format!("`{field}`")), "{field}");
        }
    }
    let version = format!("of that schema: {}.", RunReport::VERSION);
    assert!(text.contains(&version) && RunReport::VERSION == SweepSummary::VERSION);
}

#[test]
fn the_story_that_is_read_is_one_of_the_gallery() {
    let text = document("reading-a-report.md");
    let quoted = text.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a story");
    let path = "../tests/tests/snapshots/power_loss_between_checkpoint_rename_and_directory_sync.snap";
    assert!(text.contains(path) && document(path).contains(quoted), "{quoted}");
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
