//! A life of the driver under way, as its supervisor sees it: the program, what it says, and how it can be asked to stop.

use super::{Cause, Image, LifeEnd, LifeEvidence, StopAsked, supervise, tap};
use crate::{
    scenario::{Feed, Scenario},
    source::{self, Mode, Source},
    world::{Life, Node, VirtualTime, World},
};
use highwater_core::{DStream, Data, Error, StreamingContext, Text, env::Env, event::Event, sink::Batch};
use madsim::task::{JoinError, JoinHandle};
use std::{
    future::Future,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};
use tokio::sync::watch;

/// What was heard of a life, and the disk that it found.
struct Heard {
    image: Image,
    pristine: Image,
    events: Vec<(VirtualTime, Event)>,
    /// Who held a lock when it said that it had stopped.
    holders: Vec<Life>,
}

/// A life under way.
pub(super) struct Running {
    pub life: Life,
    pub began_at: VirtualTime,
    heard: Arc<Mutex<Heard>>,
    task: JoinHandle<Result<(), Error>>,
    asking: watch::Sender<bool>,
    pub stop: Option<StopAsked>,
}

impl Running {
    /// Starts the next life, beside the one that is under way if there is one.
    pub fn start(scenario: &Scenario, driver: &Node, world: &Arc<World>) -> Self {
        let heard = Arc::new(Mutex::new(Heard {
            image: world.files(),
            pristine: world.pristine_of_damaged_files(),
            events: Vec::new(),
            holders: Vec::new(),
        }));
        let began_at = world.now();
        let asking = watch::Sender::new(false);
        let (scenario, stopping) = (scenario.clone(), asking.subscribe());
        let listener = {
            let (world, heard) = (world.clone(), heard.clone());
            move |event: &Event| {
                let mut heard = lock(&heard);
                if matches!(event, Event::GenerationClaimed { .. }) {
                    heard.image = world.files();
                    heard.pristine = world.pristine_of_damaged_files();
                }
                if matches!(event, Event::Stopped { .. }) {
                    heard.holders = world.lock_holders();
                }
                heard.events.push((world.now(), event.clone()));
            }
        };
        let task = driver.start_beside(|env| {
            let is_other = driver.life().is_some_and(|life| world.is_other_program(life));
            drive(env, scenario, is_other, listener, stopping)
        });
        let life = driver.life().expect("it was started");
        Self { life, began_at, heard, task, asking, stop: None }
    }

    /// Asks for an orderly stop.
    pub fn ask_to_stop(&mut self, world: &World) {
        if self.stop.is_none() {
            let delivered = world.connections().into_iter().map(|it| (it.number, it.delivered)).collect();
            self.stop = Some(StopAsked { at: world.now(), delivered });
            self.asking.send_replace(true);
        }
    }

    /// How it ended, once it has; an error if it was killed.
    pub fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<Result<Result<(), Error>, JoinError>> {
        Pin::new(&mut self.task).poll(context)
    }

    /// What there is to tell of it.
    pub fn evidence(self, end: LifeEnd, world: &World) -> LifeEvidence {
        let mut heard = lock(&self.heard);
        LifeEvidence {
            life: self.life,
            began_at: self.began_at,
            ended_at: world.now(),
            end,
            image: std::mem::take(&mut heard.image),
            pristine: std::mem::take(&mut heard.pristine),
            stop: self.stop,
            held_at_its_end: heard.holders.contains(&self.life),
            events: std::mem::take(&mut heard.events),
            disk_operations: 0,
            network_operations: 0,
        }
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a life ended by itself.
pub(super) fn end_of(result: &Result<(), Error>) -> LifeEnd {
    match result {
        Ok(()) => LifeEnd::Stopped,
        Err(error) => LifeEnd::Failed { error: error.to_string(), cause: Cause::of(error) },
    }
}

/// What comes to the pipeline, with the tap put on it; another program has an operator in its place.
fn tapped<T: Data>(
    input: DStream<T>,
    is_other: bool,
    line: fn(&T) -> &Text,
    format: fn(&Batch<T>) -> String,
) -> DStream<T> {
    match is_other {
        true => input.filter(move |record| line(record).len().is_multiple_of(2)),
        false => {
            input.clone().write_text(supervise::TAP, format);
            input
        }
    }
}

/// The driver's program: what a user's `main` does. `is_other`: it is another one, with the operators of [`OtherProgram`].
///
/// [`OtherProgram`]: crate::fault::OtherProgram
async fn drive(
    env: Env,
    scenario: Scenario,
    is_other: bool,
    listener: impl Fn(&Event) + Send + Sync + 'static,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), Error> {
    env.disk.create_dir(Path::new("/output")).await.map_err(|source| Error::Disk {
        operation: "create the directory",
        path: "/output".into(),
        source,
    })?;
    let url = match (scenario.feed, scenario.mode) {
        (Feed::Directory, _) => source::DIRECTORY.to_owned(),
        (Feed::Socket, Mode::Tcp) => format!("tcp://{}", Source::ADDRESS),
        (Feed::Socket, Mode::Resume) => format!("resume://{}", Source::ADDRESS),
    };
    let mut context = StreamingContext::get_or_create(env, supervise::CHECKPOINT, |env| {
        let context = StreamingContext::new(env, scenario.options.clone())?;
        context.add_listener(listener);
        let lines = (scenario.receive)(&context, &url)?;
        let lines = match scenario.queue.is_empty() {
            true => tapped(lines, is_other, |line| line, tap::format),
            false => {
                let queued = context.queue_stream(scenario.queue.to_vec());
                let queued = queued.map(|line: String| (true, Text::from(line.as_str())));
                let both = lines.map(|line| (false, line)).union(queued);
                tapped(both, is_other, |(_, line)| line, tap::format_tagged).map(|(_, line)| line)
            }
        };
        (scenario.build)(lines, Path::new(supervise::OUTPUT));
        Ok(context)
    })
    .await?;
    context.start().await?;
    let asked = tokio::select! {
        biased;
        ended = context.await_termination() => return ended,
        asked = stopping.wait_for(|stop| *stop) => asked.is_ok(),
    };
    context.stop(asked).await
}
