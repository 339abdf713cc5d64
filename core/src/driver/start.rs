//! From an opened directory to a driver that runs.
//!
//! A first start publishes checkpoint 0 before it writes anything else, so that whatever is found without a checkpoint has
//! lost one. A later start begins its own journal segment, which fixes where the earlier ones end and holds again what may not
//! be durable there, and publishes a checkpoint of its generation, before it removes anything or cuts back an output: from then
//! on nothing that an older driver still writes is relied on.

use super::{Driver, Opened, Prepared, Running, drive::drive};
use crate::{
    batch::{Backlog, BatchBlocks, Progress, Runner, Snapshots, SourceBacklog, open_sinks},
    checkpoint::{
        Checkpoint, Retained, Retention, SourceProgress, publish, remove, remove_temporaries, restore,
    },
    dstream::{Graph, difference},
    env::Env,
    error::{Error, Result},
    event::Event,
    flag::Flag,
    ids::{BatchTime, BlockId, CheckpointId, CheckpointSequence, SegmentId, SourceId},
    journal::{Allocation, Inherited, Journal, Location, Moved, SegmentName, list_segments},
    listeners::Listeners,
    options::Options,
    recovery::Recovered,
    state::KeyHasher,
};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// Starts a driver.
pub(crate) async fn start(
    env: &Env,
    opened: Opened,
    graph: Graph,
    options: Options,
    listeners: Listeners,
) -> Result<Running> {
    let driver =
        Driver { env: env.clone(), options, listeners: listeners.clone(), directory: opened.directory };
    remove_temporaries(env, &driver.directory, &listeners).await?;
    let directory = driver.directory.clone();
    let prepared = match opened.recovered {
        None => driver.first_start(graph).await,
        Some(recovered) => driver.later_start(graph, recovered).await,
    };
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return Err(directory.unless_fenced(error).await),
    };
    let stop = Flag::default();
    let stopping = stop.clone();
    let cut = Flag::default();
    let cutting = cut.clone();
    let (outcome_sender, outcome) = watch::channel(None);
    let task = async move {
        let (ends, mut ends_told) = mpsc::unbounded_channel();
        let ended = tokio::select! {
            biased;
            () = cutting.raised() => Ok(()),
            ended = drive(prepared, stopping, ends, &mut ends_told) => match ended {
                Ok(()) => Ok(()),
                Err(error) => Err(directory.unless_fenced(error).await),
            },
        };
        // Its tasks hold the directory's lock, and end a moment after they were told to. Nobody is told before the last of
        // them is gone: whoever starts the next driver must find the directory free.
        while ends_told.recv().await.is_some() {}
        drop(directory);
        let error = ended.as_ref().err().map(Error::to_string);
        listeners.tell(&Event::Stopped { error });
        outcome_sender.send_replace(Some(ended.map_err(Arc::new)));
    };
    Ok(Running { stop, cut, outcome, _driver: env.executor.spawn("driver", Box::pin(task)) })
}

/// What a driver goes on from.
struct Begin {
    progress: Progress,
    sources: Vec<SourceBacklog>,
    state_replays: Vec<BatchBlocks>,
    pending: Vec<BatchBlocks>,
    allocations: Vec<(Allocation, Location)>,
    allocated: BatchTime,
    published: Vec<Retained>,
}

impl Driver {
    async fn first_start(self, mut graph: Graph) -> Result<Prepared> {
        let interval = self.options.batch_interval;
        let zero_time = BatchTime(self.env.clock.wall().0 / interval.millis() * interval.millis());
        self.listeners.tell(&Event::StartedFresh { zero_time, interval });
        let (env, listeners, directory) = (&self.env, &self.listeners, &*self.directory);
        let sinks = open_sinks(env, listeners, directory, &mut graph.outputs, &[], zero_time).await?;
        let mut progress = Progress {
            interval,
            snapshot_interval: self.options.snapshot_interval(),
            zero_time,
            hash_seed: self.env.random.next_u64(),
            operators: graph.operators.clone(),
            completed: zero_time,
            basis: zero_time,
            snapshot: None,
            sinks,
            next_sequence: CheckpointSequence(0),
        };
        let first = self.publish_first(&mut progress, graph.sources.len()).await?;
        let begin = Begin {
            progress,
            sources: vec![SourceBacklog::default(); graph.sources.len()],
            state_replays: Vec::new(),
            pending: Vec::new(),
            allocations: Vec::new(),
            allocated: zero_time,
            published: vec![first],
        };
        let (journal, _) = self.begin_journal(Inherited::default()).await?;
        Ok(self.assemble(graph, journal, begin))
    }

    /// Publishes checkpoint 0: no batch, no journal.
    async fn publish_first(&self, progress: &mut Progress, sources: usize) -> Result<Retained> {
        let source = |index| SourceProgress {
            source: SourceId(index as u32),
            unallocated: BlockId(0),
            next: BlockId(0),
            position: None,
        };
        let id = self.next_id(&mut progress.next_sequence);
        let checkpoint = Checkpoint {
            interval: progress.interval,
            zero_time: progress.zero_time,
            hash_seed: progress.hash_seed,
            operators: progress.operators.clone(),
            completed: progress.zero_time,
            allocated: progress.zero_time,
            basis: progress.zero_time,
            snapshot: None,
            pending: Vec::new(),
            sources: (0..sources).map(source).collect(),
            sinks: progress.sinks.clone(),
            retained: vec![id],
            journal_from: SegmentId(0),
            journal_newest: None,
            journal_durable: 0,
        };
        self.publish(id, &checkpoint).await
    }

    fn next_id(&self, next: &mut CheckpointSequence) -> CheckpointId {
        let sequence = *next;
        *next = next.next();
        CheckpointId { sequence, generation: self.directory.generation }
    }

    async fn publish(&self, id: CheckpointId, checkpoint: &Checkpoint) -> Result<Retained> {
        publish(&self.env, &self.directory, id, checkpoint).await?;
        self.listeners.tell(&Event::CheckpointPublished {
            checkpoint: id,
            completed: checkpoint.completed,
            pending: checkpoint.pending.len() as u64,
            snapshot: checkpoint.snapshot.as_ref().map(|snapshot| snapshot.time),
        });
        Ok(Retained::new(id, checkpoint))
    }

    async fn later_start(self, graph: Graph, mut recovered: Recovered) -> Result<Prepared> {
        let other = |difference| Error::OtherPipeline { directory: self.directory.root.clone(), difference };
        // Operators may have been added between `get_or_create` and `start`.
        if let Some(difference) = difference(&recovered.checkpoint.operators, &graph.operators) {
            return Err(other(difference));
        }
        if recovered.checkpoint.snapshot.is_some() {
            let hasher = KeyHasher::new(recovered.checkpoint.hash_seed);
            restore(&recovered.chunks, &graph.stateful, hasher).map_err(other)?;
        }
        let mut published = std::mem::take(&mut recovered.published);
        let mut next_sequence = recovered.next_sequence;
        if !published.iter().any(|retained| retained.is_durable) {
            // A journal must never be all that a power loss leaves.
            let id = self.next_id(&mut next_sequence);
            recovered.checkpoint.retained.push(id);
            published.push(self.publish(id, &recovered.checkpoint).await?);
        }
        let inherited = std::mem::take(&mut recovered.journal);
        let kept: Vec<_> = inherited.predecessors.iter().map(|(name, _)| *name).collect();
        let (journal, moved) = self.begin_journal(inherited).await?;
        recovered.move_to(&moved);
        let checkpoint = recovered.checkpoint;
        let progress = Progress {
            interval: checkpoint.interval,
            snapshot_interval: self.options.snapshot_interval(),
            zero_time: checkpoint.zero_time,
            hash_seed: checkpoint.hash_seed,
            operators: checkpoint.operators,
            completed: recovered.completed,
            basis: checkpoint.basis,
            snapshot: checkpoint.snapshot,
            sinks: recovered.sinks,
            next_sequence,
        };
        let begin = Begin {
            progress,
            sources: recovered.sources.into_iter().map(SourceBacklog::from).collect(),
            state_replays: recovered.state_replays,
            pending: recovered.pending,
            allocations: recovered.allocations,
            allocated: recovered.allocated,
            published,
        };
        let mut prepared = self.assemble(graph, journal, begin);
        let runner = &mut prepared.runner;
        runner.listeners.tell(&Event::Recovered(recovered.report));
        runner.checkpoint(false).await?;
        runner.open_sinks().await?;
        prepared.driver.remove_unneeded_segments(&kept).await?;
        Ok(prepared)
    }

    /// Removes segments of earlier lives that the journal does not go on from, with their marks: a crash loop would leave ever
    /// more of them.
    async fn remove_unneeded_segments(&self, kept: &[SegmentName]) -> Result<()> {
        let journal = self.directory.journal();
        let is_unneeded =
            |name: &&SegmentName| name.generation < self.directory.generation && !kept.contains(name);
        let (segments, marks) = list_segments(&self.env, &journal).await?;
        let segments = segments.iter().filter(is_unneeded).map(|name| name.wal(&journal));
        for path in segments.chain(marks.iter().filter(is_unneeded).map(|name| name.marks(&journal))) {
            remove(&self.env, path).await?;
        }
        Ok(())
    }

    async fn begin_journal(&self, inherited: Inherited) -> Result<(Journal, Moved)> {
        Journal::begin(
            &self.env,
            self.directory.journal(),
            self.directory.generation,
            inherited,
            self.options.segment_bytes_max,
            self.listeners.clone(),
        )
        .await
    }

    fn assemble(self, graph: Graph, journal: Journal, begin: Begin) -> Prepared {
        let mut sources = begin.sources;
        for (backlog, node) in sources.iter_mut().zip(&graph.sources) {
            backlog.one_block_a_batch = node.source.one_block_a_batch();
        }
        let recovered: Vec<_> = begin.state_replays.iter().chain(&begin.pending).cloned().collect();
        let backlog = Arc::new(Backlog::new(
            self.directory.clone(),
            journal.clone(),
            sources,
            &recovered,
            begin.allocations,
            begin.allocated,
            self.options.backlog_bytes_max,
        ));
        let (env, listeners) = (self.env.clone(), self.listeners.clone());
        let piece_bytes = self.options.snapshot_piece_bytes;
        let (snapshots, snapshot_writer) =
            Snapshots::new(env, self.directory.clone(), listeners, piece_bytes);
        let runner = Runner {
            env: self.env.clone(),
            directory: self.directory.clone(),
            journal,
            backlog: backlog.clone(),
            listeners: self.listeners.clone(),
            sources: graph.sources,
            stateful: graph.stateful,
            outputs: graph.outputs,
            progress: begin.progress,
            retention: Retention::new(self.options.checkpoints_retained, begin.published),
            snapshots,
        };
        let (state_replays, pending) = (begin.state_replays, begin.pending);
        let allocated = begin.allocated;
        Prepared { driver: self, runner, snapshot_writer, backlog, state_replays, pending, allocated }
    }
}
