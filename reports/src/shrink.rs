//! A failure that was made small: the plan as a file, which fault causes it, and what it took.
//!
//! The file of the plan is a whole case; what was broken on purpose is in the command, since no case that is kept may need it.

use crate::{replay::shell_word, text::layout::Page};
use highwater_sim::{
    fault::PlanFile,
    judge::Invariant,
    shrink::{Outcome, Shrunk},
};
use serde::Serialize;

/// The case that reproduces the failure.
pub fn case(shrunk: &Shrunk) -> PlanFile {
    let report = &shrunk.report;
    let sabotage = match report.sabotage.is_empty() {
        true => String::new(),
        false => format!(" with {} broken on purpose", report.sabotage.join(", ")),
    };
    PlanFile {
        about: Some(format!("breaks {}{sabotage}", named(shrunk.invariant))),
        scenario: Some(report.scenario_argument().to_owned()),
        seed: Some(report.seed),
        plan: shrunk.plan.clone(),
    }
}

/// The command that replays the case, from the file that it is in; `FILE` stands for one that could not be written.
pub fn replay_command(shrunk: &Shrunk, file: Option<&str>) -> String {
    let mut command = format!("highwater replay --plan {}", file.map_or("FILE".into(), shell_word));
    if !shrunk.report.sabotage.is_empty() {
        command.push_str(&format!(" --sabotage {}", shrunk.report.sabotage.join(",")));
    }
    command
}

/// What the failure comes to without each of its faults, a line each.
pub fn causes(shrunk: &Shrunk) -> Vec<String> {
    let comes_to = |outcome: &Outcome| match outcome.0.as_slice() {
        [] => "it passes".to_owned(),
        broken if broken.contains(&shrunk.invariant) => "it fails the same".to_owned(),
        broken => {
            let names: Vec<String> = broken.iter().copied().map(named).collect();
            format!("it fails in another way: {}", names.join(", "))
        }
    };
    let without = shrunk.without.iter().zip(1..);
    let mut lines: Vec<String> =
        without.map(|(outcome, n)| format!("without fault {n} {}", comes_to(outcome))).collect();
    // Of a single fault that is said already.
    if shrunk.without.len() != 1 {
        lines.push(format!("without any fault {}", comes_to(&shrunk.calm)));
    }
    lines
}

/// The whole of it as text, with `file` as the name of the file that the plan is in, if it could be written.
pub fn render(shrunk: &Shrunk, plan: &str, file: Option<&str>) -> String {
    let mut page = Page::default();
    page.line("broken   ", &format!("{}: {}", named(shrunk.invariant), violation(shrunk)));
    page.line("faults   ", &format!("{} of {}", shrunk.plan.faults.len(), shrunk.original.faults.len()));
    page.line("lines    ", &format!("{} of {}", shrunk.lines, shrunk.original_lines));
    let end = match shrunk.complete {
        true => "nothing simpler was left to try",
        false => "stopped before everything was tried: more time may find a simpler plan",
    };
    page.line("runs     ", &format!("{}; {end}", shrunk.runs));
    page.blank();
    for (n, fault) in shrunk.plan.faults.iter().enumerate() {
        page.line(&format!("fault {}  ", n + 1), &fault.to_string());
    }
    for cause in causes(shrunk) {
        page.line("", &cause);
    }
    page.blank();
    // As they are in the file, however long.
    for line in plan.lines() {
        page.raw(line);
    }
    page.blank();
    if let Some(file) = file {
        page.raw(&format!("written to {file}"));
    }
    page.raw(&format!("replay: {}", replay_command(shrunk, file)));
    page.into_text()
}

/// The same as JSON, on one line, without a line feed.
pub fn render_json(shrunk: &Shrunk, plan: &str, file: Option<&str>) -> String {
    #[derive(Serialize)]
    struct Whole<'a> {
        scenario: &'a str,
        seed: u64,
        sabotage: &'a [String],
        invariant: Invariant,
        violation: &'a str,
        faults_before: usize,
        faults_after: usize,
        lines_before: u64,
        lines_after: u64,
        runs: u64,
        complete: bool,
        plan: &'a highwater_sim::fault::Plan,
        /// For each fault the invariants that are broken without it.
        broken_without: Vec<&'a [Invariant]>,
        broken_without_any: &'a [Invariant],
        /// `null` if it could not be written.
        file: Option<&'a str>,
        toml: &'a str,
        replay: String,
    }
    let report = &shrunk.report;
    let whole = Whole {
        scenario: &report.scenario,
        seed: report.seed,
        sabotage: &report.sabotage,
        invariant: shrunk.invariant,
        violation: violation(shrunk),
        faults_before: shrunk.original.faults.len(),
        faults_after: shrunk.plan.faults.len(),
        lines_before: shrunk.original_lines,
        lines_after: shrunk.lines,
        runs: shrunk.runs,
        complete: shrunk.complete,
        plan: &shrunk.plan,
        broken_without: shrunk.without.iter().map(|outcome| outcome.0.as_slice()).collect(),
        broken_without_any: &shrunk.calm.0,
        file,
        toml: plan,
        replay: replay_command(shrunk, file),
    };
    serde_json::to_string(&whole).expect("it is strings, numbers and lists")
}

fn named(invariant: Invariant) -> String {
    format!("{invariant} {}", invariant.name())
}

/// The first thing that the judge objects to.
fn violation(shrunk: &Shrunk) -> &str {
    let verdict = shrunk.report.verdicts.iter().find(|verdict| verdict.invariant == shrunk.invariant);
    verdict.and_then(|verdict| verdict.violations.first()).map_or("", String::as_str)
}
