//! I10: an older driver changes nothing and emits nothing once a newer one has started. Which one is newer is told by the
//! generations that they claimed.
//!
//! Verified: no two lives claim one generation, and generations grow with the lives that do not overlap. No emission of a
//! life comes after a newer life's claim, except one for each life, that was under way between its check and its effect
//! (where a batch has a directory of its own, the files of one such directory are one emission); and that one stands, in the end,
//! where the newer ones write the same. Files of the checkpoint directory, once a newer
//! life has found them, never change (they may be removed, and a power loss, or their failed sync, may take unsynced bytes of the journal
//! back: then they may be shorter, never longer); only while an older life is still there, its files that no checkpoint is made of may grow, by
//! what nobody reads. After a claim an older life publishes at most the one checkpoint that was under way, and
//! never the newest; and that one was written before the claim, since the check stands between the writing and the name; and it removes no file of a newer one. Whoever says that it has stopped holds the directory no more, and its
//! claim, if it was the last, tells of what release it was. After a claim an older life makes at most
//! the one connection that was under way. Not verified: what else is done outside the checkpoint directory and the recorded outputs.

use super::{Case, Findings, image};
use crate::{
    disk::Published,
    fault::{DiskOperation, Hit, Place, Step},
    run::{Evidence, LifeEnd, LifeEvidence},
    world::{Life, VirtualTime},
};
use highwater_core::{
    codec::{Kind, read_frame},
    ids::{CheckpointId, Generation},
};
use std::collections::{BTreeMap, BTreeSet};

const LISTED: Step = Step { operation: DiskOperation::List, place: Place::Generation };

/// A life's claim.
#[derive(Clone, Copy)]
struct Claim {
    at: VirtualTime,
    life: Life,
    generation: Generation,
}

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let evidence = case.evidence;
    let mut violations = Vec::new();
    let mut claims: Vec<Claim> = evidence.lives.iter().filter_map(claim).collect();
    claims.sort_by_key(|claim| claim.generation);
    for pair in claims.windows(2) {
        let began_after = |older: Claim, newer: Claim| {
            let [older, newer] = [older, newer].map(|claim| of(evidence, claim.life));
            older.ended_at <= newer.began_at || older.overlaps(newer)
        };
        if pair[1].generation == pair[0].generation || !began_after(pair[0], pair[1]) {
            violations.push(format!(
                "life {} claimed generation {}, life {} had {}",
                pair[1].life, pair[1].generation, pair[0].life, pair[0].generation
            ));
        }
    }
    violations.extend(late_emissions(evidence, &claims));
    violations.extend(late_connections(evidence, &claims));
    violations.extend(changed_files(evidence));
    violations.extend(late_checkpoints(evidence, &claims));
    violations.extend(written_late(evidence, &claims));
    violations.extend(removed_files(evidence, &claims));
    violations.extend(claim_that_tells_nobody(evidence, &claims));
    violations.extend(evidence.lives.iter().filter(|life| life.held_at_its_end).map(|life| {
        format!("life {} said that it had stopped, and still held the directory's lock", life.life)
    }));
    let beside = evidence.lives.iter().filter(|life| evidence.had_company(life)).count();
    Findings { seen: format!("generations: {}, lives beside another: {beside}", claims.len()), violations }
}

fn claim(life: &LifeEvidence) -> Option<Claim> {
    life.claim().map(|(at, generation)| Claim { at, life: life.life, generation })
}

fn of(evidence: &Evidence, life: Life) -> &LifeEvidence {
    evidence.lives.iter().find(|one| one.life == life).expect("it has claimed")
}

fn generation_of(claims: &[Claim], life: Life) -> Generation {
    claims.iter().find(|claim| claim.life == life).map_or(Generation(0), |claim| claim.generation)
}

/// The claim that replaced a generation before a moment.
fn newer_before(claims: &[Claim], own: Generation, at: VirtualTime) -> Option<&Claim> {
    claims.iter().find(|claim| claim.generation > own && claim.at < at)
}

fn late_emissions(evidence: &Evidence, claims: &[Claim]) -> Vec<String> {
    let mut violations = Vec::new();
    let mut under_way: BTreeMap<Life, Option<&str>> = BTreeMap::new();
    for emission in &evidence.emissions {
        let own = generation_of(claims, emission.life);
        let Some(newer) = newer_before(claims, own, emission.at) else { continue };
        let directory = emission.batch_directory();
        let is_one_more = match under_way.insert(emission.life, directory) {
            Some(before) => directory.is_none() || before != directory,
            None => false,
        };
        if is_one_more || !evidence.stands(emission) {
            violations.push(format!(
                "life {} emitted at {}, life {} had started at {}",
                emission.life, emission.at, newer.life, newer.at
            ));
        }
    }
    violations
}

/// Connections that a life made after a newer one's claim, but for the one to each address that was under way: a source that cannot resume
/// loses what it sends there.
fn late_connections(evidence: &Evidence, claims: &[Claim]) -> Vec<String> {
    let mut under_way = BTreeSet::new();
    let mut violations = Vec::new();
    for connection in &evidence.connections {
        let own = generation_of(claims, connection.life);
        let newer = newer_before(claims, own, connection.opened_at).filter(|_| own > Generation(0));
        let Some(newer) = newer else { continue };
        let is_first = under_way.insert((connection.life, &connection.address));
        if !is_first && !saw_stale_claims(evidence, connection.life) {
            violations.push(format!(
                "life {} connected at {}, life {} had started at {}",
                connection.life, connection.opened_at, newer.life, newer.at
            ));
        }
    }
    violations
}

/// Whether a listing of the claims that a fault made stale showed none to a life.
fn saw_stale_claims(evidence: &Evidence, life: Life) -> bool {
    let firings = evidence.faults.iter().filter_map(|outcome| outcome.firing.as_ref());
    let mut own = firings.filter(|firing| firing.life == life);
    own.any(|firing| matches!(&firing.hit, Hit::Disk { step, .. } if *step == LISTED))
}

fn changed_files(evidence: &Evidence) -> Vec<String> {
    let mut violations = Vec::new();
    let mut found: Vec<_> = evidence
        .lives
        .iter()
        .map(|life| (claim(life).map_or(life.began_at, |claim| claim.at), life.life, life.written()))
        .collect();
    found.sort_by_key(|(at, life, _)| (*at, *life));
    let mut found = found.into_iter().peekable();
    while let Some((at, life, image)) = found.next() {
        let (until, after) = match found.peek() {
            Some((at, _, after)) => (*at, after.clone()),
            None => (evidence.ended_at, evidence.last_written()),
        };
        let lost_power = evidence.lives.iter().any(|life| {
            matches!(life.end, LifeEnd::Crashed { power_loss: true, .. })
                && (at..=until).contains(&life.ended_at)
        });
        let older_lived = evidence
            .lives
            .iter()
            .any(|older| older.life != life && older.began_at < at && older.ended_at > at);
        let lost_names =
            evidence.lost_names(Place::Generation).any(|failure| (at..=until).contains(&failure.at));
        let whole = image::checkpoints(&image).into_values().flatten();
        let named: BTreeSet<String> =
            whole.filter_map(|one| one.snapshot).map(|one| image::snapshot_path(&one.name)).collect();
        for (path, before) in image.iter().filter(|(path, _)| path.starts_with("/checkpoint/")) {
            let Some(after) = after.get(path) else { continue };
            // A number whose claim's name was lost may be claimed by another, and one that was trimmed by an older life that stood still
            // before it.
            let claimed_anew =
                (lost_power || lost_names || older_lived) && path.starts_with("/checkpoint/generation/");
            // What is published was durable before.
            let was_durable = is_published(path) || named.contains(path);
            let lost_bytes =
                lost_power || evidence.lost_bytes(path).any(|lost_at| (at..=until).contains(&lost_at));
            let taken_back = claimed_anew || lost_bytes && !was_durable && after.len() <= before.len();
            // What an older driver appended to files of its own, of which a power loss may have torn what was not synced.
            let grew = older_lived && !is_published(path) && (lost_power || after.starts_with(before));
            if after != before && !taken_back && !grew {
                violations.push(format!("{path} changed after life {life} had found it"));
            }
        }
    }
    violations
}

fn is_published(path: &str) -> bool {
    path.starts_with("/checkpoint/checkpoint/") && !path.ends_with(".tmp")
}

/// Checkpoints that a life published after a newer one's claim.
fn late_checkpoints(evidence: &Evidence, claims: &[Claim]) -> Vec<String> {
    let mut violations = Vec::new();
    let mut late: BTreeMap<Generation, BTreeSet<_>> = BTreeMap::new();
    for newer in claims {
        let before = image::checkpoints(&of(evidence, newer.life).written());
        // What was removed before that comes back where the removal was not durable.
        let buried = evidence.graveyard.iter().filter(|buried| buried.at < newer.at);
        let buried: BTreeSet<&str> = buried.map(|buried| buried.path.as_str()).collect();
        let is_later = |later: &&Claim| later.generation > newer.generation && later.at > newer.at;
        let later = claims.iter().filter(is_later);
        let images = later.map(|later| of(evidence, later.life).written());
        for image in images.chain([evidence.last_written()]) {
            let checkpoints = image::checkpoints(&image);
            let of_older = |generation: Generation| generation < newer.generation;
            let newest = checkpoints.keys().rev().find(|id| !of_older(id.generation));
            let is_known = |id: &CheckpointId| {
                before.contains_key(id) || buried.contains(image::checkpoint_path(*id).as_str())
            };
            for id in checkpoints.keys().filter(|id| of_older(id.generation) && !is_known(id)) {
                late.entry(id.generation).or_default().insert(*id);
                if newest.is_some_and(|newest| newest < id) {
                    violations.push(format!(
                        "checkpoint {id} came after life {} had started, and hides its own",
                        newer.life
                    ));
                }
            }
        }
    }
    let many = late.iter().filter(|(_, late)| late.len() > 1);
    violations.extend(many.map(|(generation, late)| {
        format!("generation {generation} published {} checkpoints after a newer one had started", late.len())
    }));
    violations
}

/// Checkpoints that a life wrote after a newer one's claim, and published.
fn written_late(evidence: &Evidence, claims: &[Claim]) -> Vec<String> {
    let checkpoints = evidence.published.iter().filter(|published| is_published(&published.path));
    let late = checkpoints.filter_map(|published| {
        let own = generation_of(claims, published.life);
        let newer = newer_before(claims, own, published.written_at)?;
        (own > Generation(0) && !saw_stale_claims(evidence, published.life)).then_some((published, newer))
    });
    late.map(|(published, newer)| {
        let Published { life, path, written_at, .. } = published;
        format!(
            "life {life} wrote {path} at {written_at} and published it, life {} had started at {}",
            newer.life, newer.at
        )
    })
    .collect()
}

fn removed_files(evidence: &Evidence, claims: &[Claim]) -> Vec<String> {
    let removed = evidence.graveyard.iter().filter(|buried| {
        let of_file = generation_of_file(&buried.path);
        of_file.is_some_and(|of_file| of_file > generation_of(claims, buried.life))
    });
    removed
        .map(|buried| format!("life {} removed {}, which is a newer life's", buried.life, buried.path))
        .collect()
}

/// The claim of the last life, if that stopped in order, and its file does not tell who made it.
fn claim_that_tells_nobody(evidence: &Evidence, claims: &[Claim]) -> Option<String> {
    let last = evidence.lives.last().filter(|life| life.end == LifeEnd::Stopped)?;
    let claim = claims.iter().find(|claim| claim.life == last.life)?;
    let path = image::claim_path(claim.generation);
    let image = evidence.last_written();
    let tells = image
        .get(&path)
        .and_then(|bytes| read_frame(bytes).ok())
        .is_some_and(|(frame, _)| frame.kind == Kind::Claim && frame.generation == claim.generation);
    (!tells).then(|| {
        format!("{path} does not tell who has claimed it, though life {} stopped in order", last.life)
    })
}

/// The generation in a file's name: the last number of it.
fn generation_of_file(path: &str) -> Option<Generation> {
    let name = path.strip_prefix("/checkpoint/")?.rsplit('/').next()?;
    let stem = name.split('.').next()?;
    Some(Generation(stem.rsplit('-').next()?.parse().ok()?))
}
