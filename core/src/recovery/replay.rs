//! What the journal says after a checkpoint.

use super::Chunks;
use crate::{
    batch::{BatchBlocks, SourceBacklog, StoredBlock},
    checkpoint::{Checkpoint, Retained},
    codec,
    error::{Error, Result},
    event::Recovery,
    ids::{BatchTime, BlockId, CheckpointId, CheckpointSequence, Generation, SourceId},
    journal::{Allocation, FoundJournal, Inherited, Location, Moved, Record, SinkProgress},
    source::Position,
};
use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
};
use xxhash_rust::xxh3::xxh3_64;

/// A driver's state, recovered.
pub(crate) struct Recovered {
    pub checkpoint: Checkpoint,
    pub chunks: Chunks,
    pub completed: BatchTime,
    pub allocated: BatchTime,
    pub sinks: Vec<SinkProgress>,
    /// Completed batches after the snapshot, oldest first: their effect on the state is computed again.
    pub state_replays: Vec<BatchBlocks>,
    /// Incomplete batches, oldest first.
    pub pending: Vec<BatchBlocks>,
    /// The allocations of both.
    pub allocations: Vec<(Allocation, Location)>,
    pub sources: Vec<RecoveredSource>,
    pub published: Vec<Retained>,
    pub next_sequence: CheckpointSequence,
    pub journal: Inherited,
    pub report: Recovery,
}

/// A source's part of it.
#[derive(Default)]
pub(crate) struct RecoveredSource {
    pub unallocated: VecDeque<StoredBlock>,
    pub next: BlockId,
    pub position: Option<Position>,
}

impl Recovered {
    /// Takes note of where the records stand that were carried into a segment of this life.
    pub fn move_to(&mut self, moved: &Moved) {
        let of_sources = self.sources.iter_mut().flat_map(|source| &mut source.unallocated);
        let batches = self.state_replays.iter_mut().chain(&mut self.pending);
        for block in of_sources.chain(batches.flat_map(|batch| &mut batch.blocks)) {
            block.location = moved.now(block.location);
        }
        for (_, location) in &mut self.allocations {
            *location = moved.now(*location);
        }
    }
}

impl From<RecoveredSource> for SourceBacklog {
    fn from(source: RecoveredSource) -> Self {
        let RecoveredSource { unallocated, next, position } = source;
        Self { unallocated, next, position, one_block_a_batch: false }
    }
}

struct Replay {
    path: PathBuf,
    blocks: BTreeMap<(SourceId, BlockId), StoredBlock>,
    allocations: BTreeMap<BatchTime, (Allocation, Location)>,
    completed: BatchTime,
    sinks: Vec<SinkProgress>,
    /// By source: the next block, the first block in no batch, the position.
    sources: BTreeMap<SourceId, (BlockId, BlockId, Option<Position>)>,
    records: u64,
}

/// Applies the journal to a checkpoint. `place` is where the journal is, and the generation that goes on from there.
///
/// # Errors
/// [`Error::Damaged`] if the journal contradicts itself, or lacks what a batch needs.
pub(crate) fn replay(
    (journal, generation): (PathBuf, Generation),
    id: CheckpointId,
    newest: CheckpointId,
    checkpoint: Checkpoint,
    chunks: Chunks,
    found: FoundJournal,
    published: Vec<Retained>,
) -> Result<Recovered> {
    let mut replay = Replay::new(journal, &checkpoint);
    for (name, segment) in &found.segments {
        for (offset, length, record) in &segment.records {
            replay.apply(Location { segment: *name, offset: *offset, length: *length }, record)?;
        }
    }
    let basis = if has_state(&checkpoint) { checkpoint.basis } else { replay.completed };
    replay.check_chain(basis, checkpoint.allocated)?;
    let (mut state_replays, mut pending, mut allocations) = (Vec::new(), Vec::new(), Vec::new());
    for (time, (allocation, location)) in replay.allocations.range(BatchTime(basis.0 + 1)..) {
        let blocks = replay.blocks_of(allocation)?;
        let repetition = *time > replay.completed;
        let batches = if repetition { &mut pending } else { &mut state_replays };
        batches.push(BatchBlocks { time: *time, blocks, repetition });
        allocations.push((allocation.clone(), *location));
    }
    let allocated =
        replay.allocations.keys().next_back().map_or(checkpoint.allocated, |t| checkpoint.allocated.max(*t));
    let sources = replay.unallocated(checkpoint.sources.len())?;
    let unallocated_records =
        sources.iter().flat_map(|source| &source.unallocated).map(|block| block.records).sum();
    let mut report = Recovery {
        generation,
        checkpoint: id,
        snapshot: checkpoint.snapshot.as_ref().map(|snapshot| snapshot.time),
        journal_records: replay.records,
        torn_bytes: found.torn_bytes,
        completed: replay.completed,
        state_replays: state_replays.len() as u64,
        pending: pending.iter().map(|batch| batch.time).collect(),
        unallocated_records,
        digest: 0,
    };
    report.digest = digest(&checkpoint, &replay, allocated, &sources);
    Ok(Recovered {
        chunks,
        completed: replay.completed,
        allocated,
        sinks: replay.sinks,
        state_replays,
        pending,
        allocations,
        sources,
        published,
        next_sequence: newest.sequence.next(),
        journal: found.inherited,
        report,
        checkpoint,
    })
}

/// Whether the graph keeps state: its schemas say so.
fn has_state(checkpoint: &Checkpoint) -> bool {
    checkpoint.operators.iter().any(|operator| !operator.schema.is_empty())
}

impl Replay {
    fn new(path: PathBuf, checkpoint: &Checkpoint) -> Self {
        let source = |progress: &crate::checkpoint::SourceProgress| {
            (progress.source, (progress.next, progress.unallocated, progress.position.clone()))
        };
        // The allocations of pending batches stand in the journal too, from `journal_from` on.
        Self {
            path,
            blocks: BTreeMap::new(),
            allocations: BTreeMap::new(),
            completed: checkpoint.completed,
            sinks: checkpoint.sinks.clone(),
            sources: checkpoint.sources.iter().map(source).collect(),
            records: 0,
        }
    }

    fn apply(&mut self, location: Location, record: &Record) -> Result<()> {
        self.records += 1;
        match record {
            Record::Block(block) => {
                let stored = StoredBlock {
                    source: block.source,
                    block: block.block,
                    records: block.records,
                    location,
                    data: None,
                    _room: None,
                };
                if self.blocks.insert((block.source, block.block), stored).is_some() {
                    return Err(self.inconsistent(location, format!("block {} stands twice", block.block)));
                }
                let source = self.sources.entry(block.source).or_default();
                if block.block >= source.0 {
                    source.0 = block.block.next();
                    source.2 = block.position.clone().or(source.2.take());
                }
            }
            Record::Allocation(allocation) => {
                for range in &allocation.blocks {
                    let source = self.sources.entry(range.source).or_default();
                    source.1 = source.1.max(range.until);
                }
                let stored = (allocation.clone(), location);
                if self.allocations.insert(allocation.time, stored).is_some() {
                    let time = allocation.time;
                    return Err(
                        self.inconsistent(location, format!("the allocation of batch {time} stands twice"))
                    );
                }
            }
            Record::Completion(completion) if completion.time > self.completed => {
                self.completed = completion.time;
                self.sinks.clone_from(&completion.sinks);
            }
            Record::Completion(_) => {}
        }
        Ok(())
    }

    /// Makes sure that no batch after the basis is missing: each names the one before it, and the checkpoint the last one that
    /// it knew of.
    fn check_chain(&self, basis: BatchTime, allocated: BatchTime) -> Result<()> {
        let lost = |batch: BatchTime| Error::Damaged {
            path: self.path.clone(),
            offset: 0,
            reason: format!("the allocation of batch {batch} is in none of its segments"),
        };
        let mut last = basis;
        for (time, (allocation, _)) in self.allocations.range(BatchTime(basis.0 + 1)..) {
            // Times between may have been passed over; the chain knows.
            if allocation.previous != last {
                return Err(lost(allocation.previous));
            }
            last = *time;
        }
        match last < allocated.max(self.completed) {
            true => Err(lost(allocated.max(self.completed))),
            false => Ok(()),
        }
    }

    fn blocks_of(&self, allocation: &Allocation) -> Result<Vec<StoredBlock>> {
        let mut blocks = Vec::new();
        for range in &allocation.blocks {
            for number in range.from.0..range.until.0 {
                let block = self.blocks.get(&(range.source, BlockId(number)));
                blocks.push(block.cloned().ok_or_else(|| self.missing(range.source, number))?);
            }
        }
        Ok(blocks)
    }

    fn unallocated(&self, count: usize) -> Result<Vec<RecoveredSource>> {
        let mut sources: Vec<_> = (0..count).map(|_| RecoveredSource::default()).collect();
        for (id, (next, unallocated, position)) in &self.sources {
            let source = sources.get_mut(id.0 as usize).ok_or_else(|| self.missing(*id, 0))?;
            for number in unallocated.0..next.0 {
                let block = self.blocks.get(&(*id, BlockId(number)));
                source.unallocated.push_back(block.cloned().ok_or_else(|| self.missing(*id, number))?);
            }
            source.next = *next;
            source.position = position.clone();
        }
        Ok(sources)
    }

    fn missing(&self, source: SourceId, block: u64) -> Error {
        let reason = format!("block {block} of source {source} is in none of its segments");
        Error::Damaged { path: self.path.clone(), offset: 0, reason }
    }

    fn inconsistent(&self, location: Location, reason: String) -> Error {
        let path = self.path.join(format!("{}.wal", location.segment));
        Error::Damaged { path, offset: location.offset, reason }
    }
}

/// A digest of everything that decides what happens next: not of which checkpoint led there.
fn digest(
    checkpoint: &Checkpoint,
    replay: &Replay,
    allocated: BatchTime,
    sources: &[RecoveredSource],
) -> u64 {
    let pending: Vec<_> = replay
        .allocations
        .range(BatchTime(replay.completed.0 + 1)..)
        .map(|(_, (allocation, _))| allocation)
        .collect();
    let sources: Vec<_> = sources
        .iter()
        .map(|source| {
            (
                source.next,
                source.unallocated.iter().map(|block| block.block).collect::<Vec<_>>(),
                &source.position,
            )
        })
        .collect();
    let configuration = (checkpoint.interval, checkpoint.zero_time, checkpoint.hash_seed);
    xxh3_64(&codec::encode(&(configuration, replay.completed, allocated, pending, sources, &replay.sinks)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::{Interval, OperatorId, SegmentId},
        journal::{BlockRange, SegmentName},
        sink::SinkPosition,
    };
    use std::collections::BTreeSet;

    const WHERE: Location = Location {
        segment: SegmentName { segment: SegmentId(0), generation: Generation(1) },
        offset: 0,
        length: 0,
    };

    /// A replay that has seen the allocations of these batches, each with the one before it.
    fn of(batches: &[(u64, u64)]) -> Replay {
        let allocation = |(previous, time): &(u64, u64)| {
            let (previous, time) = (BatchTime(*previous), BatchTime(*time));
            (time, (Allocation { time, previous, blocks: Vec::new() }, WHERE))
        };
        Replay {
            path: "journal".into(),
            blocks: BTreeMap::new(),
            allocations: batches.iter().map(allocation).collect(),
            completed: BatchTime(0),
            sinks: Vec::new(),
            sources: BTreeMap::new(),
            records: 0,
        }
    }

    #[test]
    fn a_batch_that_is_missing_is_told_by_the_next_one_by_the_checkpoint_and_by_its_completion() {
        let lost = |replay: &Replay, allocated| {
            let third = format!("the allocation of batch {} is in none", BatchTime(3_000));
            let checked = replay.check_chain(BatchTime(1_000), BatchTime(allocated));
            checked.err().map(|error| error.to_string().contains(&third))
        };
        // Times that were passed over are no gap.
        let whole = of(&[(1_000, 2_000), (2_000, 3_000), (3_000, 9_000)]);
        assert_eq!(lost(&whole, 9_000), None);
        assert_eq!(lost(&of(&[(1_000, 2_000), (3_000, 9_000)]), 9_000), Some(true));
        assert_eq!(lost(&of(&[(1_000, 2_000)]), 3_000), Some(true));
        let completed = Replay { completed: BatchTime(3_000), ..of(&[(1_000, 2_000)]) };
        assert_eq!(lost(&completed, 2_000), Some(true));
    }

    #[test]
    fn the_digest_tells_each_thing_that_decides_what_happens_next() {
        struct Found {
            checkpoint: Checkpoint,
            replay: Replay,
            allocated: BatchTime,
            source: RecoveredSource,
        }
        let found = || Found {
            checkpoint: Checkpoint {
                interval: Interval::from_secs(1),
                zero_time: BatchTime(0),
                hash_seed: 7,
                operators: Vec::new(),
                completed: BatchTime(1_000),
                allocated: BatchTime(1_000),
                basis: BatchTime(1_000),
                snapshot: None,
                pending: Vec::new(),
                sources: Vec::new(),
                sinks: Vec::new(),
                retained: Vec::new(),
                journal_from: SegmentId(0),
                journal_newest: None,
                journal_durable: 0,
            },
            replay: of(&[(1_000, 2_000), (2_000, 3_000)]),
            allocated: BatchTime(3_000),
            source: RecoveredSource::default(),
        };
        let digest_with = |change: &dyn Fn(&mut Found)| {
            let mut changed = found();
            change(&mut changed);
            digest(&changed.checkpoint, &changed.replay, changed.allocated, &[changed.source])
        };
        let block = || StoredBlock {
            source: SourceId(0),
            block: BlockId(4),
            records: 1,
            location: WHERE,
            data: None,
            _room: None,
        };
        let range = || BlockRange { source: SourceId(0), from: BlockId(1), until: BlockId(2) };
        let sink = || SinkProgress { operator: OperatorId(1), name: "out".into(), position: SinkPosition(3) };
        let changes: [&dyn Fn(&mut Found); 10] = [
            &|found| found.checkpoint.interval = Interval::from_secs(2),
            &|found| found.checkpoint.zero_time = BatchTime(500),
            &|found| found.checkpoint.hash_seed = 8,
            &|found| found.replay.completed = BatchTime(2_000),
            &|found| found.allocated = BatchTime(4_000),
            &|found| found.replay.allocations.get_mut(&BatchTime(3_000)).unwrap().0.blocks.push(range()),
            &|found| found.replay.sinks.push(sink()),
            &|found| found.source.next = BlockId(5),
            &|found| found.source.unallocated.push_back(block()),
            &|found| found.source.position = Some(Position(vec![1])),
        ];
        let mut digests: BTreeSet<u64> = changes.iter().map(|change| digest_with(*change)).collect();
        digests.insert(digest_with(&|_| {}));
        assert_eq!(digests.len(), changes.len() + 1);
        // Where a block stands, and which checkpoint led there, decides nothing.
        let elsewhere = digest_with(&|found| {
            found.checkpoint.journal_from = SegmentId(3);
            found.replay.records = 9;
        });
        assert!(digests.contains(&elsewhere));
    }
}
