//! The plan: what was to go wrong, and what of it did.

use super::{layout::Page, moments::seconds};
use highwater_sim::{
    fault::{Class, FaultOutcome, Firing, Hit},
    run::RunReport,
};

pub(super) fn write(page: &mut Page, report: &RunReport) {
    let missed = report.plan.iter().filter(|outcome| outcome.firing.is_none()).count();
    let fired = report.plan.len() - missed;
    page.section(
        "PLAN",
        &match report.plan.len() {
            0 => "no faults: nothing disturbs this run".to_owned(),
            _ => format!("{fired} fired, {missed} missed"),
        },
    );
    for (n, outcome) in report.plan.iter().enumerate() {
        page.line(&format!("{:>4}  ", n + 1), &planned(outcome));
        page.line("      ", &became(outcome));
    }
}

/// The fault, with its class where that asks less of an engine.
pub(crate) fn planned(outcome: &FaultOutcome) -> String {
    match outcome.fault.kind().class() {
        Class::Tolerated => outcome.fault.to_string(),
        class => format!("{} ({class})", outcome.fault),
    }
}

/// What became of it.
pub(crate) fn became(outcome: &FaultOutcome) -> String {
    match &outcome.firing {
        Some(Firing { at, life, hit }) => format!("fired at {} in life {life}: {}", seconds(*at), what(hit)),
        None => "MISSED: nothing that it strikes came to its trigger".to_owned(),
    }
}

/// What was hit. Which operation of its life it was, the fault itself says.
fn what(hit: &Hit) -> String {
    match hit {
        Hit::Disk { number: _, step, path } => format!("{} {path}", step.operation),
        Hit::Network { number: _, operation } => format!("{operation} at the network"),
        Hit::Time | Hit::Connection { .. } | Hit::Attempt { .. } | Hit::Job { .. } => hit.to_string(),
    }
}
