//! Living through a run: the driver is started, dies as planned, and is started again, until the world has healed and all
//! that was sent is processed; then it is asked to stop.
//!
//! A driver that ends with an error is started again after a second, as a process supervisor would do, unless the error says
//! that the same start would fail again.

use super::{
    Emission, Evidence, Found, LifeEnd, LifeEvidence, RunOptions, Simulated, TappedBatch, found, tap,
};
use crate::{
    disk::ContentChange,
    fault::{Fault, FaultOutcome, Plan, Trigger},
    scenario::Scenario,
    simulation::{Panicked, WorldOptions, run_simulation},
    source::{Ledger, Mode, Script, Source},
    world::{Crashed, Life, Node, VirtualTime, World},
};
use highwater_core::{Error, StreamingContext, env::Env, event::Event};
use std::{
    ops::ControlFlow,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::watch;

pub(super) const CHECKPOINT: &str = "/checkpoint";
pub(super) const TAP: &str = "/output/tap";
pub(super) const OUTPUT: &str = "/output/out";

/// The longest that a run may take, after the last fault and the last line, until everything is processed: in virtual time.
pub const LIVENESS_BOUND: Duration = Duration::from_secs(30);
/// How long a supervisor waits before it starts a driver again that ended with an error.
const RESTART_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How often the supervisor looks whether the run is done.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long the run goes on after everything was delivered, so that it is in batches and checkpoints.
const SETTLE: Duration = Duration::from_millis(2500);

type Events = Arc<Mutex<Vec<(VirtualTime, Event)>>>;

/// Lives through one run.
pub(crate) fn simulate(scenario: &Scenario, script: &Script, plan: &Plan, options: &RunOptions) -> Simulated {
    run_simulation(world_options(plan, options), |world| async move {
        let mut run = Supervisor::new(scenario, script, plan, world);
        let converged = run.live().await;
        run.evidence(converged)
    })
}

/// Lives through a run until a life is about to begin: what that life finds. `None` if it never begins.
pub(crate) fn simulate_until(
    life: Life,
    scenario: &Scenario,
    script: &Script,
    plan: &Plan,
    options: &RunOptions,
) -> Result<Option<Found>, Panicked> {
    run_simulation(world_options(plan, options), |world| async move {
        let mut run = Supervisor::new(scenario, script, plan, world);
        while run.next_life() != life {
            if run.live_once().await.is_break() {
                return None;
            }
        }
        let interval_ms = scenario.options.batch_interval.millis();
        let key = found::key(&run.world, &run.ledger, &run.lives, interval_ms);
        Some(Found { key, at_risk: run.world.at_risk() })
    })
}

fn world_options(plan: &Plan, options: &RunOptions) -> WorldOptions {
    WorldOptions {
        trace: options.trace,
        sabotage: options.sabotage.clone(),
        record_steps: options.record_steps || plan.faults.is_empty(),
        ..WorldOptions::seeded(options.seed)
    }
}

/// When the last line is sent and the last fault with a time of its own is over.
fn quiet_at(script: &Script, plan: &Plan) -> VirtualTime {
    let last_line_ms = script.lines.last().map_or(0, |line| line.at_ms);
    let fault_ms = |fault: &Fault| match fault.trigger() {
        Some(Trigger::Time { at_ms }) => at_ms.saturating_add(fault.lasts_ms()),
        _ => 0,
    };
    VirtualTime::from_millis(plan.faults.iter().map(fault_ms).max().unwrap_or(0).max(last_line_ms))
}

/// When the last of the faults that fired was over.
fn last_fault_over(faults: &[FaultOutcome]) -> VirtualTime {
    let over = faults.iter().filter_map(|outcome| {
        let firing = outcome.firing.as_ref()?;
        Some(firing.at.after_nanos(outcome.fault.lasts_ms().saturating_mul(1_000_000)))
    });
    over.max().unwrap_or_default()
}

struct Supervisor<'a> {
    scenario: &'a Scenario,
    world: Arc<World>,
    ledger: Ledger,
    driver: Node,
    quiet_at: VirtualTime,
    lives: Vec<LifeEvidence>,
}

/// What ended the waiting for a life.
enum Ended {
    Crashed(Crashed),
    Itself(Result<(), Error>),
    OutOfTime,
}

impl<'a> Supervisor<'a> {
    fn new(scenario: &'a Scenario, script: &Script, plan: &Plan, world: Arc<World>) -> Self {
        let source = Source { address: Source::ADDRESS.into(), mode: scenario.mode, script: script.clone() };
        let ledger = source.start(&world);
        let driver = world.add_node("driver");
        world.arm(plan, &driver);
        let quiet_at = quiet_at(script, plan);
        Self { scenario, world, ledger, driver, quiet_at, lives: Vec::new() }
    }

    /// Starts the driver again and again until the run is done. An error says why it never was.
    async fn live(&mut self) -> Result<(), String> {
        loop {
            if let ControlFlow::Break(done) = self.live_once().await {
                return done;
            }
        }
    }

    /// One life, and the pause after it if there is to be another one.
    async fn live_once(&mut self) -> ControlFlow<Result<(), String>> {
        let (ended, life) = self.one_life().await;
        let pause = match &ended {
            Ended::Crashed(crashed) => crashed.restart_after,
            Ended::Itself(Ok(())) => return ControlFlow::Break(Ok(())),
            Ended::Itself(Err(error)) if error.is_unusable_input() => {
                return ControlFlow::Break(Err(format!("life {life} cannot go on: {error}")));
            }
            Ended::Itself(Err(_)) => RESTART_AFTER_FAILURE,
            Ended::OutOfTime => return ControlFlow::Break(Err(self.why_not_done())),
        };
        if self.out_of_time() {
            return ControlFlow::Break(Err(self.why_not_done()));
        }
        self.world.sleep(pause).await;
        ControlFlow::Continue(())
    }

    /// The life that begins next.
    fn next_life(&self) -> Life {
        self.lives.last().map_or(Life::FIRST, |last| last.life.next())
    }

    async fn one_life(&mut self) -> (Ended, Life) {
        let image = self.world.files();
        let began_at = self.world.now();
        let events: Events = Arc::default();
        let stop = watch::Sender::new(false);
        let (scenario, stopping) = (self.scenario.clone(), stop.subscribe());
        let listener = {
            let (world, events) = (self.world.clone(), events.clone());
            move |event: &Event| events.lock().expect("no panic holds it").push((world.now(), event.clone()))
        };
        let task = self.driver.start(|env| drive(env, scenario, listener, stopping));
        let life = self.driver.life().expect("it was started");
        let mut task = std::pin::pin!(task);
        let mut delivered_at = None;
        let ended = loop {
            tokio::select! {
                biased;
                crashed = self.world.crashed() => break Ended::Crashed(crashed),
                result = &mut task => match result {
                    Ok(result) => break Ended::Itself(result),
                    // Killed: the crash will be told.
                    Err(_) => break Ended::Crashed(self.world.crashed().await),
                },
                () = self.world.sleep(LOOK_EVERY) => {}
            }
            if self.out_of_time() {
                break Ended::OutOfTime;
            }
            let delivered = match self.scenario.mode {
                Mode::Resume => self.ledger.all_acknowledged(),
                Mode::Tcp => self.ledger.all_delivered(),
            };
            if !delivered || self.world.now() < self.quiet_at {
                delivered_at = None;
                continue;
            }
            let now = self.world.now();
            let since = *delivered_at.get_or_insert(now);
            if now.0 - since.0 >= SETTLE.as_nanos() as u64 {
                stop.send_replace(true);
            }
        };
        let end = match &ended {
            Ended::Crashed(crashed) => {
                LifeEnd::Crashed { fault: crashed.fault, power_loss: crashed.power_loss }
            }
            Ended::Itself(Ok(())) => LifeEnd::Stopped,
            Ended::Itself(Err(error)) => LifeEnd::Failed { error: error.to_string() },
            Ended::OutOfTime => LifeEnd::CutOff,
        };
        let events = std::mem::take(&mut *events.lock().expect("no panic holds it"));
        let ended_at = self.world.now();
        let (disk_operations, network_operations) = (0, 0);
        self.lives.push(LifeEvidence {
            life,
            began_at,
            ended_at,
            end,
            image,
            events,
            disk_operations,
            network_operations,
        });
        (ended, life)
    }

    fn out_of_time(&self) -> bool {
        let from = self.quiet_at.max(last_fault_over(&self.world.fault_outcomes()));
        self.world.now().0 > from.0 + LIVENESS_BOUND.as_nanos() as u64
    }

    fn why_not_done(&self) -> String {
        let report = self.ledger.report();
        format!(
            "{} of {} lines sent, {} acknowledged {} s after the world healed",
            report.sent,
            report.lines,
            report.acknowledged,
            LIVENESS_BOUND.as_secs()
        )
    }

    fn evidence(mut self, converged: Result<(), String>) -> (Evidence, Vec<crate::world::TraceEntry>) {
        for (life, counted) in self.lives.iter_mut().zip(self.driver.lives()) {
            life.disk_operations = counted.disk_operations;
            life.network_operations = counted.network_operations;
        }
        let faults = self.world.fault_outcomes();
        let healed_at = self.quiet_at.max(last_fault_over(&faults));
        let evidence = Evidence {
            lives: self.lives,
            last_image: self.world.files(),
            graveyard: self.world.graveyard(),
            emissions: emissions(&self.world),
            source: self.ledger.report(),
            connections: self.world.connections(),
            faults,
            steps: self.world.steps(),
            network_operations: self.world.network_operations(),
            usage: self.world.usage(),
            converged,
            healed_at,
            ended_at: self.world.now(),
            hash: self.world.rolling_hash(),
        };
        (evidence, self.world.take_trace())
    }
}

/// The appends to the output files. The tap is the first output of a batch, so what a life appends to the pipeline's output
/// belongs to the batch that it tapped last.
fn emissions(world: &World) -> Vec<Emission> {
    let mut tapped: (Option<Life>, Option<highwater_core::BatchTime>) = (None, None);
    let mut emissions = Vec::new();
    for change in world.output_changes() {
        let ContentChange::Append { bytes, .. } = change.change else { continue };
        let tap = change.path == TAP;
        if tap {
            let time = TappedBatch::parse(&bytes).map(|(batch, _)| batch.time);
            tapped = (Some(change.life), time);
        }
        let time = tapped.1.filter(|_| tapped.0 == Some(change.life));
        emissions.push(Emission { life: change.life, at: change.at, time, tap, bytes });
    }
    emissions
}

/// The driver's program: what a user's `main` does.
async fn drive(
    env: Env,
    scenario: Scenario,
    listener: impl Fn(&Event) + Send + Sync + 'static,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), Error> {
    env.disk.create_dir(Path::new("/output")).await.map_err(|source| Error::Disk {
        operation: "create the directory",
        path: "/output".into(),
        source,
    })?;
    let url = match scenario.mode {
        Mode::Tcp => format!("tcp://{}", Source::ADDRESS),
        Mode::Resume => format!("resume://{}", Source::ADDRESS),
    };
    let mut context = StreamingContext::get_or_create(env, CHECKPOINT, |env| {
        let context = StreamingContext::new(env, scenario.options.clone())?;
        context.add_listener(listener);
        let lines = context.socket_text_stream(&url)?;
        lines.clone().write_text(TAP, tap::format);
        (scenario.build)(lines, Path::new(OUTPUT));
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
