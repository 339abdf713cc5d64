//! What the documents say is so.

use highwater_reports::{
    json::{Document, render_json},
    sweep::SweepSummary,
};
use highwater_sim::{
    fault::{Class, FaultKind, Plan},
    run::{Detail, RunReport},
    sabotage::Sabotage,
};
use std::{fs, path::Path};

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
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
