//! From an opened directory to a driver that runs.
//!
//! A first start publishes checkpoint 0 before it writes anything else, so that whatever is found without a checkpoint has
//! lost one. A later start begins its own journal segment, which fixes where the earlier ones end, and publishes a checkpoint
//! of its generation, before it removes anything.

use super::{Driver, Opened, Prepared, Running, drive::drive};
use crate::{
    batch::{Backlog, BatchBlocks, Progress, Runner, SourceBacklog, open_sinks},
    checkpoint::{Checkpoint, Retained, Retention, SourceProgress, publish, remove_temporaries, restore},
    dstream::{Graph, difference},
    env::Env,
    error::{Error, Result},
    event::Event,
    flag::Flag,
    ids::{BatchTime, BlockId, CheckpointId, CheckpointSequence, SegmentId, SourceId},
    journal::{Allocation, Journal, SegmentName, list_segments},
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
    let prepared = match opened.recovered {
        None => driver.first_start(graph).await?,
        Some(recovered) => driver.later_start(graph, recovered).await?,
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
            ended = drive(prepared, stopping, ends, &mut ends_told) => ended,
        };
        // Its tasks hold the directory's lock, and end a moment after they were told to. Nobody is told before the last of
        // them is gone: whoever starts the next driver must find the directory free.
        while ends_told.recv().await.is_some() {}
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
    allocations: Vec<(Allocation, SegmentId)>,
    allocated: BatchTime,
    published: Vec<Retained>,
    /// The segments before, with their valid lengths.
    segments: Vec<(SegmentName, u64)>,
    next_segment: SegmentId,
}

impl Driver {
    async fn first_start(self, mut graph: Graph) -> Result<Prepared> {
        let interval = self.options.batch_interval;
        let zero_time = BatchTime(self.env.clock.wall().0 / interval.millis() * interval.millis());
        self.listeners.tell(&Event::StartedFresh { zero_time, interval });
        let sinks = open_sinks(&self.env, &self.listeners, &mut graph.outputs, &[], zero_time).await?;
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
            segments: Vec::new(),
            next_segment: SegmentId(0),
        };
        self.assemble(graph, begin).await
    }

    /// Publishes checkpoint 0: no batch, no journal.
    async fn publish_first(&self, progress: &mut Progress, sources: usize) -> Result<Retained> {
        let source = |index| SourceProgress {
            source: SourceId(index as u32),
            unallocated: BlockId(0),
            next: BlockId(0),
            position: None,
        };
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
            journal_from: SegmentId(0),
            journal_newest: None,
        };
        let id = CheckpointId { sequence: progress.next_sequence, generation: self.directory.generation };
        progress.next_sequence = progress.next_sequence.next();
        publish(&self.env, &self.directory, id, &checkpoint).await?;
        let (checkpoint_id, completed) = (id, progress.zero_time);
        self.listeners.tell(&Event::CheckpointPublished {
            checkpoint: checkpoint_id,
            completed,
            pending: 0,
            snapshot: None,
        });
        Ok(Retained::new(id, &checkpoint))
    }

    async fn later_start(self, mut graph: Graph, recovered: Recovered) -> Result<Prepared> {
        let other = |difference| Error::OtherPipeline { directory: self.directory.root.clone(), difference };
        // Operators may have been added between `get_or_create` and `start`.
        if let Some(difference) = difference(&recovered.checkpoint.operators, &graph.operators) {
            return Err(other(difference));
        }
        let hasher = KeyHasher::new(recovered.checkpoint.hash_seed);
        restore(&recovered.chunks, &graph.stateful, hasher).map_err(other)?;
        self.listeners.tell(&Event::Recovered(recovered.report));
        let (known, time) = (recovered.sinks, recovered.completed);
        let sinks = open_sinks(&self.env, &self.listeners, &mut graph.outputs, &known, time).await?;
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
            sinks,
            next_sequence: recovered.next_sequence,
        };
        let begin = Begin {
            progress,
            sources: recovered.sources.into_iter().map(SourceBacklog::from).collect(),
            state_replays: recovered.state_replays,
            pending: recovered.pending,
            allocations: recovered.allocations,
            allocated: recovered.allocated,
            published: recovered.published,
            segments: recovered.segments,
            next_segment: recovered.next_segment,
        };
        let kept = begin.segments.clone();
        let mut prepared = self.assemble(graph, begin).await?;
        prepared.runner.checkpoint(false).await?;
        prepared.driver.remove_empty_segments(&kept).await?;
        Ok(prepared)
    }

    /// Removes segments of earlier lives that hold no record: a crash loop would leave ever more of them. A mark is durably
    /// gone before its segment, since a mark without a segment means that one was lost.
    async fn remove_empty_segments(&self, kept: &[(SegmentName, u64)]) -> Result<()> {
        let journal = self.directory.journal();
        let is_empty = |name: &SegmentName| {
            name.generation < self.directory.generation && !kept.iter().any(|(other, _)| other == name)
        };
        let (segments, marks) = list_segments(&self.env, &journal).await?;
        let disk = &self.env.disk;
        let mut removed_mark = false;
        for path in marks.iter().filter(|name| is_empty(name)).map(|name| name.marks(&journal)) {
            disk.remove(&path).await.map_err(Error::disk("remove", &path))?;
            removed_mark = true;
        }
        if removed_mark {
            disk.sync_dir(&journal).await.map_err(Error::disk("sync the directory", &journal))?;
        }
        for path in segments.iter().filter(|name| is_empty(name)).map(|name| name.wal(&journal)) {
            disk.remove(&path).await.map_err(Error::disk("remove", &path))?;
        }
        Ok(())
    }

    async fn assemble(self, graph: Graph, begin: Begin) -> Result<Prepared> {
        let (journal, _) = Journal::begin(
            &self.env,
            self.directory.journal(),
            self.directory.generation,
            begin.next_segment,
            begin.segments,
            self.options.segment_bytes_max,
            self.listeners.clone(),
        )
        .await?;
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
        };
        let (state_replays, pending) = (begin.state_replays, begin.pending);
        Ok(Prepared { driver: self, runner, backlog, state_replays, pending, allocated: begin.allocated })
    }
}
