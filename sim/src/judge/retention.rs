//! I8: whatever a retained checkpoint refers to exists, so that each of them can be restored, not only the newest; and there is
//! always an older one to fall back to, with another snapshot where there is state.
//!
//! Verified, on the disk as every life found it and as the last one left it: each published checkpoint is whole; the newest
//! segment names, and the directory holds, the segments in which stand the allocations of all batches after the checkpoint's
//! basis, without a gap up to the last one that it knew of, their blocks, and its blocks that were in no batch; and no life calls
//! retained what it could not restore. The
//! expectation comes from the checkpoint's own fields. Not verified: what a life would make of it; `damaged_directory` does.

use super::{Case, Findings, image};
use crate::{
    disk::Damage,
    fault::Place,
    run::{Evidence, Image, LifeEvidence},
};
use highwater_core::{
    checkpoint::Checkpoint,
    event::Event,
    ids::{BatchTime, BlockId, CheckpointId, SourceId},
    journal::{Allocation, BlockRange, Record, Segment, SegmentName},
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let evidence = case.evidence;
    // Checkpoints that a failed sync may have taken the name of.
    let lost_names = evidence.lost_names(Place::Checkpoint).count() as u64;
    let mut violations = Vec::new();
    let mut seen = 0;
    let of_life = |life: &'_ LifeEvidence| (format!("life {} found", life.life), life.found_at());
    let found = evidence.lives.iter().map(|life| (of_life(life), life.written()));
    let left = (("the last life left".to_owned(), evidence.ended_at), evidence.last_written());
    for ((who, at), image) in found.chain([left]) {
        let mut checkpoints = image::checkpoints(&image);
        // What the newest one does not call retained was removed; a power loss may have undone that.
        let retained = image::retained(&image);
        if let Some(newest) = retained.iter().max() {
            checkpoints.retain(|id, _| id > newest || retained.contains(id));
        }
        let segments = named_segments(&image);
        for (id, checkpoint) in &checkpoints {
            seen += 1;
            let missing = match checkpoint {
                None => Some("it or its snapshot is not whole".to_owned()),
                Some(checkpoint) => missing(checkpoint, &segments),
            };
            violations.extend(missing.map(|missing| format!("{who} checkpoint {id}, and {missing}")));
        }
        let Some((newest, Some(checkpoint))) = checkpoints.last_key_value() else { continue };
        let snapshots: BTreeSet<_> =
            checkpoints.values().flatten().map(|one| one.snapshot.as_ref().map(|s| &s.name)).collect();
        let of_reserve = |damage: &&Damage| is_in_reserve(&damage.path);
        if evidence.damages.iter().filter(of_reserve).any(|damage| evidence.has_fired(damage.fault, at)) {
            // What is kept in reserve against damage was needed.
        } else if newest.sequence.0 > lost_names && checkpoints.len() < 2 {
            violations.push(format!("{who} checkpoint {newest} and no older one"));
        } else if checkpoint.snapshot.is_some() && snapshots.len() < 2 {
            violations.push(format!("{who} {} checkpoints, all with the same snapshot", checkpoints.len()));
        }
    }
    violations.extend(rejected_and_retained(evidence));
    Findings { seen: format!("{seen} retained checkpoints, each to be restorable"), violations }
}

/// Checkpoints that a life could not restore, and that those it published itself call retained: nothing could be restored from them. What
/// it published in its start is the one that it took, once more.
fn rejected_and_retained(evidence: &Evidence) -> BTreeSet<String> {
    // Few lives reject anything: what there is is read again for these alone.
    let is_rejection = |(_, event): &(_, Event)| matches!(event, Event::CandidateRejected { .. });
    let rejecting: Vec<_> =
        evidence.lives.iter().filter(|life| life.events.iter().any(is_rejection)).collect();
    if rejecting.is_empty() {
        return BTreeSet::new();
    }
    let images = evidence.lives.iter().map(|life| life.written()).chain([evidence.last_written()]);
    let checkpoints: BTreeMap<CheckpointId, Checkpoint> = images
        .flat_map(|image| image::checkpoints(&image))
        .filter_map(|(id, whole)| Some((id, whole?)))
        .collect();
    let of_life = |life: &LifeEvidence| {
        let mut rejected = BTreeSet::new();
        let mut recovered = false;
        let mut violations = Vec::new();
        for (_, event) in &life.events {
            match event {
                Event::CandidateRejected { checkpoint, .. } => drop(rejected.insert(*checkpoint)),
                Event::Recovered(_) => recovered = true,
                Event::CheckpointPublished { checkpoint, .. } if recovered => {
                    let retained = checkpoints.get(checkpoint).into_iter().flat_map(|one| &one.retained);
                    violations.extend(retained.filter(|id| rejected.contains(id)).map(|id| {
                        format!("life {} could not restore checkpoint {id}, and calls it retained", life.life)
                    }));
                }
                _ => {}
            }
        }
        violations
    };
    rejecting.into_iter().flat_map(of_life).collect()
}

/// Whether a file is one of which there are two, in case one is damaged.
fn is_in_reserve(path: &str) -> bool {
    let folder = |folder: &str| path.starts_with(&format!("/checkpoint/{folder}/"));
    folder("checkpoint") || folder("state")
}

/// The segments that a recovery may read: the newest one of the newest generation, and those that it names which are there.
pub(super) fn named_segments(image: &Image) -> Vec<(SegmentName, Segment)> {
    let files = image.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
    let mut segments = image::segments(files);
    if let Some((newest, segment)) = segments.iter().max_by_key(|(name, _)| (name.generation, name.segment)) {
        let mut named: BTreeSet<_> = segment.header.predecessors.iter().map(|(name, _)| *name).collect();
        named.insert(*newest);
        segments.retain(|(name, _)| named.contains(name));
    }
    segments
}

/// What a recovery from a checkpoint would need and not find.
fn missing(checkpoint: &Checkpoint, segments: &[(SegmentName, Segment)]) -> Option<String> {
    let mut blocks: BTreeSet<(SourceId, BlockId)> = BTreeSet::new();
    let mut allocations: BTreeMap<BatchTime, &Allocation> = BTreeMap::new();
    let needed = segments.iter().filter(|(name, _)| name.segment >= checkpoint.journal_from);
    for (_, _, record) in needed.flat_map(|(_, segment)| &segment.records) {
        match record {
            Record::Block(block) => {
                blocks.insert((block.source, block.block));
            }
            Record::Allocation(allocation) => {
                allocations.insert(allocation.time, allocation);
            }
            Record::Completion(_) => {}
        }
    }
    let mut last = checkpoint.basis;
    let later = || allocations.range(BatchTime(checkpoint.basis.0 + 1)..).map(|(_, allocation)| *allocation);
    for allocation in later() {
        if allocation.previous != last {
            return Some(format!("the allocation of batch {} is nowhere", allocation.previous));
        }
        last = allocation.time;
    }
    if last < checkpoint.allocated {
        return Some(format!("the allocation of batch {} is nowhere", checkpoint.allocated));
    }
    let waiting = checkpoint.sources.iter().map(|source| BlockRange {
        source: source.source,
        from: source.unallocated,
        until: source.next,
    });
    let of_batches = later().flat_map(|allocation| allocation.blocks.iter().copied());
    of_batches
        .chain(waiting)
        .flat_map(|range| (range.from.0..range.until.0).map(move |block| (range.source, BlockId(block))))
        .find(|block| !blocks.contains(block))
        .map(|(source, block)| format!("block {block} of source {source} is nowhere"))
}
