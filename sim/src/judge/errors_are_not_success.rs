//! I13: EIO, ENOSPC, a failed sync or rename never count as done; acknowledgement stops while checkpoints or the journal fail.
//!
//! Verified, for every operation of which the driver was told that it failed: that very life does not go on as if it were done. Of
//! blocks and allocations in the journal behind what was durable before a failed append or sync, it tells neither its listeners nor
//! the source that they are (a second sync that succeeds proves nothing); nor, after one at the durable marks, of those behind the
//! last mark; after a failure at an output it tells of no completed batch, after one at a checkpoint of no checkpoint, after one at
//! a snapshot of no snapshot and of no second checkpoint, after one of a claim of no generation. What was on the way before the
//! failure is told after it rightly, which is why the journal is judged by its records, and why one checkpoint may follow on a
//! snapshot's failure: the two are written side by side. A later life that finds what was written may use it: that an operation
//! failed does not mean that it did not happen.
//!
//! The expectation comes from the disk, which keeps what it failed and what was durable then. Not verified: a removal, a read or a
//! lock that failed, on which nothing durable rests; directories of the journal.

use super::{Case, Findings, image};
use crate::{
    disk::{Done, FailedOperation},
    fault::{DiskOperation, Place},
    run::{Evidence, LifeEvidence},
};
use highwater_core::{
    event::Event,
    ids::{BlockId, SourceId},
    journal::{Block, Record, decode_marks},
};

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let evidence = case.evidence;
    let mut violations = Vec::new();
    let mut seen = Vec::new();
    for failure in &evidence.failures {
        let Some(life) = evidence.lives.iter().find(|life| life.life == failure.life) else { continue };
        let operation = failure.step.operation;
        if !operation.is_durable_step() || operation == DiskOperation::Remove {
            continue;
        }
        seen.push(failure.done);
        let claim = match failure.step.place {
            Place::Journal => {
                failure.durable.and_then(|durable| claim_of_journal(evidence, life, &failure.path, durable))
            }
            Place::Marks => marked_before(evidence, failure)
                .and_then(|(segment, durable)| claim_of_journal(evidence, life, &segment, durable)),
            Place::Output => said_after(life, failure, |event| match event {
                Event::BatchCompleted { time, .. } => Some(format!("batch {time} was complete")),
                _ => None,
            }),
            Place::Checkpoint => said_after(life, failure, published),
            Place::State => {
                let written = said_after(life, failure, |event| match event {
                    Event::SnapshotWritten { time, .. } => {
                        Some(format!("the snapshot of {time} was written"))
                    }
                    _ => None,
                });
                // One may have been on the way: it does not name a snapshot that was not said to be written.
                written.or_else(|| all_said_after(life, failure, published).nth(1))
            }
            Place::Generation => said_after(life, failure, |event| match event {
                Event::GenerationClaimed { generation } => {
                    Some(format!("generation {generation} was its own"))
                }
                _ => None,
            }),
            Place::Root | Place::Elsewhere => None,
        };
        violations.extend(claim.map(|claim| {
            let FailedOperation { life, path, .. } = failure;
            format!("life {life} was told that it could not {operation} {path}, and said that {claim}")
        }));
    }
    Findings { seen: format!("{}, and what was said after them", counted(&seen)), violations }
}

/// How many operations failed, and what was done of them all the same.
fn counted(seen: &[Done]) -> String {
    let count = |done| seen.iter().filter(|one| **one == done).count();
    match seen.len() {
        0 => "0 operations that failed".to_owned(),
        all => format!(
            "{all} operations that failed, their outcome unknown to the driver: {} not done, {} in part, {} done",
            count(Done::Nothing),
            count(Done::Part),
            count(Done::Whole)
        ),
    }
}

fn published(event: &Event) -> Option<String> {
    match event {
        Event::CheckpointPublished { checkpoint, .. } => {
            Some(format!("checkpoint {checkpoint} was published"))
        }
        _ => None,
    }
}

/// The first thing of a kind that a life said after a failure.
fn said_after(
    life: &LifeEvidence,
    failure: &FailedOperation,
    claim: impl Fn(&Event) -> Option<String>,
) -> Option<String> {
    all_said_after(life, failure, claim).next()
}

/// All things of a kind that a life said after a failure.
fn all_said_after(
    life: &LifeEvidence,
    failure: &FailedOperation,
    claim: impl Fn(&Event) -> Option<String>,
) -> impl Iterator<Item = String> {
    let after = life.events.iter().filter(move |(at, _)| *at > failure.at);
    after.filter_map(move |(_, event)| claim(event))
}

/// The segment beside marks of which one failed, and how much of it the marks call durable that were durable before.
fn marked_before(evidence: &Evidence, failure: &FailedOperation) -> Option<(String, u64)> {
    let segment = failure.path.strip_suffix(".durable").map(|stem| format!("{stem}.wal"))?;
    let bytes = image::file(evidence, &failure.path)?;
    let durable = bytes.get(..usize::try_from(failure.durable?).ok()?)?;
    let marks = decode_marks(image::segment_name(&segment)?, durable).ok()?;
    Some((segment, marks.length))
}

/// What a life said of records of a segment that were not durable before a failure.
fn claim_of_journal(evidence: &Evidence, life: &LifeEvidence, segment: &str, durable: u64) -> Option<String> {
    let records = image::records(evidence, segment);
    records.into_iter().filter(|(offset, _)| *offset >= durable).find_map(|(_, record)| match record {
        Record::Block(block) => claim_of_block(evidence, life, &block),
        Record::Allocation(allocation) => life.events.iter().find_map(|(_, event)| match event {
            Event::BatchAllocated { time, .. } if *time == allocation.time => {
                Some(format!("batch {time} was allocated"))
            }
            _ => None,
        }),
        Record::Completion(_) => None,
    })
}

fn claim_of_block(evidence: &Evidence, life: &LifeEvidence, lost: &Block) -> Option<String> {
    let is_it = |event: &Event| matches!(event, Event::BlockStored { source, block, .. } if (*source, *block) == (lost.source, lost.block));
    if life.events.iter().any(|(_, event)| is_it(event)) {
        return Some(format!("block {} was stored", lost.block));
    }
    // What other sources have is acknowledged to nobody.
    if lost.source != SourceId(0) {
        return None;
    }
    let acknowledged = evidence
        .source
        .connections
        .iter()
        .filter(|connection| connection.record.as_ref().is_some_and(|record| record.life == life.life))
        .map(|connection| connection.acknowledged)
        .max()?;
    let before = lines_before(evidence, lost.block);
    (acknowledged > before).then(|| format!("{acknowledged} lines were durable, which were {before}"))
}

/// How many lines stand in the blocks of the first source before one.
fn lines_before(evidence: &Evidence, block: BlockId) -> u64 {
    let last = evidence.last_written();
    let records = image::all_segments(evidence, &last).into_iter().flat_map(|(_, segment)| segment.records);
    let blocks = records.filter_map(|(_, _, record)| match record {
        Record::Block(one) if one.source == SourceId(0) && one.block < block => {
            Some((one.block, one.records))
        }
        _ => None,
    });
    blocks.collect::<std::collections::BTreeMap<_, _>>().into_values().sum()
}
