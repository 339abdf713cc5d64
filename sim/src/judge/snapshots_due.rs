//! For I9: that a snapshot which is due is taken, so that neither the journal nor the work of a recovery grows.
//!
//! One is due at a checkpoint after completed batches if a multiple of the interval lies between the state that the checkpoint
//! names and its last batch, whether a batch ended there or not. It is begun right after that checkpoint, so half a second later it
//! is written, or one before it is; unless one before it came to its end while that checkpoint was published, because the driver
//! looks before it publishes: then the next checkpoint begins it. The interval is the options', the grid that of the checkpoints,
//! and what was written the driver's word; that a snapshot is whole is judged elsewhere. Not verified: where any fault was going
//! on, because a disk that is slow keeps a snapshot as well.

use super::{Case, image};
use crate::{
    fault::FaultOutcome,
    run::{Evidence, LifeEvidence},
    world::VirtualTime,
};
use highwater_core::{BatchTime, event::Event};

/// A checkpoint with completed batches after which a snapshot was due.
struct Due {
    at: VirtualTime,
    completed: BatchTime,
}

/// The snapshots that were due and that nobody took.
pub(super) fn missing(case: &Case<'_>) -> Vec<String> {
    let keeps_state = case.reference.is_some_and(|reference| {
        reference.events().any(|(_, _, event)| matches!(event, Event::SnapshotWritten { .. }))
    });
    let written = case.evidence.last_written();
    let Some(newest) = image::checkpoints(&written).into_values().flatten().last().filter(|_| keeps_state)
    else {
        return Vec::new();
    };
    let interval_ms = case.scenario.options.snapshot_interval().millis();
    let periods = |time: BatchTime| time.0.saturating_sub(newest.zero_time.0) / interval_ms;
    let of_life = |life: &LifeEvidence| {
        let missed = missed(life, case.evidence, |completed, named| {
            periods(completed) > periods(named.unwrap_or(newest.zero_time))
        });
        missed.map(|due| {
            let (life, batch, at) = (life.life, due.completed, due.at);
            format!("life {life} took no snapshot after batch {batch}, which was due at {at}")
        })
    };
    case.evidence.lives.iter().filter_map(of_life).collect()
}

/// The first checkpoint of a life after which a snapshot was due, and nothing was written until long after it.
fn missed(
    life: &LifeEvidence,
    evidence: &Evidence,
    is_due: impl Fn(BatchTime, Option<BatchTime>) -> bool,
) -> Option<Due> {
    let (mut completed_some, mut came_late, mut last) = (false, false, None);
    let mut due: Option<Due> = None;
    for (at, event) in &life.events {
        match event {
            Event::BatchCompleted { .. } => (completed_some, came_late) = (true, false),
            Event::SnapshotWritten { time, .. } => (due, last, came_late) = (None, Some(*time), true),
            Event::CheckpointPublished { completed, snapshot, .. } => {
                due.take_if(|due| evidence.faults.iter().any(|outcome| goes_on(outcome, due.at, *at)));
                if let Some(due) = due.take_if(|due| at.millis() >= due.at.millis() + LONG_MS) {
                    return Some(due);
                }
                let completed_some = std::mem::take(&mut completed_some);
                // One that was written while this checkpoint was is named by the next.
                let is_due = completed_some && !came_late && is_due(*completed, (*snapshot).max(last));
                due = due.or(is_due.then_some(Due { at: *at, completed: *completed }));
            }
            _ => {}
        }
    }
    None
}

/// How long it takes to write a snapshot that nothing disturbs, in milliseconds, and much more.
const LONG_MS: u64 = 500;

/// Whether a fault was going on in that time.
fn goes_on(outcome: &FaultOutcome, from: VirtualTime, until: VirtualTime) -> bool {
    let Some(firing) = &outcome.firing else { return false };
    let over_ms = firing.at.millis().saturating_add(outcome.fault.lasts_ms());
    firing.at <= until && over_ms >= from.millis()
}
