//! A driver's tasks: the receivers, the batch generator, the batch runner and the snapshot writer. The first one to fail ends it.

use super::{Driver, Prepared};
use crate::{
    batch::{Backlog, BatchBlocks, Generator, Runner},
    env::Task,
    error::{Error, Result},
    event::Event,
    flag::Flag,
    ids::SourceId,
    source::ReceiverSupervisor,
};
use std::{future::Future, sync::Arc};
use tokio::sync::mpsc;

/// How many batches may wait for the runner before the generator has to.
const WAITING_BATCHES_MAX: usize = 1024;
/// How many recovered batches share the syncs at their end.
const REPLAYED_AT_ONCE_MAX: usize = 64;

/// Runs a driver until it is stopped or fails. Its tasks hold `ends` until the last of them is gone, which may be after this
/// has returned.
pub(super) async fn drive(
    prepared: Prepared,
    stop: Flag,
    ends: Ends,
    ended: &mut mpsc::UnboundedReceiver<End>,
) -> Result<()> {
    let Prepared { driver, mut runner, snapshot_writer, backlog, state_replays, pending, allocated } =
        prepared;
    let mut tasks = vec![driver.spawn(Part::SnapshotWriter, &ends, snapshot_writer.run())];
    tokio::select! {
        biased;
        // There is no other task yet, and the writer goes on as long as the runner, unless it fails.
        end = ended.recv() => end.expect("this task holds a sender").1?,
        caught_up = catch_up(&mut runner, state_replays, pending) => caught_up?,
    }

    let sources: Vec<_> = runner.sources.iter().map(|node| node.source.clone()).collect();
    let (batches, waiting) = mpsc::channel(WAITING_BATCHES_MAX);
    let drain = Flag::default();
    let generator = Generator {
        env: driver.env.clone(),
        backlog: backlog.clone(),
        listeners: driver.listeners.clone(),
        interval: runner.progress.interval,
        last: allocated,
        missed_batches_max: driver.options.missed_batches_max,
        batches,
        drain: drain.clone(),
    };
    tasks.push(driver.spawn(Part::Runner, &ends, runner.run(waiting)));
    tasks.push(driver.spawn(Part::Generator, &ends, generator.run()));
    let mut receiving = sources.len();
    for (index, source) in sources.into_iter().enumerate() {
        let supervisor = driver.supervisor(SourceId(index as u32), &backlog, &stop);
        tasks.push(driver.spawn(Part::Receiver, &ends, source.receive(supervisor)));
    }
    let mut stopping = false;
    loop {
        if stopping && receiving == 0 {
            drain.raise();
        }
        tokio::select! {
            biased;
            end = ended.recv() => match end.expect("this task holds a sender") {
                (_, Err(error)) => return Err(error),
                (Part::Receiver, Ok(())) => receiving -= 1,
                (Part::Generator | Part::SnapshotWriter, Ok(())) => {}
                (Part::Runner, Ok(())) => return Ok(()),
            },
            () = stop.raised(), if !stopping => {
                stopping = true;
                driver.listeners.tell(&Event::Stopping);
            }
        }
    }
}

/// Runs what earlier lives have left.
async fn catch_up(
    runner: &mut Runner,
    state_replays: Vec<BatchBlocks>,
    mut pending: Vec<BatchBlocks>,
) -> Result<()> {
    runner.replay_state(&state_replays).await?;
    drop(state_replays);
    while !pending.is_empty() {
        let rest = pending.split_off(pending.len().min(REPLAYED_AT_ONCE_MAX));
        runner.run_group(std::mem::replace(&mut pending, rest)).await?;
    }
    Ok(())
}

/// A task of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Receiver,
    Generator,
    Runner,
    SnapshotWriter,
}

impl Part {
    /// Its name, for people.
    fn name(self) -> &'static str {
        match self {
            Part::Receiver => "receiver",
            Part::Generator => "batch generator",
            Part::Runner => "batch runner",
            Part::SnapshotWriter => "snapshot writer",
        }
    }
}

/// How a task has ended.
pub(super) type End = (Part, Result<()>);
type Ends = mpsc::UnboundedSender<End>;

/// Tells of a task's end, also of one that ends by a panic.
struct EndTeller {
    ends: Ends,
    part: Part,
    result: Option<Result<()>>,
}

impl Drop for EndTeller {
    fn drop(&mut self) {
        let result = self.result.take().unwrap_or(Err(Error::TaskLost { task: self.part.name() }));
        // The driver may have ended before.
        let _ = self.ends.send((self.part, result));
    }
}

impl Driver {
    fn supervisor(&self, source: SourceId, backlog: &Arc<Backlog>, stop: &Flag) -> ReceiverSupervisor {
        let (env, listeners) = (self.env.clone(), self.listeners.clone());
        ReceiverSupervisor::new(env, source, backlog.clone(), stop.clone(), listeners)
    }

    fn spawn(
        &self,
        part: Part,
        ends: &Ends,
        work: impl Future<Output = Result<()>> + Send + 'static,
    ) -> Box<dyn Task> {
        let ends = ends.clone();
        self.env.executor.spawn(
            part.name(),
            Box::pin(async move {
                let mut teller = EndTeller { ends, part, result: None };
                teller.result = Some(work.await);
            }),
        )
    }
}
