//! A part of I1: what an orderly stop owes.
//!
//! Verified: where a life was asked to stop and did, and no other life was there at the time, the disk that it left has no
//! block that is in no batch and no batch that is not complete; and the lines that a `tcp` driver had read in full before
//! it was asked are in the output. The expectation comes from the bytes that the network delivered and the judge's own
//! reading of the journal. Not verified: how long it took; that is I11's.

use super::{Case, image, retention};
use crate::{
    run::{Image, LifeEnd, LifeEvidence, StopAsked},
    source::Mode,
};
use highwater_core::{
    ids::{BatchTime, BlockId, SourceId},
    journal::Record,
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn violations(case: &Case<'_>) -> Vec<String> {
    let evidence = case.evidence;
    let mut violations = Vec::new();
    let processed: BTreeSet<String> = evidence.batches().into_iter().flat_map(|batch| batch.lines).collect();
    for life in &evidence.lives {
        let (Some(stop), LifeEnd::Stopped) = (&life.stop, &life.end) else { continue };
        if evidence.had_company(life) {
            continue;
        }
        // Not always the one that started next: that one may have stood still before it looked.
        let next =
            evidence.lives.iter().filter(|next| next.life > life.life).min_by_key(|next| next.found_at());
        let left = next.map_or_else(|| evidence.last_written(), |next| next.written());
        violations.extend(
            left_in_journal(&left).map(|what| format!("life {} stopped in order and left {what}", life.life)),
        );
        if evidence.source.mode == Mode::Tcp {
            let lost = read_before(case, life, stop).into_iter().find(|line| !processed.contains(line));
            violations.extend(lost.map(|line| {
                format!(
                    "life {} had read a line before it was asked to stop, and lost it: {line:?}",
                    life.life
                )
            }));
        }
    }
    violations
}

/// What a directory that was left in order should not hold.
fn left_in_journal(image: &Image) -> Option<String> {
    let newest = image::checkpoints(image).into_values().flatten().last()?;
    let records: Vec<_> =
        retention::named_segments(image).into_iter().flat_map(|(_, segment)| segment.records).collect();
    let mut allocated = newest.allocated;
    let mut unallocated: BTreeMap<SourceId, BlockId> =
        newest.sources.iter().map(|source| (source.source, source.unallocated)).collect();
    for (_, _, record) in &records {
        let Record::Allocation(allocation) = record else { continue };
        allocated = allocated.max(allocation.time);
        for range in &allocation.blocks {
            let from = unallocated.entry(range.source).or_insert(range.until);
            *from = range.until.max(*from);
        }
    }
    let completed = image::completed(image).unwrap_or(BatchTime(0));
    if allocated > completed {
        return Some(format!("batch {allocated} incomplete"));
    }
    records.iter().find_map(|(_, _, record)| match record {
        Record::Block(block) if unallocated.get(&block.source).is_none_or(|from| block.block >= *from) => {
            Some(format!("block {} of source {} in no batch", block.block, block.source))
        }
        _ => None,
    })
}

/// The lines that a life had read in full when it was asked.
fn read_before(case: &Case<'_>, life: &LifeEvidence, stop: &StopAsked) -> Vec<String> {
    let mut lines = Vec::new();
    for connection in case.evidence.connections.iter().filter(|it| it.life == life.life) {
        let read = stop.delivered.get(&connection.number).copied().unwrap_or(0) as usize;
        let read = &connection.written[..read.min(connection.written.len())];
        let mut of_connection: Vec<_> = read.split(|byte| *byte == b'\n').collect();
        // Behind the last line feed there is no whole line.
        of_connection.pop();
        lines.extend(of_connection.into_iter().map(|line| case.received(line)));
    }
    lines
}
