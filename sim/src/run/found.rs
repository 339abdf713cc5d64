//! What a life finds when it begins, as one number: two runs with the same number go on alike, but for their times and draws.
//!
//! The number covers
//! - the disk, with what of it is durable and what is not;
//! - the source: what it has sent, what was acknowledged, and every connection with the bytes that were written and delivered;
//! - what the judges will read of the past: each earlier life's disk, events and end, every change of the outputs, the files that
//!   were removed;
//! - which batch interval it is, since that decides which batches are missed.
//!
//! It ignores where in that interval it is, when each thing happened, and how far the streams of random numbers (latencies, the
//! order of ready tasks, the engine's own draws) have been read. Two runs that differ in these alone can fall differently in
//! what follows, so whoever takes them for one gives up those differences, which a sweep of seeds draws anyway.

use super::{LifeEnd, LifeEvidence};
use crate::{clock::WALL_TIME_AT_START, disk::AtRisk, source::Ledger, world::World};
use std::hash::{Hash, Hasher};
use xxhash_rust::xxh3::Xxh3;

/// What a life finds.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The number.
    pub key: u64,
    /// What was at risk at each power loss before that chose what survives.
    pub at_risk: Vec<AtRisk>,
}

pub(super) fn key<'a>(
    world: &World,
    ledger: &Ledger,
    lives: impl Iterator<Item = &'a LifeEvidence>,
    interval_ms: u64,
) -> u64 {
    let mut hash = Xxh3::new();
    world.disk_fingerprint().hash(&mut hash);
    let source = ledger.report();
    (source.sent, source.acknowledged, format!("{:?}", source.violations)).hash(&mut hash);
    for connection in &source.connections {
        let lines: Vec<usize> = connection.lines.iter().map(|sent| sent.line).collect();
        (connection.resumed_from, lines).hash(&mut hash);
    }
    for record in world.connections() {
        (record.number, record.written, record.delivered, format!("{:?}", record.seen_end)).hash(&mut hash);
    }
    for LifeEvidence { image, events, end, .. } in lives {
        image.hash(&mut hash);
        for (_, event) in events {
            format!("{event:?}").hash(&mut hash);
        }
        match end {
            LifeEnd::Crashed { power_loss, .. } => power_loss.hash(&mut hash),
            other => format!("{other:?}").hash(&mut hash),
        }
    }
    for change in world.output_changes() {
        (change.path, change.life, format!("{:?}", change.change)).hash(&mut hash);
    }
    for buried in world.graveyard() {
        (buried.path, buried.content, buried.durable, buried.life).hash(&mut hash);
    }
    let wall_ms = WALL_TIME_AT_START.0 + world.now().millis();
    (wall_ms / interval_ms.max(1)).hash(&mut hash);
    hash.finish()
}
