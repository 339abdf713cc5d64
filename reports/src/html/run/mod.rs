//! The page of a run.
//!
//! - `view` is what the chart's script draws: `lane` says where a thing is drawn and how it looks, `causes` what a fault caused.
//! - `tables` are the sections that stand in the page itself, and are there without a script, too.

mod causes;
mod lane;
mod over;
mod tables;
mod view;

use super::{
    embed,
    shell::{page, section},
};
use crate::{
    replay::replay_command,
    text::{self, head::facts},
};
use highwater_sim::run::RunReport;
use maud::{Markup, html};
use view::View;

const SCRIPT: &str = concat!(
    include_str!("../assets/chart.js"),
    include_str!("../assets/events.js"),
    include_str!("../assets/run.js")
);

/// The page of a run.
pub fn render(report: &RunReport) -> String {
    let view = View::of(report);
    let verdict = if report.held() { "held" } else { "BROKEN" };
    let body = html! {
        a.skip href="#timeline" { "to the timeline" }
        header {
            p.kind { "Highwater recovery report" }
            h1 { (report.scenario) ", seed " (report.seed) " " span.badge.(verdict.to_lowercase()) { (verdict) } }
            dl.facts {
                @for (name, text) in facts(report) {
                    dt { (name) }
                    dd { (text) }
                }
            }
        }
        main {
            @if !report.held() {
                (section("broken", "What is broken", "What the judges object to; the rest of the page is what led to it.", &tables::broken(report)))
            }
            (section("timeline", "Timeline", "", &chart(report)))
            (section("plan", "Faults", tables::plan_about(report), &tables::plan(&view)))
            (section("verdicts", "Verdicts", tables::VERDICTS_ABOUT, &tables::verdicts(report)))
            (section("ledger", "Ledger", text::ledger::about(report), &tables::ledger(report)))
            (section("lives", "Lives and what each restart cost", "", &tables::lives(report)))
            (section("steps", "Durable steps", tables::STEPS_ABOUT, &tables::steps(report)))
            (section("events", "Events", "Everything that happened, with its record.", &events()))
            (section("text", "As text", "", &html! {
                details {
                    summary { "The report as a terminal shows it" }
                    pre tabindex="0" { (text::render(report)) }
                }
            }))
        }
        footer { p { "replay: " code { (replay_command(report)) } } }
        (embed::data("view", &view))
    };
    page(&format!("{} {} {verdict}", report.scenario, report.seed), Some(SCRIPT), &body)
}

fn chart(report: &RunReport) -> Markup {
    html! {
        noscript { p.about { "The chart and the list of events need this page's script; all else is below." } }
        div.toolbar {
            button type="button" id="zoom-in" title="zoom in (+)" { "+" span.hidden { " zoom in" } }
            button type="button" id="zoom-out" title="zoom out (-)" { "−" span.hidden { " zoom out" } }
            button type="button" id="fit" title="the whole run (0)" { "whole run" }
            button type="button" id="previous-fault" title="the fault before (shift F)" { "‹ fault" }
            button type="button" id="next-fault" title="the next fault (F)" { "fault ›" }
            @if report.detail.is_some() {
                label { input type="checkbox" id="show-calm" checked; " the run without faults, below each lane" }
                label { input type="checkbox" id="show-steps"; " disk operations" }
            }
        }
        div.chart-frame {
            div id="chart" role="application" tabindex="0" aria-label="Timeline of the run in lanes"
                aria-describedby="chart-keys" aria-roledescription="timeline" { svg aria-hidden="true" {} }
        }
        p.about id="chart-keys" {
            kbd { "←" } " " kbd { "→" } " go along a lane, " kbd { "↑" } " " kbd { "↓" } " change it, "
            kbd { "F" } " goes to the next fault, " kbd { "+" } " " kbd { "−" } " " kbd { "0" } " zoom, "
            kbd { "shift ←" } " " kbd { "shift →" } " pan, " kbd { "enter" } " reads the record. "
            "With a mouse: click, drag to pan, ctrl and wheel to zoom."
        }
        ul.legend {
            @for (tone, words) in [
                ("routine", "routine"),
                ("notable", "notable"),
                ("again", "repeated or recovered"),
                ("fault", "fault"),
                ("bad", "ended by an error"),
            ] {
                li { i.mark.(tone) {} (words) }
            }
            li { i.band.down {} "no driver" }
            li { i.band.recovery {} "recovering" }
            li { i.band.fault {} "a fault goes on" }
        }
        p.hidden id="status" role="status" aria-live="polite" {}
        div id="details" tabindex="-1" role="region" aria-label="What is chosen" { p.about { "Nothing is chosen yet." } }
    }
}

fn events() -> Markup {
    html! {
        div.toolbar {
            label { "find " input type="search" id="find" placeholder="checkpoint, life 2, …" autocomplete="off"; }
            button type="button" id="page-before" { "‹ before" }
            button type="button" id="page-after" { "after ›" }
            span id="page-about" role="status" {}
        }
        div.scrolls {
            table id="events-table" {
                thead { tr { th { "time" } th { "life" } th { "lane" } th { "what" } th { "" } } }
                tbody {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
