//! The story in ten lines: what was run, whether it held, and what happened on the way.

use super::{
    layout::{Page, count},
    moments::seconds,
};
use crate::replay::{fault_list, is_restricted};
use highwater_core::event::Event;
use highwater_sim::{
    clock::WALL_TIME_AT_START,
    fault::{Class, FaultKind},
    judge::Invariant,
    run::{Happening, RunReport},
};

pub(super) fn write(page: &mut Page, report: &RunReport) {
    for (name, text) in facts(report) {
        page.line(&format!("{name:<11}"), &text);
    }
}

/// The story as names and what there is to say of each.
pub(crate) fn facts(report: &RunReport) -> Vec<(&'static str, String)> {
    let ledger = &report.ledger;
    let mut facts = vec![
        ("scenario", format!("{}, fed by a {} source", report.scenario, source(report))),
        ("seed", seed(report)),
    ];
    if !report.sabotage.is_empty() {
        let promises = report.sabotage.join(", ");
        // Whether it does harm is the fault's doing: a run that holds is no fault of the judges.
        let harm = if report.held() { "and did no harm that counts" } else { "so the judges object" };
        facts.push(("sabotage", format!("{promises}: broken on purpose, {harm}")));
    }
    facts.push(("verdict", verdict(report)));
    facts.extend(report.detected.clone().map(|error| ("detected", error)));
    facts.push(("lives", lives(report)));
    facts.push(("network", network(report)));
    let others = other_faults(report);
    if !others.is_empty() {
        facts.push(("faults", others.join(", ")));
    }
    facts.push(("batches", batches(report)));
    let sent = match ledger.sent == ledger.records {
        true => format!("all {}", ledger.sent),
        false => format!("{} of {}", ledger.sent, ledger.records),
    };
    let mut records = format!(
        "{sent} sent, {} acknowledged, {} processed; {} twice, {} lost",
        ledger.acknowledged, ledger.processed, ledger.twice, ledger.lost,
    );
    // Nothing of a source that sends again can.
    if ledger.protocol == "tcp" {
        records.push_str(&format!(", {} died with the socket", ledger.died_with_the_socket));
    }
    facts.push(("records", records));
    let took = seconds(report.took);
    facts.push(("time", format!("{took} of virtual time; 0.000s is {WALL_TIME_AT_START} UTC")));
    facts
}

fn source(report: &RunReport) -> &str {
    match report.ledger.protocol.as_str() {
        "" => "silent",
        protocol => protocol,
    }
}

fn seed(report: &RunReport) -> String {
    let faults = count(report.plan.len() as u64, "fault");
    if report.plan_given {
        let lines = match report.lines {
            // What came to no end has counted none.
            Some(lines) if lines > report.ledger.records && report.ledger.records > 0 => {
                format!(", all {}", count(report.ledger.records, "line"))
            }
            Some(lines) => format!(", the first {}", count(lines, "line")),
            None => String::new(),
        };
        return format!("{} draws the workload; the plan is given: {faults}{lines}", report.seed);
    }
    let from = match is_restricted(report) {
        true => fault_list(report),
        false => "every kind".to_owned(),
    };
    format!("{} draws the workload and the plan: {faults} of {from}", report.seed)
}

fn verdict(report: &RunReport) -> String {
    let judged = report.verdicts.len();
    let broken: Vec<_> = report.verdicts.iter().filter(|verdict| !verdict.violations.is_empty()).collect();
    if broken.iter().any(|verdict| verdict.invariant == Invariant::NoPanic) {
        return "PANIC: the run did not come to its end, and nothing was judged".into();
    }
    if broken.is_empty() {
        return match report.class {
            Class::Tolerated => format!("all {judged} invariants held"),
            class => format!("all {judged} invariants held, by what is owed under damage: {class}"),
        };
    }
    let names: Vec<String> =
        broken.iter().map(|verdict| format!("{} {}", verdict.invariant, verdict.invariant.name())).collect();
    format!("{} of {judged} invariants BROKEN: {}", broken.len(), names.join(", "))
}

fn lives(report: &RunReport) -> String {
    let happened = |wanted: fn(&Happening) -> bool| {
        report.timeline.iter().filter(|entry| wanted(&entry.happening)).count() as u64
    };
    let power_losses = fired(report, FaultKind::PowerLoss);
    let totals = &report.totals;
    let mut text = format!(
        "{}: {} of the process, {}, {}",
        match totals.lives {
            1 => "1 life".to_owned(),
            lives => format!("{lives} lives"),
        },
        match fired(report, FaultKind::Crash) {
            1 => "1 crash".to_owned(),
            crashes => format!("{crashes} crashes"),
        },
        count(power_losses, "power loss"),
        match happened(|it| matches!(it, Happening::Event(Event::Recovered(_)))) {
            1 => "1 recovery".to_owned(),
            recoveries => format!("{recoveries} recoveries"),
        },
    );
    let failed = happened(|it| matches!(it, Happening::LifeFailed { .. }));
    if failed > 0 {
        text.push_str(&format!(", {failed} ended by an error"));
    }
    if totals.torn_writes > 0 {
        text.push_str(&format!(", {}", count(totals.torn_writes, "torn write")));
    }
    text
}

fn network(report: &RunReport) -> String {
    let [resets, closes, stalls] =
        [FaultKind::Reset, FaultKind::Close, FaultKind::Stall].map(|kind| fired(report, kind));
    format!(
        "{}, {} by the source, {}",
        count(resets, "reset"),
        count(closes, "orderly close"),
        count(stalls, "stall")
    )
}

/// The kinds of faults that have no place in the lines of their own.
fn other_faults(report: &RunReport) -> Vec<String> {
    let told = [FaultKind::Crash, FaultKind::PowerLoss, FaultKind::Reset, FaultKind::Close, FaultKind::Stall];
    let others = FaultKind::ALL.iter().filter(|kind| !told.contains(kind));
    let counted = others.map(|kind| (kind, fired(report, *kind))).filter(|(_, fired)| *fired > 0);
    counted
        .map(|(kind, fired)| if fired == 1 { kind.to_string() } else { format!("{kind} x {fired}") })
        .collect()
}

fn batches(report: &RunReport) -> String {
    let mut completed = std::collections::BTreeSet::new();
    for entry in &report.timeline {
        if let Happening::Event(Event::BatchCompleted { time, .. }) = entry.happening {
            completed.insert(time);
        }
    }
    format!(
        "{} completed; {} to run again, summed over the recoveries; {} emitted again",
        completed.len(),
        report.totals.replayed_batches,
        report.totals.duplicates
    )
}

fn fired(report: &RunReport, kind: FaultKind) -> u64 {
    report.plan.iter().filter(|outcome| outcome.firing.is_some() && outcome.fault.kind() == kind).count()
        as u64
}
