//! The page of a sweep: an index of its runs, the failures first.
//!
//! - `heat` is the coverage matrix; `plots` are the distributions of what recoveries cost.
//!
//! It has no script. Where a run's page was written, its seed is a link to it; the command that replays it stands beside it either way.

mod heat;
mod plots;

use super::shell::{page, section};
use crate::{
    replay::replay_command,
    sweep::{ScenarioSummary, SweepSummary, Top},
    text::layout::count,
};
use highwater_sim::run::RunReport;
use maud::{Markup, html};

/// The page of a sweep. `page_of` tells where the page of a run is, relative to this one, by its scenario and seed.
pub fn render(summary: &SweepSummary, page_of: &dyn Fn(&str, u64) -> Option<String>) -> String {
    let failures: usize = summary.scenarios.values().map(|scenario| scenario.failures.len()).sum();
    let verdict = if summary.held() { "held" } else { "BROKEN" };
    let runs = summary.total().seeds;
    let body = html! {
        header {
            p.kind { "Highwater sweep" }
            h1 { (count(runs, "run")) " of " (count(summary.scenarios.len() as u64, "scenario")) " "
                span.badge.(verdict.to_lowercase()) { (verdict) } }
            (asked(summary))
            (tiles(summary, failures))
        }
        main {
            @if failures > 0 {
                (section("failures", "Failures", "Each with the command that lives through it again.", &failed(summary, page_of)))
            }
            (section("scenarios", "Scenarios", "", &scenarios(summary)))
            (section("runs", "Runs worth a look", "Of each scenario those that took most virtual time, and those in which most went wrong: \
                100 for each crash, 1 for each lost connection and each batch to run again.", &worth_a_look(summary, page_of)))
            (section("coverage", "Coverage", "How often a fault hit a step of the disk. A cell with NONE could have been hit and was not: \
                a hole in this sweep; a dot is a step that such a fault does not strike.", &heat::map(summary)))
            (section("cost", "What recovery cost", "Over all restarts, then by the fault that made them necessary.", &plots::of(summary)))
        }
    };
    page(&format!("Highwater sweep, {} {verdict}", count(runs, "run")), None, &body)
}

fn asked(summary: &SweepSummary) -> Markup {
    html! {
        dl.facts {
            dt { "highwater" } dd { (summary.asked.highwater) }
            dt { "faults" } dd { (summary.asked.faults.join(", ")) }
            @for cut in &summary.cut_short { dt { "cut short" } dd { (cut) } }
            @for part in summary.shards.incomplete() { dt { "a part" } dd { (part) } }
            @if !summary.asked.sabotage.is_empty() {
                dt { "sabotage" } dd { (summary.asked.sabotage.join(", ")) ": broken on purpose" }
            }
        }
    }
}

fn tiles(summary: &SweepSummary, failures: usize) -> Markup {
    let totals = summary.total().totals;
    let hittable = summary.coverage.hittable().count();
    let hit = hittable - summary.coverage.holes().len();
    let tile = |figure: String, words: &str, broken: bool| {
        html! {
            div.tile.broken[broken] { b { (figure) } (words) }
        }
    };
    html! {
        div.tiles {
            (tile(failures.to_string(), if failures == 1 { "failed run" } else { "failed runs" }, failures > 0))
            (tile(totals.crashes.to_string(), "crashes", false))
            @match summary.held() {
                true if totals.losses > 0 => (tile(totals.losses.to_string(), "records behind detected damage", false)),
                _ => (tile(totals.losses.to_string(), "lost records", totals.losses > 0)),
            }
            (tile(totals.duplicates.to_string(), "batches emitted again", false))
            (tile(format!("{hit} / {hittable}"), "cells hit", false))
            (tile(format!("{} / {}", totals.planned - totals.missed, totals.planned), "faults fired", false))
            (tile(format!("{:.1} h", totals.virtual_nanos as f64 / 3.6e12), "of virtual time", false))
        }
    }
}

/// A run by its seed: a link to its page, if there is one.
fn run(scenario: &str, seed: u64, page_of: &dyn Fn(&str, u64) -> Option<String>) -> Markup {
    html! {
        @match page_of(scenario, seed) {
            Some(page) => { a href=(page) { (scenario) " " (seed) } }
            None => { (scenario) " " (seed) }
        }
    }
}

fn failed(summary: &SweepSummary, page_of: &dyn Fn(&str, u64) -> Option<String>) -> Markup {
    html! {
        div.scrolls { table {
            thead { tr { th { "run" } th { "broken" } } }
            tbody {
                @for (name, scenario) in &summary.scenarios {
                    @for (seed, failure) in &scenario.failures {
                        tr {
                            th scope="row" { (run(name, *seed, page_of)) }
                            td {
                                @for (n, broken) in failure.broken.iter().enumerate() {
                                    div { strong { (broken) } ": " (failure.violations.get(n).map_or("", String::as_str)) }
                                }
                                code { (failure.replay) }
                            }
                        }
                    }
                }
            }
        } }
    }
}

fn scenarios(summary: &SweepSummary) -> Markup {
    let total = summary.total();
    html! {
        div.scrolls { table {
            thead { tr {
                th { "scenario" } th { "seeds" } th.number { "runs" } th.number { "failed" } th.number { "lives" }
                th.number { "crashes" } th.number { "torn writes" } th.number { "drops" } th.number { "replayed batches" }
                th.number { "duplicates" } th.number { "losses" } th.number { "violations" }
            } }
            tbody {
                @for (name, scenario) in &summary.scenarios { (scenario_row(name, scenario)) }
                @if summary.scenarios.len() > 1 { (scenario_row("all", &total)) }
            }
        } }
    }
}

fn scenario_row(name: &str, scenario: &ScenarioSummary) -> Markup {
    let ScenarioSummary { seeds, ran, failures, totals, .. } = scenario;
    html! {
        tr.broken[totals.violations > 0] {
            th scope="row" { (name) }
            td { (ran) }
            td.number { (seeds) }
            td.number { @if ran.is_empty() { "" } @else { (failures.len()) } }
            @for figure in [
                totals.lives, totals.crashes, totals.torn_writes, totals.drops, totals.replayed_batches,
                totals.duplicates, totals.losses, totals.violations,
            ] { td.number { (figure) } }
        }
    }
}

fn worth_a_look(summary: &SweepSummary, page_of: &dyn Fn(&str, u64) -> Option<String>) -> Markup {
    let list = |name: &str, top: &Top, unit: &str| {
        html! {
            ul { @for ranked in top.iter() {
                li { (run(name, ranked.seed, page_of)) ": " (ranked.value) " " (unit) }
            } }
        }
    };
    html! {
        div.scrolls { table {
            thead { tr { th { "scenario" } th { "slowest" } th { "most eventful" } th { "to see another" } } }
            tbody {
                @for (name, scenario) in &summary.scenarios {
                    tr {
                        th scope="row" { (name) }
                        td { (list(name, &scenario.slowest, "ms")) }
                        td { (list(name, &scenario.eventful, "points")) }
                        td { code { (replay(summary, name, scenario)) } }
                    }
                }
            }
        } }
    }
}

/// The command that replays any seed of a scenario, for the reader to put the number in.
fn replay(summary: &SweepSummary, name: &str, scenario: &ScenarioSummary) -> String {
    let report = RunReport {
        scenario: name.to_owned(),
        scenario_file: scenario.scenario_file.clone(),
        faults: summary.asked.faults.clone(),
        sabotage: summary.asked.sabotage.clone(),
        ..RunReport::default()
    };
    replay_command(&report).replace("--seed 0", "--seed N")
}

#[cfg(test)]
mod tests;
