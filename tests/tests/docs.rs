//! What the documents say is so.

use highwater_reports::{
    json::{Document, render_json},
    shrink::{case, render},
    sweep::SweepSummary,
    text,
};
use highwater_scenarios::catalogue::find;
use highwater_sim::{
    TextError,
    fault::{Class, FaultKind, Plan, PlanFile},
    run::{Detail, LifeEnd, LifeSummary, RunOptions, RunReport, run},
    sabotage::Sabotage,
    shrink::shrink,
};
use highwater_tests::command;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};
use toml::Table;

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

/// A row of the table of fields.
struct Row {
    name: String,
    /// What stands in the cell of the fields, and whether each is optional.
    fields: BTreeMap<String, bool>,
    trigger: String,
    example: Table,
}

/// The words of a text that stand between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn rows_of_fields() -> Vec<Row> {
    let text = document("fault-model.md");
    let (_, table) = text.split_once("| kind | fields | trigger | example |\n").expect("the table");
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [name, fields, trigger, example] = cells[..] else { panic!("four cells: {row}") };
        let only = |cell: &str| quoted(cell).next().expect("it is quoted").to_owned();
        // The first quoted word of each is its name; of a kind that is another one's that comes before.
        let fields = fields.rsplit("`: ").next().filter(|_| fields.starts_with("as ")).unwrap_or(fields);
        let fields = fields.split("; ").map(|field| (only(field), field.contains("(optional")));
        let example = format!("fault = {}", only(example));
        let example: Table = toml::from_str(&example).unwrap_or_else(|error| panic!("{error}: {row}"));
        Row {
            name: only(name),
            fields: fields.collect(),
            trigger: trigger.to_owned(),
            example: example["fault"].as_table().expect("it is one").clone(),
        }
    })
    .collect()
}

/// A plan of one fault.
fn plan_of(fault: &Table) -> Result<Plan, TextError> {
    let file: Table = [("faults".to_owned(), toml::Value::from(vec![fault.clone()]))].into_iter().collect();
    PlanFile::read(&file.to_string()).map(|file| file.plan)
}

#[test]
fn the_fault_model_has_the_fields_of_every_kind() {
    let rows = rows_of_fields();
    let mut named = Vec::new();
    for Row { name, fields, example, .. } in &rows {
        let plan = plan_of(example).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(plan.faults[0].kind().name(), name);
        named.push(plan.faults[0].kind());
        let mut unknown = example.clone();
        unknown.insert("nuber".to_owned(), 1.into());
        let told = plan_of(&unknown).expect_err("no kind has it").to_string();
        let (_, expected) = told.split_once(", expected ").unwrap_or_else(|| panic!("{name}: {told}"));
        assert_eq!(
            quoted(expected).collect::<BTreeSet<_>>(),
            fields.keys().map(String::as_str).collect(),
            "{name}: {told}"
        );
        for (field, is_optional) in fields {
            let mut without = example.clone();
            without.remove(field);
            assert_eq!(plan_of(&without).is_ok(), *is_optional, "{name} without {field}");
        }
    }
    named.sort_unstable();
    assert_eq!(named, FaultKind::ALL.to_vec(), "each kind once");
}

/// Each kind with each trigger, in a run in which all of them are reached.
#[test]
fn the_fault_model_says_which_triggers_suit_which_kind() {
    let scenario = find("word-count").expect("it is in the catalogue");
    let triggers = [
        ("disk-operation", "life = 1, number = 80"),
        ("step", "life = 1, operation = 'OPERATION', place = 'journal', nth = 2"),
        ("occurrence", "operation = 'OPERATION', place = 'journal', nth = 3"),
        ("network-operation", "life = 1, number = 3"),
        ("byte", "connection = 1, after_bytes = 20"),
        ("time", "at_ms = 2000"),
        ("start", "life = 2"),
    ];
    let restart = "{ kind = 'stop', at_ms = 5000, restart_after_ms = 100 }";
    let (mut tried, mut wrong) = (0, Vec::new());
    for Row { name, trigger: told, example, .. } in rows_of_fields() {
        let Some(_) = example.get("trigger") else {
            assert_eq!(told, "its own fields", "{name}");
            continue;
        };
        let operation = match name.as_str() {
            "failed-sync" => "sync",
            _ => "append",
        };
        for (on, fields) in triggers {
            let is_of_disk = ["disk-operation", "step", "occurrence"].contains(&on);
            let suits = match told.as_str() {
                "a disk operation" => is_of_disk,
                any if any.starts_with("any") => quoted(any).all(|other| other != on),
                other => panic!("{name}: {other}"),
            };
            // Which operation it is has to suit, too; the tests of these kinds see to that.
            if told == "a disk operation" && (on == "disk-operation" || is_of_disk && name == "stale-read") {
                continue;
            }
            let trigger = format!("trigger = {{ on = '{on}', {} }}", fields.replace("OPERATION", operation));
            let mut fault = example.clone();
            fault.extend(toml::from_str::<Table>(&trigger).expect("it is TOML"));
            if let Some(place) = fault.get_mut("place") {
                *place = if name == "bit-rot" { "journal" } else { "generation" }.into();
            }
            let restart: Table = toml::from_str(&format!("stop = {restart}")).expect("it is TOML");
            let restart = plan_of(restart["stop"].as_table().expect("it is one")).expect("it is a plan");
            let mut plan = match plan_of(&fault) {
                Ok(plan) => plan,
                // A trigger that can never be reached is refused as soon as it is read.
                Err(_) if !suits => {
                    tried += 1;
                    continue;
                }
                Err(error) => panic!("{name} on {on}: {error}"),
            };
            plan.faults.extend(restart.faults);
            let options = RunOptions { plan: Some(plan), ..RunOptions::seeded(3) };
            let report = run(&scenario, &options).report;
            // A crash is one if a life ends by it.
            let crashes = ["crash", "power-loss"].contains(&name.as_str());
            let crashed = |life: &LifeSummary| matches!(life.end, LifeEnd::Crashed { fault: 0, .. });
            let came = match crashes {
                true => report.lives.iter().any(crashed),
                false => report.plan[0].firing.is_some(),
            };
            tried += 1;
            if came != suits {
                wrong.push(format!("{name} on {on}: {:?}", report.plan[0]));
            }
        }
    }
    assert!(wrong.is_empty() && tried > 70, "of {tried}:\n{}", wrong.join("\n"));
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
fn the_shrunken_failure_in_the_readme_is_the_one_that_is_printed() {
    let readme = document("../README.md");
    let command = "$ highwater shrink running-total --seed 47 --sabotage file-sync-does-nothing\n";
    let (_, rest) = readme.split_once(command).expect("it is in it");
    let shown = rest.split("```").next().expect("a block");
    let scenario = find("running-total").expect("it is in the catalogue");
    let sabotage = BTreeSet::from([Sabotage::FileSyncDoesNothing]);
    let options = RunOptions { sabotage, ..RunOptions::seeded(47) };
    let shrunk = shrink(&scenario, &options, &mut |_| true).expect("it fails");
    let plan = case(&shrunk).write().expect("it can be written");
    let printed = render(&shrunk, &plan, Some("highwater-reports/running-total-47.toml"));
    let mut left = printed.as_str();
    for part in shown.split("[..]\n") {
        left = left.split_once(part).unwrap_or_else(|| panic!("{part}\nis not in\n{printed}")).1;
    }
    assert_eq!(left, "");
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
