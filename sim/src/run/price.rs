//! The price of each restart: what the engine repeated, how long that took, and how old its checkpoint was.
//!
//! A restart belongs to the kind of fault that ended the life before it; one that passes over a damaged checkpoint to the damage, for which
//! it goes back further. All figures are seen from outside: emissions of the tap, the
//! driver's event stream, virtual time.

use super::{Cause, Evidence, LifeEnd, LifeEvidence};
use crate::fault::{FaultKind, injected_by};
use highwater_core::{event::Event, ids::BatchTime};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What one restart cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restart {
    /// What ended the life before; the damage for which it passed over a checkpoint, if it did.
    pub after: FaultKind,
    /// Batches that were emitted again.
    pub duplicates: u64,
    /// Records of the batches that were computed again, for the state or for the output.
    pub records_replayed: u64,
    /// Virtual milliseconds from the start of the life to its first completed batch; none if it completed none.
    pub recovery_ms: Option<u64>,
    /// Virtual milliseconds from the last checkpoint to the end of the life before; from its start if it published none.
    pub checkpoint_lag_ms: u64,
}

/// The restarts of a run, in order. One that no fault of the plan explains is not among them.
pub(super) fn restarts(evidence: &Evidence) -> Vec<Restart> {
    let records: BTreeMap<BatchTime, u64> =
        evidence.batches().into_iter().map(|batch| (batch.time, batch.records().count() as u64)).collect();
    let mut emitted = BTreeSet::new();
    let mut restarts = Vec::new();
    for (index, life) in evidence.lives.iter().enumerate() {
        let taps = evidence.emissions.iter().filter(|emission| emission.tap && emission.life == life.life);
        let own: BTreeSet<BatchTime> = taps.filter_map(|emission| emission.time).collect();
        let before = index.checked_sub(1).map(|before| &evidence.lives[before]);
        if let Some(before) = before
            && let Some(after) = passed_over(life, evidence).or_else(|| ended_by(before, evidence))
        {
            restarts.push(Restart {
                after,
                duplicates: own.intersection(&emitted).count() as u64,
                records_replayed: records_replayed(life, &records),
                recovery_ms: life.completions().next().map(|(at, _)| at.millis() - life.began_at.millis()),
                checkpoint_lag_ms: checkpoint_lag_ms(before),
            });
        }
        emitted.extend(own);
    }
    restarts
}

fn kind(fault: usize, evidence: &Evidence) -> Option<FaultKind> {
    evidence.faults.get(fault).map(|outcome| outcome.fault.kind())
}

/// The damage for which a life passed over a checkpoint.
fn passed_over(life: &LifeEvidence, evidence: &Evidence) -> Option<FaultKind> {
    let mut rejections = life.events.iter().filter_map(|(_, event)| match event {
        Event::CandidateRejected { reason, .. } => evidence.damage_told(reason, life),
        _ => None,
    });
    rejections.next().and_then(|damage| kind(damage.fault, evidence))
}

fn ended_by(life: &LifeEvidence, evidence: &Evidence) -> Option<FaultKind> {
    let kind = |fault: usize| kind(fault, evidence);
    match &life.end {
        LifeEnd::Crashed { fault, .. } => kind(*fault),
        LifeEnd::Failed { cause: Cause::Fenced | Cause::InUse, .. } => Some(FaultKind::Takeover),
        LifeEnd::Failed { cause: Cause::OtherProgram, .. } => Some(FaultKind::OtherProgram),
        LifeEnd::Failed { error, cause: Cause::Damage } => {
            evidence.damage_told(error, life).and_then(|damage| kind(damage.fault))
        }
        LifeEnd::Failed { error, .. } => injected_by(error).and_then(kind),
        LifeEnd::Stopped => Some(FaultKind::Stop),
        LifeEnd::CutOff => None,
    }
}

fn records_replayed(life: &LifeEvidence, records: &BTreeMap<BatchTime, u64>) -> u64 {
    let recovery = life.events.iter().find_map(|(_, event)| match event {
        Event::Recovered(recovery) => Some(recovery),
        _ => None,
    });
    let Some(recovery) = recovery else { return 0 };
    let completed = records.range(..=recovery.completed).rev().take(recovery.state_replays as usize);
    let pending = recovery.pending.iter().filter_map(|time| records.get_key_value(time));
    completed.chain(pending).map(|(_, records)| records).sum()
}

fn checkpoint_lag_ms(life: &LifeEvidence) -> u64 {
    let mut published = life.events.iter().rev().filter_map(|(at, event)| match event {
        Event::CheckpointPublished { .. } => Some(*at),
        _ => None,
    });
    life.ended_at.millis() - published.next().unwrap_or(life.began_at).millis()
}
