//! The sections of a run's page that stand in the page itself.

use super::view::View;
use crate::{
    replay::replay_command,
    text::{ledger, moments::seconds},
};
use highwater_sim::{
    fault::Step,
    run::{LifeEnd, RunReport},
};
use maud::{Markup, html};
use std::collections::BTreeMap;

pub(super) const VERDICTS_ABOUT: &str =
    "By judges that see the source, the disk, the output, and a run without faults.";
pub(super) const STEPS_ABOUT: &str = "Which operation at which place some life made, and by what fault it was hit. A sweep's page adds these up.";

pub(super) fn plan_about(report: &RunReport) -> &'static str {
    match report.plan.is_empty() {
        true => "Nothing disturbs this run.",
        false => "What was planned, what each fault hit, and what it caused.",
    }
}

pub(super) fn plan(view: &View) -> Markup {
    html! {
        ol.faults {
            @for fault in &view.faults {
                li.missed[fault.item.is_none()] {
                    p {
                        strong { (fault.title) } " "
                        @if let Some(item) = fault.item { (show(item)) }
                    }
                    p.about { (fault.became) }
                    @if !fault.effects.is_empty() {
                        ul {
                            @for effect in &fault.effects {
                                li { (effect.text) " " @if let Some(item) = effect.item { (show(item)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A button that shows an item in the chart.
fn show(item: usize) -> Markup {
    html! { button.show type="button" data-item=(item) { "show" } }
}

pub(super) fn verdicts(report: &RunReport) -> Markup {
    html! {
        div.scrolls { table {
            thead { tr { th { "invariant" } th { "verdict" } th { "what the judge saw" } } }
            tbody {
                @for verdict in &report.verdicts {
                    @let held = verdict.violations.is_empty();
                    tr.broken[!held] {
                        th scope="row" { (verdict.invariant) " " (verdict.invariant.name()) }
                        td { span.badge.(if held { "held" } else { "broken" }) { (if held { "held" } else { "BROKEN" }) } }
                        td {
                            (verdict.seen)
                            @if !held {
                                ul { @for violation in &verdict.violations { li { (violation) } } }
                            }
                        }
                    }
                }
            }
        } }
    }
}

/// What the judges object to, for the top of the page.
pub(super) fn broken(report: &RunReport) -> Markup {
    html! {
        ul.broken {
            @for verdict in report.verdicts.iter().filter(|verdict| !verdict.violations.is_empty()) {
                @for violation in &verdict.violations {
                    li { strong { (verdict.invariant) " " (verdict.invariant.name()) } ": " (violation) }
                }
            }
        }
        p { "To see it again: " code { (replay_command(report)) } }
    }
}

pub(super) fn ledger(report: &RunReport) -> Markup {
    html! {
        div.scrolls { table {
            thead { tr { th { "records" } th.number { "count" } th { "which" } } }
            tbody {
                @for (name, count, meaning) in ledger::rows(report) {
                    @let wrong = count > 0 && !report.held() && matches!(name, "twice" | "lost");
                    tr.broken[wrong] {
                        th scope="row" { (name) }
                        td.number { (count) }
                        td { (meaning) }
                    }
                }
            }
        } }
    }
}

pub(super) fn lives(report: &RunReport) -> Markup {
    html! {
        div.scrolls { table {
            thead { tr {
                th { "life" } th.number { "generation" } th.number { "from" } th.number { "to" } th { "ended by" }
                th.number { "disk operations" } th.number { "network operations" }
            } }
            tbody {
                @for life in &report.lives {
                    tr {
                        th scope="row" { (life.life) }
                        td.number { @if let Some(generation) = life.generation { (generation) } @else { "none" } }
                        td.number { (seconds(life.began_at)) }
                        td.number { (seconds(life.ended_at)) }
                        td { (ended_by(&life.end)) }
                        td.number { (life.disk_operations) }
                        td.number { (life.network_operations) }
                    }
                }
            }
        } }
        @if !report.price.is_empty() {
            div.scrolls { table {
                thead { tr {
                    th { "restart after" } th.number { "batches emitted again" } th.number { "records computed again" }
                    th.number { "ms to its first batch" } th.number { "ms since the checkpoint" }
                } }
                tbody {
                    @for restart in &report.price {
                        tr {
                            th scope="row" { (restart.after) }
                            td.number { (restart.duplicates) }
                            td.number { (restart.records_replayed) }
                            td.number { @if let Some(ms) = restart.recovery_ms { (ms) } @else { "none came" } }
                            td.number { (restart.checkpoint_lag_ms) }
                        }
                    }
                }
            } }
        }
    }
}

fn ended_by(end: &LifeEnd) -> String {
    match end {
        LifeEnd::Crashed { fault, power_loss: true } => format!("a power loss, fault {}", fault + 1),
        LifeEnd::Crashed { fault, power_loss: false } => format!("a crash, fault {}", fault + 1),
        LifeEnd::Failed { error, .. } => format!("an error: {error}"),
        LifeEnd::Stopped => "an orderly stop".to_owned(),
        LifeEnd::CutOff => "the end of the run".to_owned(),
    }
}

pub(super) fn steps(report: &RunReport) -> Markup {
    let mut made: BTreeMap<Step, u64> = BTreeMap::new();
    for step in report.detail.iter().flat_map(|detail| &detail.steps) {
        *made.entry(step.step).or_default() += 1;
    }
    let mut steps: Vec<Step> =
        report.reached.iter().copied().filter(|step| step.operation.is_durable_step()).collect();
    steps.sort_by_key(|step| (step.place, step.operation));
    html! {
        div.scrolls { table {
            thead { tr { th { "place" } th { "operation" } th.number { "times" } th { "hit by" } } }
            tbody {
                @for step in steps {
                    @let hit: Vec<&str> = report.coverage.iter().filter(|(it, _)| *it == step).map(|(_, kind)| kind.name()).collect();
                    tr.hit[!hit.is_empty()] {
                        th scope="row" { (step.place) }
                        td { (step.operation) }
                        td.number { @if let Some(times) = made.get(&step) { (times) } }
                        td { (hit.join(", ")) }
                    }
                }
            }
        } }
    }
}
