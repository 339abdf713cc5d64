//! Running batches, one after another: load, compute, emit, make durable, record as complete, publish a checkpoint.
//!
//! Batches that wait (after an outage there may be many) are run in groups that share the syncs at the end. A crash in the
//! middle of a group has all of it emitted again; nothing else depends on the grouping.

use super::{Backlog, BatchBlocks, Snapshots};
use crate::{
    checkpoint::{Checkpoint, CheckpointDirectory, Frozen, Retained, Retention, SnapshotReference, publish},
    dstream::{BatchScope, OperatorDescription, OutputOperation, Prepared, SourceNode, Stateful, Workers},
    env::{BoxFuture, Env},
    error::{Error, Result},
    event::Event,
    ids::{BatchTime, CheckpointId, CheckpointSequence, Interval, OperatorId, SourceId},
    journal::{Completion, Journal, Record, SinkProgress},
    listeners::Listeners,
    sink::{BatchInfo, SinkFinding},
    source::LoadedBlock,
    state::KeyHasher,
};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// How many waiting batches share the syncs at their end.
const GROUP_MAX: usize = 64;

/// What a checkpoint says beside the backlog.
pub(crate) struct Progress {
    pub interval: Interval,
    pub snapshot_interval: Interval,
    pub zero_time: BatchTime,
    pub hash_seed: u64,
    pub operators: Vec<OperatorDescription>,
    pub completed: BatchTime,
    pub basis: BatchTime,
    pub snapshot: Option<SnapshotReference>,
    pub sinks: Vec<SinkProgress>,
    /// The number of the next checkpoint.
    pub next_sequence: CheckpointSequence,
}

impl Progress {
    /// Takes note of a snapshot that is durable: what the state needs begins after its batch.
    fn rest_on(&mut self, snapshot: SnapshotReference) {
        assert!(snapshot.time > self.basis && snapshot.time <= self.completed, "snapshots go forward");
        self.basis = snapshot.time;
        self.snapshot = Some(snapshot);
    }
}

pub(crate) struct Runner {
    pub env: Env,
    pub directory: Arc<CheckpointDirectory>,
    pub journal: Journal,
    pub backlog: Arc<Backlog>,
    pub listeners: Listeners,
    pub sources: Vec<SourceNode>,
    pub stateful: Vec<Arc<dyn Stateful>>,
    pub outputs: Vec<(OperatorId, Box<dyn OutputOperation>)>,
    pub progress: Progress,
    pub retention: Retention,
    pub snapshots: Snapshots,
}

impl Runner {
    /// Computes the state after completed batches again, without output.
    pub async fn replay_state(&mut self, batches: &[BatchBlocks]) -> Result<()> {
        if self.stateful.is_empty() {
            return Ok(());
        }
        for batch in batches {
            self.compute(batch, false).await?;
        }
        Ok(())
    }

    /// Runs what comes until the generator has ended.
    pub async fn run(mut self, mut batches: mpsc::Receiver<BatchBlocks>) -> Result<()> {
        while let Some(first) = batches.recv().await {
            let mut group = vec![first];
            while group.len() < GROUP_MAX
                && let Ok(next) = batches.try_recv()
            {
                group.push(next);
            }
            self.run_group(group).await?;
        }
        // What it took to write it is not lost.
        if let Some(snapshot) = self.snapshots.wait().await {
            self.progress.rest_on(snapshot);
            self.checkpoint(false).await?;
        }
        Ok(())
    }

    /// Runs consecutive batches and publishes a checkpoint after them.
    pub async fn run_group(&mut self, group: Vec<BatchBlocks>) -> Result<()> {
        let Some(last) = group.last().map(|batch| batch.time) else { return Ok(()) };
        let mut completed = Vec::with_capacity(group.len());
        for batch in group {
            self.run_batch(&batch).await?;
            completed.push((batch.time, batch.records()));
        }
        for (_, output) in &mut self.outputs {
            output.sync().await.map_err(|source| Error::Output { time: last, source })?;
        }
        // Not synced: until the checkpoint is published these batches may be emitted again, and nothing else follows.
        let completion = Completion { time: last, sinks: self.progress.sinks.clone() };
        self.journal.append(vec![Record::Completion(completion)], false).await?;
        self.progress.completed = last;
        for (time, records) in completed {
            self.listeners.tell(&Event::BatchCompleted { time, records });
        }
        if let Some(snapshot) = self.snapshots.finished() {
            self.progress.rest_on(snapshot);
        }
        self.checkpoint(self.snapshot_is_due()).await
    }

    async fn run_batch(&mut self, batch: &BatchBlocks) -> Result<()> {
        let (time, repetition) = (batch.time, batch.repetition);
        let prepared = self.compute(batch, true).await?;
        let info = self.info(batch);
        for (index, prepared) in prepared.into_iter().enumerate() {
            let Some(prepared) = prepared else { continue };
            self.directory.check_fence().await?;
            let (_, output) = &mut self.outputs[index];
            let position =
                output.emit(info, prepared).await.map_err(|source| Error::Output { time, source })?;
            self.progress.sinks[index].position = position;
        }
        self.listeners.tell(&Event::BatchEmitted { time, repetition });
        Ok(())
    }

    fn info(&self, batch: &BatchBlocks) -> BatchInfo {
        BatchInfo { time: batch.time, generation: self.directory.generation, repetition: batch.repetition }
    }

    /// Brings the state to the batch and, if asked, computes its output.
    async fn compute(&mut self, batch: &BatchBlocks, output: bool) -> Result<Vec<Option<Prepared>>> {
        let inputs = self.load(batch).await?;
        let info = self.info(batch);
        let stateful = self.stateful.clone();
        let hasher = KeyHasher::new(self.progress.hash_seed);
        let workers = Workers { executor: self.env.executor.clone(), hasher };
        let zero_time = self.progress.zero_time;
        let outputs = std::mem::take(&mut self.outputs);
        let (send, receive) = oneshot::channel();
        let job = move || {
            let scope = BatchScope::new(info.time, zero_time, &inputs, workers);
            stateful.iter().for_each(|node| node.advance(&scope));
            let prepared = match output {
                true => outputs.iter().map(|(_, output)| output.prepare(&scope, info)).collect(),
                false => Vec::new(),
            };
            // The receiver is gone if the driver is stopping.
            let _ = send.send((outputs, prepared));
        };
        let failed = |source| Error::Batch { time: info.time, source };
        self.env.executor.compute(Box::new(job)).await.map_err(failed)?;
        let (outputs, prepared) = receive.await.map_err(|_| Error::TaskLost { task: "computation" })?;
        self.outputs = outputs;
        Ok(prepared)
    }

    async fn load(&mut self, batch: &BatchBlocks) -> Result<BTreeMap<SourceId, Vec<LoadedBlock>>> {
        let mut inputs: BTreeMap<SourceId, Vec<LoadedBlock>> = BTreeMap::new();
        for stored in &batch.blocks {
            let data = self.backlog.load(&self.env, stored).await?;
            let source = &self.sources[stored.source.0 as usize].source;
            inputs.entry(stored.source).or_default().push(source.load(&self.env, data).await?);
        }
        Ok(inputs)
    }

    /// Whether a snapshot time lies after the basis, up to the last completed batch. Not only those that the last batches passed:
    /// one that a crash kept from being taken is made up for.
    fn snapshot_is_due(&self) -> bool {
        let periods =
            |time: BatchTime| (time.0 - self.progress.zero_time.0) / self.progress.snapshot_interval.millis();
        !self.stateful.is_empty() && periods(self.progress.completed) > periods(self.progress.basis)
    }

    /// Opens the sinks where the recovered completion left them. Where one is not there any more, a checkpoint says so before
    /// anything is emitted.
    pub async fn open_sinks(&mut self) -> Result<()> {
        let Progress { sinks: known, completed, .. } = &self.progress;
        let (env, listeners, directory) = (&self.env, &self.listeners, &*self.directory);
        let opened = open_sinks(env, listeners, directory, &mut self.outputs, known, *completed).await?;
        if opened != *known {
            self.progress.sinks = opened;
            self.checkpoint(false).await?;
        }
        Ok(())
    }

    /// Publishes a checkpoint, and removes what is not needed any more. Then it begins a snapshot, if asked, and if none is under
    /// way.
    pub fn checkpoint(&mut self, with_snapshot: bool) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let progress = &mut self.progress;
            let id = CheckpointId { sequence: progress.next_sequence, generation: self.directory.generation };
            progress.next_sequence = progress.next_sequence.next();
            if self.stateful.is_empty() {
                progress.basis = progress.completed;
            }
            let view = self.backlog.view(progress.completed, progress.basis);
            let mut checkpoint = Checkpoint {
                interval: progress.interval,
                zero_time: progress.zero_time,
                hash_seed: progress.hash_seed,
                operators: progress.operators.clone(),
                completed: progress.completed,
                allocated: view.allocated,
                basis: progress.basis,
                snapshot: progress.snapshot.clone(),
                pending: view.pending,
                sources: view.sources,
                sinks: progress.sinks.clone(),
                retained: Vec::new(),
                journal_from: view.journal_from,
                journal_newest: Some(view.journal_newest),
                journal_durable: view.journal_durable,
            };
            self.retention.add(Retained::new(id, &checkpoint));
            checkpoint.retained = self.retention.kept_ids();
            publish(&self.env, &self.directory, id, &checkpoint).await?;
            self.listeners.tell(&Event::CheckpointPublished {
                checkpoint: id,
                completed: checkpoint.completed,
                pending: checkpoint.pending.len() as u64,
                snapshot: checkpoint.snapshot.map(|snapshot| snapshot.time),
            });
            self.retention.trim(&self.env, &self.directory, &self.listeners).await?;
            self.journal.forget_before(self.retention.journal_from());
            if with_snapshot && !self.snapshots.is_under_way() {
                self.snapshots.begin(Frozen::new(id, self.progress.completed, &self.stateful));
            }
            Ok(())
        })
    }
}

/// Opens the sinks where the last durable completion, at batch `time`, left them. It may cut them back, so each time only after
/// a check that no newer driver has started.
pub(crate) async fn open_sinks(
    env: &Env,
    listeners: &Listeners,
    directory: &CheckpointDirectory,
    outputs: &mut [(OperatorId, Box<dyn OutputOperation>)],
    known: &[SinkProgress],
    time: BatchTime,
) -> Result<Vec<SinkProgress>> {
    let mut opened = Vec::with_capacity(outputs.len());
    for (operator, output) in outputs {
        let name = output.name();
        let at = known.iter().find(|progress| progress.operator == *operator && progress.name == name);
        directory.check_fence().await?;
        let position = output.open(env, at.map(|progress| progress.position)).await;
        // No batch has failed yet: an error of the engine's own sinks speaks for itself.
        let position = position.map_err(|source| match source.downcast::<Error>() {
            Ok(error) => *error,
            Err(source) => Error::Output { time, source },
        })?;
        match output.finding() {
            None => {}
            Some(SinkFinding::Incomplete(bytes)) => {
                listeners.tell(&Event::OutputIncomplete { sink: name.clone(), bytes });
            }
            Some(SinkFinding::Missing(bytes)) => {
                listeners.tell(&Event::OutputMissing { sink: name.clone(), bytes });
            }
        }
        opened.push(SinkProgress { operator: *operator, name, position });
    }
    Ok(opened)
}
