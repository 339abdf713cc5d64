//! I7: recovery uses a whole, verified checkpoint, the newest such; and where there are data it never starts afresh.
//!
//! Verified: a life that found a published checkpoint, whole by the judge's own reading of the file and its snapshot,
//! recovered from the newest whole one; a life that found anything of an earlier one did not start afresh; and none stopped for good for damage to a checkpoint
//! or a snapshot where another one that was retained was whole. The choice is
//! taken from the driver's events, the expectation from the disk as the life could see it, damage included. Whole or not is an open
//! question for a checkpoint on which a fault struck a read of this very life: then an older one will do, too. Not verified: lives that
//! crashed before they chose.

use super::{Case, Findings, image};
use crate::{
    disk::Damage,
    fault::Hit,
    run::{Evidence, LifeEvidence},
};
use highwater_core::{event::Event, ids::CheckpointId};

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let mut violations = Vec::new();
    let (mut recoveries, mut fresh) = (0, 0);
    for life in &case.evidence.lives {
        for (_, event) in &life.events {
            match event {
                Event::StartedFresh { .. } => {
                    fresh += 1;
                    let data = ["/checkpoint/checkpoint/", "/checkpoint/journal/", "/checkpoint/state/"];
                    let published = |path: &&String| !path.ends_with(".tmp");
                    let mut found = life.image.keys().filter(published);
                    if let Some(path) = found.find(|path| data.iter().any(|data| path.starts_with(data))) {
                        violations.push(format!("life {} started afresh where {path} was", life.life));
                    }
                }
                Event::Recovered(recovery) => {
                    recoveries += 1;
                    let allowed = allowed(life, case.evidence);
                    let taken = recovery.checkpoint;
                    // Another driver may have published after the claim.
                    let came_later = case.evidence.had_company(life)
                        && allowed.first().is_none_or(|newest| *newest < taken);
                    if !allowed.contains(&taken) && !came_later {
                        let newest = allowed.first().map_or("none".to_owned(), |id| id.to_string());
                        let life = life.life;
                        violations.push(format!(
                            "life {life} took checkpoint {taken}, the newest whole one was {newest}"
                        ));
                    }
                }
                _ => {}
            }
        }
    }
    violations.extend(stopped_needlessly(case.evidence));
    Findings { seen: format!("first starts: {fresh}, recoveries: {recoveries}"), violations }
}

/// A last life that stopped for good for damage to a checkpoint or a snapshot, where there was an older one that leads to the same state.
fn stopped_needlessly(evidence: &Evidence) -> Option<String> {
    let (life, error) = (evidence.lives.last()?, evidence.detected()?);
    let of_a_copy =
        |path: &str| path.starts_with("/checkpoint/checkpoint/") || path.starts_with("/checkpoint/state/");
    // Damage that came while it read, or to what has no copy, may be what it met.
    let came_before =
        |damage: &Damage| evidence.has_fired(damage.fault, life.began_at) && of_a_copy(&damage.path);
    if !evidence.damages_before(life).all(came_before) {
        return None;
    }
    let retained = image::retained(&life.image);
    let mut found = image::checkpoints(&life.image).into_iter().rev();
    let (id, _) = found.find(|(id, whole)| whole.is_some() && retained.contains(id))?;
    Some(format!("life {} stopped for good, though checkpoint {id} was whole: {error}", life.life))
}

/// The checkpoints that a life may take: the newest whole one, and before it, newest first, those of which it may have read
/// something else.
fn allowed(life: &LifeEvidence, evidence: &Evidence) -> Vec<CheckpointId> {
    let struck: Vec<&str> = evidence
        .faults
        .iter()
        .filter_map(|outcome| outcome.firing.as_ref())
        .filter(|firing| firing.life == life.life)
        .filter_map(|firing| match &firing.hit {
            Hit::Disk { step, path, .. } if !step.operation.is_durable_step() => Some(path.as_str()),
            _ => None,
        })
        .chain(damaged_in(life, evidence))
        .collect();
    let mut allowed = Vec::new();
    for (id, whole) in image::checkpoints(&life.image).into_iter().rev() {
        let Some(checkpoint) = whole else { continue };
        allowed.push(id);
        let its = [
            Some(image::checkpoint_path(id)),
            checkpoint.snapshot.map(|one| image::snapshot_path(&one.name)),
        ];
        let is_its = |path: &&str| its.iter().flatten().any(|its| its == path);
        if !struck.iter().any(is_its) {
            break;
        }
    }
    allowed
}

/// The files that were damaged while a life was under way, maybe between the moment at which the disk was looked at and its reading.
fn damaged_in<'a>(life: &LifeEvidence, evidence: &'a Evidence) -> impl Iterator<Item = &'a str> {
    let life = life.life;
    evidence.damages.iter().filter_map(move |damage| {
        let firing = evidence.faults.get(damage.fault)?.firing.as_ref()?;
        (firing.life == life).then_some(damage.path.as_str())
    })
}
