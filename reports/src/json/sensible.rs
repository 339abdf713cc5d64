//! What a report must be beside well-formed, so that every face can show it: its places in the plan are places of the plan, its times lie
//! in the run, and no number is so great that a sum of such numbers overflows.

use crate::sweep::SweepSummary;
use highwater_core::event::Event;
use highwater_sim::run::{Happening, LifeEnd, RunReport, TimelineEntry};
use serde::Serialize;
use serde_json::Value;

/// A century in nanoseconds: no run takes longer, and what lasts so long can be added to it.
const LONGEST_NANOS: u64 = 36_525 * 86_400 * 1_000_000_000;

/// The sum of all counts of a sweep, with room to multiply it by a hundred.
const COUNTS_MAX: u128 = 1 << 56;

pub(super) fn run(report: &RunReport) -> Result<(), String> {
    let took = report.took.0;
    if took > LONGEST_NANOS {
        return Err(format!("it takes {took} ns"));
    }
    let of_plan = |fault: usize| match fault < report.plan.len() {
        true => Ok(()),
        false => Err(format!("it names fault {fault} (from 0) of a plan of {}", report.plan.len())),
    };
    for entry in &report.timeline {
        if let Happening::FaultFired { fault } = &entry.happening {
            of_plan(*fault)?;
        }
    }
    for life in &report.lives {
        if let LifeEnd::Crashed { fault, .. } = &life.end {
            of_plan(*fault)?;
        }
        if life.began_at > life.ended_at {
            return Err(format!("life {} ended before it began", life.life));
        }
    }
    let times = report.timeline.iter().map(|entry| entry.at);
    let of_lives = report.lives.iter().map(|life| life.ended_at);
    let of_faults = report.plan.iter().filter_map(|outcome| Some(outcome.firing.as_ref()?.at));
    if let Some(at) = times.chain(of_lives).chain(of_faults).find(|at| at.0 > LONGEST_NANOS) {
        return Err(format!("something happened after {} ns", at.0));
    }
    let without_faults = report.detail.iter().flat_map(|detail| &detail.without_faults);
    counts_add_up(&report.timeline)?;
    counts_add_up(without_faults)
}

/// Whether no sum of what some of the events count overflows.
fn counts_add_up<'a>(entries: impl IntoIterator<Item = &'a TimelineEntry>) -> Result<(), String> {
    let counted = entries.into_iter().map(|entry| match &entry.happening {
        Happening::Event(Event::BlockStored { records, .. } | Event::BatchCompleted { records, .. }) => {
            u128::from(*records)
        }
        Happening::Event(Event::BatchAllocated { blocks, records, .. }) => {
            u128::from(*blocks) + u128::from(*records)
        }
        Happening::Event(Event::Trimmed { checkpoints, snapshots, segments }) => {
            u128::from(*checkpoints) + u128::from(*snapshots) + u128::from(*segments)
        }
        _ => 0,
    });
    match counted.sum::<u128>() <= u128::from(u64::MAX) {
        true => Ok(()),
        false => Err("its events count more than there can be".to_owned()),
    }
}

pub(super) fn sweep(summary: &SweepSummary) -> Result<(), String> {
    summary.shards.checked().map_err(|why| format!("it has {why}"))?;
    let mut counts = sum_of(&summary.coverage) + sum_of(&summary.prices) + sum_of(&summary.cut_short);
    for (name, scenario) in &summary.scenarios {
        let seeds = scenario.ran.checked_count().map_err(|why| format!("of {name} it has {why}"))?;
        if seeds != scenario.seeds {
            return Err(format!("of {name} it has {} runs of {seeds} seeds", scenario.seeds));
        }
        if scenario.totals.missed > scenario.totals.planned {
            return Err(format!("of {name} more faults were missed than planned"));
        }
        let virtual_nanos = u128::from(scenario.totals.virtual_nanos);
        // A nanosecond is a millionth of what else there is to count of a run.
        counts += sum_of(&scenario.totals) - virtual_nanos + virtual_nanos / 1_000_000;
    }
    match counts <= COUNTS_MAX {
        true => Ok(()),
        false => Err("it counts more than there can be".to_owned()),
    }
}

/// The sum of all numbers in a part of a document.
fn sum_of(part: &impl Serialize) -> u128 {
    fn sum(value: &Value) -> u128 {
        match value {
            Value::Number(number) => u128::from(number.as_u64().unwrap_or(0)),
            Value::Array(items) => items.iter().map(sum).sum(),
            Value::Object(fields) => fields.values().map(sum).sum(),
            _ => 0,
        }
    }
    sum(&serde_json::to_value(part).expect("it is numbers, lists, and maps whose keys are strings"))
}
