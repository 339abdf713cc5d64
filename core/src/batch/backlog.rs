//! Blocks between their receipt and the completion of their batch, and what checkpoints say about them.
//!
//! What is on its way into the journal counts, for `journal_from`, from the segment that was open when it set out: a
//! checkpoint that is written in between must not say that the segment is not needed.

use crate::{
    checkpoint::{CheckpointDirectory, SourceProgress},
    env::Env,
    error::{Error, Result},
    event::Event,
    ids::{BatchTime, BlockId, SegmentId, SourceId},
    journal::{Allocation, Block, BlockRange, Journal, Location, Record},
    listeners::Listeners,
    source::{BlockData, NewBlock, Position},
};
use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A block that is in the journal.
#[derive(Clone, Debug)]
pub(crate) struct StoredBlock {
    pub source: SourceId,
    pub block: BlockId,
    pub records: u64,
    pub location: Location,
    /// Its data, unless it is from an earlier life: then the journal has it.
    pub data: Option<Arc<BlockData>>,
    /// Its share of the backlog's bound, given back with the last clone.
    pub _room: Option<Arc<OwnedSemaphorePermit>>,
}

/// A batch with its blocks.
#[derive(Clone, Debug)]
pub(crate) struct BatchBlocks {
    pub time: BatchTime,
    pub blocks: Vec<StoredBlock>,
    /// It may have been emitted by an earlier generation.
    pub repetition: bool,
}

impl BatchBlocks {
    pub fn records(&self) -> u64 {
        self.blocks.iter().map(|block| block.records).sum()
    }
}

/// A source's part.
#[derive(Clone, Debug, Default)]
pub(crate) struct SourceBacklog {
    /// Blocks in no batch, in order.
    pub unallocated: VecDeque<StoredBlock>,
    /// The next block's number.
    pub next: BlockId,
    /// The position after the last block.
    pub position: Option<Position>,
    pub one_block_a_batch: bool,
}

impl SourceBacklog {
    fn first_unallocated(&self) -> BlockId {
        self.unallocated.front().map_or(self.next, |block| block.block)
    }

    /// How many blocks the `index`-th batch of an allocation takes.
    fn share(&self, index: usize) -> std::ops::Range<usize> {
        match (self.one_block_a_batch, index) {
            (true, _) => index.min(self.unallocated.len())..(index + 1).min(self.unallocated.len()),
            (false, 0) => 0..self.unallocated.len(),
            (false, _) => 0..0,
        }
    }
}

/// A batch that a checkpoint may have to name.
struct Allocated {
    allocation: Allocation,
    /// The oldest segment that holds its allocation or one of its blocks.
    oldest: SegmentId,
}

struct State {
    sources: Vec<SourceBacklog>,
    /// Batches after the basis of the newest checkpoint.
    allocated: BTreeMap<BatchTime, Allocated>,
    last_allocated: BatchTime,
    /// By ticket: the segment that was open when something set out for the journal.
    under_way: BTreeMap<u64, SegmentId>,
    tickets: u64,
}

/// What a checkpoint says of the backlog.
pub(crate) struct BacklogView {
    pub allocated: BatchTime,
    pub pending: Vec<Allocation>,
    pub sources: Vec<SourceProgress>,
    pub journal_from: SegmentId,
    pub journal_newest: SegmentId,
    pub journal_durable: u64,
}

pub(crate) struct Backlog {
    directory: Arc<CheckpointDirectory>,
    journal: Journal,
    state: Mutex<State>,
    /// One permit per KiB that may be in memory.
    room: Arc<Semaphore>,
    room_kib: u32,
    /// A source's blocks enter the journal in the order of their numbers.
    order: Vec<tokio::sync::Mutex<()>>,
}

/// How many bytes a permit stands for.
const ROOM_UNIT_BYTES: usize = 1024;

impl Backlog {
    /// A backlog that begins with what was recovered. The batches and their allocations are in the same order.
    pub fn new(
        directory: Arc<CheckpointDirectory>,
        journal: Journal,
        sources: Vec<SourceBacklog>,
        recovered: &[BatchBlocks],
        allocations: Vec<(Allocation, Location)>,
        last_allocated: BatchTime,
        backlog_bytes_max: usize,
    ) -> Self {
        assert_eq!(allocations.len(), recovered.len(), "each recovered batch has its allocation");
        let allocated = allocations
            .into_iter()
            .zip(recovered)
            .map(|((allocation, location), batch)| {
                assert_eq!(allocation.time, batch.time, "each recovered batch has its allocation");
                let segment = location.segment.segment;
                let of_blocks = batch.blocks.iter().map(|block| block.location.segment.segment);
                let oldest = of_blocks.min().map_or(segment, |oldest| oldest.min(segment));
                (allocation.time, Allocated { allocation, oldest })
            })
            .collect();
        let room_kib = backlog_bytes_max.div_ceil(ROOM_UNIT_BYTES).clamp(1, Semaphore::MAX_PERMITS);
        Self {
            directory,
            journal,
            order: sources.iter().map(|_| tokio::sync::Mutex::new(())).collect(),
            state: Mutex::new(State {
                sources,
                allocated,
                last_allocated,
                under_way: BTreeMap::new(),
                tickets: 0,
            }),
            room: Arc::new(Semaphore::new(room_kib)),
            room_kib: u32::try_from(room_kib).unwrap_or(u32::MAX),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the lock")
    }

    /// Makes sure that no newer driver has started.
    ///
    /// # Errors
    /// [`Error::Fenced`](crate::Error::Fenced), [`Error::Disk`](crate::Error::Disk).
    pub async fn check_fence(&self) -> Result<()> {
        self.directory.check_fence().await
    }

    /// The checkpoint directory's path.
    pub fn directory(&self) -> &Path {
        &self.directory.root
    }

    pub fn position(&self, source: SourceId) -> Option<Position> {
        self.lock().sources[source.0 as usize].position.clone()
    }

    /// Whether a source has blocks that are in no batch.
    pub fn has_unallocated(&self) -> bool {
        self.lock().sources.iter().any(|source| !source.unallocated.is_empty())
    }

    /// Notes that something sets out for the journal.
    fn set_out(&self, state: &mut State) -> u64 {
        state.tickets += 1;
        state.under_way.insert(state.tickets, self.journal.open_segment());
        state.tickets
    }

    /// Makes a block durable and lets the next batch have it.
    pub async fn store(&self, source: SourceId, block: NewBlock, listeners: &Listeners) -> Result<()> {
        let index = source.0 as usize;
        let _in_order = self.order[index].lock().await;
        let bytes = block.data.bytes();
        let kib = u32::try_from(bytes.div_ceil(ROOM_UNIT_BYTES)).unwrap_or(u32::MAX);
        // A block that is larger than all the room takes all of it.
        let room = self.room.clone().acquire_many_owned(kib.clamp(1, self.room_kib)).await;
        let room = room.map_err(|_| Error::TaskLost { task: "backlog" })?;
        let NewBlock { data, records, position } = block;
        let data = Arc::new(data);
        let (ticket, number) = {
            let mut state = self.lock();
            (self.set_out(&mut state), state.sources[index].next)
        };
        let entry = Block { source, block: number, records, position: position.clone(), data: data.clone() };
        let located = self.journal.append(vec![Record::Block(entry)], true).await?;
        // Only now: a newer driver that started before this check may not have read the block.
        self.directory.check_fence().await?;
        let stored = StoredBlock {
            source,
            block: number,
            records,
            location: located[0],
            data: Some(data),
            _room: Some(Arc::new(room)),
        };
        {
            let mut state = self.lock();
            state.under_way.remove(&ticket);
            let backlog = &mut state.sources[index];
            backlog.unallocated.push_back(stored);
            backlog.next = number.next();
            backlog.position = position.or_else(|| backlog.position.take());
        }
        listeners.tell(&Event::BlockStored { source, block: number, records, bytes: bytes as u64 });
        Ok(())
    }

    /// Fixes, durably, which blocks are in the batches of `times`: the first takes what is there, the others what a source
    /// that gives one block a batch has for them.
    pub async fn allocate(&self, times: &[BatchTime], listeners: &Listeners) -> Result<Vec<BatchBlocks>> {
        let (ticket, batches) = {
            let mut state = self.lock();
            let batch = |(index, time): (usize, &BatchTime)| {
                let blocks = state
                    .sources
                    .iter()
                    .flat_map(|source| source.share(index).map(|at| source.unallocated[at].clone()));
                BatchBlocks { time: *time, blocks: blocks.collect(), repetition: false }
            };
            let batches: Vec<_> = times.iter().enumerate().map(batch).collect();
            (self.set_out(&mut state), batches)
        };
        let mut previous = self.lock().last_allocated;
        let mut allocations = Vec::with_capacity(batches.len());
        for batch in &batches {
            allocations.push(allocation_of(batch, previous));
            previous = batch.time;
        }
        let entries = allocations.iter().cloned().map(Record::Allocation).collect();
        let located = self.journal.append(entries, true).await?;
        {
            let mut state = self.lock();
            state.under_way.remove(&ticket);
            for ((batch, allocation), location) in batches.iter().zip(allocations).zip(located) {
                for block in &batch.blocks {
                    let taken = state.sources[block.source.0 as usize].unallocated.pop_front();
                    assert_eq!(
                        taken.map(|taken| taken.block),
                        Some(block.block),
                        "blocks are allocated in order"
                    );
                }
                let segments = batch.blocks.iter().map(|block| block.location.segment.segment);
                let oldest = segments.chain([location.segment.segment]).min().expect("at least its own");
                state.allocated.insert(batch.time, Allocated { allocation, oldest });
                state.last_allocated = batch.time;
            }
        }
        for batch in &batches {
            let (time, blocks, records) = (batch.time, batch.blocks.len() as u64, batch.records());
            listeners.tell(&Event::BatchAllocated { time, blocks, records });
        }
        Ok(batches)
    }

    /// What a checkpoint with this last completed batch and this basis says; forgets the batches up to the basis.
    pub fn view(&self, completed: BatchTime, basis: BatchTime) -> BacklogView {
        let newest = self.journal.open_segment();
        let mut state = self.lock();
        state.allocated = state.allocated.split_off(&BatchTime(basis.0 + 1));
        let unallocated = state.sources.iter().flat_map(|source| &source.unallocated);
        let journal_from = unallocated
            .map(|block| block.location.segment.segment)
            .chain(state.allocated.values().map(|batch| batch.oldest))
            .chain(state.under_way.values().copied())
            .chain([newest])
            .min()
            .expect("at least the open one");
        let progress = |(index, source): (usize, &SourceBacklog)| SourceProgress {
            source: SourceId(index as u32),
            unallocated: source.first_unallocated(),
            next: source.next,
            position: source.position.clone(),
        };
        BacklogView {
            allocated: state.last_allocated,
            pending: state
                .allocated
                .values()
                .filter(|batch| batch.allocation.time > completed)
                .map(|batch| batch.allocation.clone())
                .collect(),
            sources: state.sources.iter().enumerate().map(progress).collect(),
            journal_from,
            journal_newest: newest,
            journal_durable: self.journal.durable_length(newest),
        }
    }

    /// The data of a block, from memory or from the journal.
    pub async fn load(&self, env: &Env, block: &StoredBlock) -> Result<Arc<BlockData>> {
        match &block.data {
            Some(data) => Ok(data.clone()),
            None => {
                let number = (block.source, block.block);
                crate::journal::read_block(env, &self.directory.journal(), number, block.location).await
            }
        }
    }
}

/// The record of a batch's blocks: they are consecutive by construction.
fn allocation_of(batch: &BatchBlocks, previous: BatchTime) -> Allocation {
    let mut blocks: Vec<BlockRange> = Vec::new();
    for stored in &batch.blocks {
        match blocks.last_mut() {
            Some(range) if range.source == stored.source => {
                assert_eq!(range.until, stored.block, "blocks of a source are consecutive");
                range.until = stored.block.next();
            }
            _ => blocks.push(BlockRange {
                source: stored.source,
                from: stored.block,
                until: stored.block.next(),
            }),
        }
    }
    Allocation { time: batch.time, previous, blocks }
}
