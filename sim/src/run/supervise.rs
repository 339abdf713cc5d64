//! Living through a run: the driver is started, dies as planned, and is started again, until the world has healed and all
//! that was sent is processed; then it is asked to stop.
//!
//! A driver that ends with an error is started again after a second, as a process supervisor would do, unless the error
//! says that the same start would fail again. A driver that is taken for dead is replaced while it lives: then there are
//! two, until the older one finds out.

use super::{
    Cause, Emission, Evidence, Found, LifeEnd, LifeEvidence, RunOptions, Simulated, TappedBatch,
    evidence::hidden_name,
    found,
    life::{Running, end_of},
};
use crate::{
    disk::ContentChange,
    fault::{Fault, FaultOutcome, Plan},
    scenario::{Feed, Scenario},
    simulation::{Panicked, WorldOptions, run_simulation},
    source::{Ledger, Mode, Script, Source},
    world::{Crashed, Life, Node, Order, VirtualTime, World},
};
use highwater_core::Error;
use madsim::task::JoinError;
use std::{collections::BTreeMap, future::poll_fn, ops::ControlFlow, sync::Arc, task::Poll, time::Duration};

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
/// As [`SETTLE`], where everything is delivered when it is on the disk, and the driver has to find it there yet: it looks every second,
/// and a fault may hold it up.
const SETTLE_IN_DIRECTORY: Duration = Duration::from_secs(10);

/// How many operations and turns more than the world's own limit a run may make for each line of its workload.
const OPERATIONS_PER_LINE_MAX: u64 = 1000;

/// Lives through one run.
pub(crate) fn simulate(scenario: &Scenario, script: &Script, plan: &Plan, options: &RunOptions) -> Simulated {
    run_simulation(world_options(script, plan, options), |world| async move {
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
    run_simulation(world_options(script, plan, options), |world| async move {
        let mut run = Supervisor::new(scenario, script, plan, world);
        while run.life_due() != Some(life) {
            if run.go_on().await.is_break() {
                return None;
            }
        }
        let interval_ms = scenario.options.batch_interval.millis();
        let key = found::key(&run.world, &run.ledger, run.lives.values(), interval_ms);
        Some(Found { key, at_risk: run.world.at_risk() })
    })
}

fn world_options(script: &Script, plan: &Plan, options: &RunOptions) -> WorldOptions {
    let world = WorldOptions::seeded(options.seed);
    WorldOptions {
        operations_max: world.operations_max + OPERATIONS_PER_LINE_MAX * script.lines.len() as u64,
        trace: options.trace,
        sabotage: options.sabotage.clone(),
        record_steps: options.record_steps || options.detail || plan.faults.is_empty(),
        ..world
    }
}

/// When the last line is sent and the last fault with a time of its own is over.
fn quiet_at(script: &Script, plan: &Plan) -> VirtualTime {
    let last_line_ms = script.lines.last().map_or(0, |line| line.at_ms);
    let fault_ms = |fault: &Fault| fault.at_ms().map_or(0, |at_ms| at_ms.saturating_add(fault.lasts_ms()));
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
    /// The newest life, if it is up.
    newest: Option<Running>,
    /// Older lives that were taken for dead, and live.
    zombies: Vec<Running>,
    /// When to start the next life.
    start_at: Option<VirtualTime>,
    /// The next life is started so long after this one, which was asked to stop, has ended.
    restart_after_stop: Option<(Life, Duration)>,
    /// When the last planned end of a life was over: crash loops and stops come when they come.
    down_until: VirtualTime,
    /// Since when everything is delivered and nothing more is to come.
    delivered_since: Option<VirtualTime>,
    lives: BTreeMap<Life, LifeEvidence>,
}

/// What a supervisor hears of.
enum News {
    Crashed(Crashed),
    /// A life ended by itself; an error if it was killed.
    Ended(Life, Result<Result<(), Error>, JoinError>),
    Ordered(Order),
    Look,
}

impl<'a> Supervisor<'a> {
    fn new(scenario: &'a Scenario, script: &Script, plan: &Plan, world: Arc<World>) -> Self {
        let source = Source { address: Source::ADDRESS.into(), mode: scenario.mode, script: script.clone() };
        let ledger = match scenario.feed {
            Feed::Socket => source.start(&world),
            Feed::Directory => source.start_in_directory(&world),
        };
        let driver = world.add_node("driver");
        world.arm(plan, &driver);
        let start_at = Some(world.now());
        Self {
            scenario,
            world,
            ledger,
            driver,
            quiet_at: quiet_at(script, plan),
            newest: None,
            zombies: Vec::new(),
            start_at,
            restart_after_stop: None,
            down_until: VirtualTime::default(),
            delivered_since: None,
            lives: BTreeMap::new(),
        }
    }

    /// Starts the driver again and again until the run is done. An error says why it never was.
    async fn live(&mut self) -> Result<(), String> {
        loop {
            if let ControlFlow::Break(done) = self.go_on().await {
                return done;
            }
        }
    }

    /// Starts a life if one is due, and does what the next news asks for.
    async fn go_on(&mut self) -> ControlFlow<Result<(), String>> {
        self.start_if_due();
        match self.news().await {
            News::Crashed(crashed) => self.crashed(&crashed),
            News::Ended(life, result) => {
                if let Some(done) = self.ended(life, result) {
                    return ControlFlow::Break(done);
                }
            }
            News::Ordered(order) => self.obey(order),
            News::Look => self.stop_if_done(),
        }
        match self.out_of_time() {
            true => ControlFlow::Break(Err(self.why_not_done())),
            false => ControlFlow::Continue(()),
        }
    }

    /// The life that begins now.
    fn life_due(&self) -> Option<Life> {
        let due = self.start_at.is_some_and(|at| at <= self.world.now());
        due.then(|| self.driver.life().map_or(Life::FIRST, Life::next))
    }

    fn start_if_due(&mut self) {
        if self.life_due().is_some() {
            self.start_at = None;
            self.zombies.extend(self.newest.take());
            self.newest = Some(Running::start(self.scenario, &self.driver, &self.world));
        }
    }

    async fn news(&mut self) -> News {
        let next_look = self.world.now().after_nanos(LOOK_EVERY.as_nanos() as u64);
        let next_look = self.start_at.map_or(next_look, |start_at| start_at.min(next_look));
        let lives = &mut self.zombies;
        let newest = &mut self.newest;
        let ended = poll_fn(|context| {
            for running in newest.iter_mut().chain(lives.iter_mut()) {
                if let Poll::Ready(result) = running.poll_end(context) {
                    return Poll::Ready(News::Ended(running.life, result));
                }
            }
            Poll::Pending
        });
        tokio::select! {
            biased;
            crashed = self.world.crashed() => News::Crashed(crashed),
            ended = ended => ended,
            order = self.world.ordered() => News::Ordered(order),
            () = self.world.sleep_until(next_look) => News::Look,
        }
    }

    /// A planned crash has ended a life: an older one, or the newest, and with its power also the older ones.
    fn crashed(&mut self, crashed: &Crashed) {
        let end = LifeEnd::Crashed { fault: crashed.fault, power_loss: crashed.power_loss };
        if let Some(at) = self.zombies.iter().position(|zombie| zombie.life == crashed.life) {
            // Its successor is under way.
            let zombie = self.zombies.remove(at);
            return self.tell(zombie, end);
        }
        if let Some(newest) = self.newest.take() {
            self.tell(newest, end.clone());
        }
        if crashed.power_loss {
            for zombie in std::mem::take(&mut self.zombies) {
                self.tell(zombie, end.clone());
            }
        }
        let pause = u64::try_from(crashed.restart_after.as_nanos()).unwrap_or(u64::MAX);
        self.start_by(crashed.at.after_nanos(pause));
        self.down_until = self.down_until.max(crashed.at.after_nanos(pause));
    }

    /// A life ended by itself. What the run comes to, if that ends it.
    fn ended(
        &mut self,
        life: Life,
        result: Result<Result<(), Error>, JoinError>,
    ) -> Option<Result<(), String>> {
        // Killed: the crash was told before.
        let result = result.ok()?;
        self.driver.end(life);
        let end = end_of(&result);
        let now = self.world.now();
        let Some(newest) = self.newest.take_if(|newest| newest.life == life) else {
            if let Some(at) = self.zombies.iter().position(|zombie| zombie.life == life) {
                let zombie = self.zombies.remove(at);
                self.tell(zombie, end);
            }
            return None;
        };
        let began_at = newest.began_at;
        self.tell(newest, end);
        let mut others = self.lives.values().filter(|other| other.life != life);
        let had_company = !self.zombies.is_empty() || others.any(|other| other.ended_at >= began_at);
        match (result, self.restart_after_stop.take_if(|(stopped, _)| *stopped == life)) {
            (Ok(()), Some((_, after))) => {
                let start_at = now.after_nanos(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX));
                self.start_by(start_at);
                self.down_until = self.down_until.max(start_at);
                None
            }
            (Ok(()), None) => Some(Ok(())),
            // One that is refused because an older one lived is let in once that one's lease is over, and after one that is refused
            // because it is of another program the right one is started.
            (Err(error), _)
                if error.is_unusable_input()
                    && !self.world.is_other_program(life)
                    && (!had_company || Cause::of(&error) != Cause::InUse) =>
            {
                Some(Err(format!("life {life} cannot go on: {error}")))
            }
            (Err(_), _) => {
                self.start_by(now.after_nanos(RESTART_AFTER_FAILURE.as_nanos() as u64));
                None
            }
        }
    }

    fn obey(&mut self, order: Order) {
        let Some(newest) = &mut self.newest else { return };
        match order {
            Order::Replace { life, at } if life == newest.life => self.start_by(at),
            Order::Stop { life, restart_after } if life == newest.life => {
                // One that has been asked because everything is done needs no other life after it.
                if newest.stop.is_none() {
                    self.restart_after_stop = Some((life, restart_after));
                    newest.ask_to_stop(&self.world);
                }
            }
            Order::Replace { .. } | Order::Stop { .. } => {}
        }
    }

    /// The next life starts then, or before if it was to start before.
    fn start_by(&mut self, at: VirtualTime) {
        self.start_at = Some(self.start_at.map_or(at, |planned| planned.min(at)));
    }

    fn stop_if_done(&mut self) {
        let delivered = match self.scenario.mode {
            Mode::Resume => self.ledger.all_acknowledged(),
            Mode::Tcp => self.ledger.all_delivered(),
        };
        let now = self.world.now();
        let one_driver = self.zombies.is_empty() && self.start_at.is_none();
        let (quiet_at, settle) = match self.scenario.feed {
            Feed::Socket => (self.quiet_at, SETTLE),
            Feed::Directory => (self.quiet_at.max(self.last_fault_over()), SETTLE_IN_DIRECTORY),
        };
        let Some(newest) = self.newest.as_mut().filter(|_| delivered && one_driver && now >= quiet_at) else {
            self.delivered_since = None;
            return;
        };
        let since = *self.delivered_since.get_or_insert(now);
        if now.0 - since.0 >= settle.as_nanos() as u64 {
            newest.ask_to_stop(&self.world);
        }
    }

    fn tell(&mut self, running: Running, end: LifeEnd) {
        self.delivered_since = None;
        self.lives.insert(running.life, running.evidence(end, &self.world));
    }

    /// When the last of the faults that came to something was over.
    fn last_fault_over(&self) -> VirtualTime {
        last_fault_over(&self.world.fault_outcomes()).max(self.down_until)
    }

    fn out_of_time(&self) -> bool {
        let from = self.quiet_at.max(self.last_fault_over());
        self.world.now() > from.after_nanos(LIVENESS_BOUND.as_nanos() as u64)
    }

    fn why_not_done(&self) -> String {
        if let Some(zombie) = self.zombies.first() {
            let (life, newer) = (zombie.life, self.driver.life().unwrap_or(zombie.life));
            return format!(
                "life {life} lives {} s after the last fault, though life {newer} replaced it",
                LIVENESS_BOUND.as_secs()
            );
        }
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
        let left = std::mem::take(&mut self.zombies);
        for running in left.into_iter().chain(self.newest.take()) {
            self.tell(running, LifeEnd::CutOff);
        }
        let healed_at = self.quiet_at.max(self.last_fault_over());
        let mut lives: Vec<LifeEvidence> = std::mem::take(&mut self.lives).into_values().collect();
        for (life, counted) in lives.iter_mut().zip(self.driver.lives()) {
            life.disk_operations = counted.disk_operations;
            life.network_operations = counted.network_operations;
        }
        let faults = self.world.fault_outcomes();
        let evidence = Evidence {
            lives,
            last_image: self.world.files(),
            last_pristine: self.world.pristine_of_damaged_files(),
            graveyard: self.world.graveyard(),
            published: self.world.published(),
            emissions: emissions(&self.world),
            source: self.ledger.report(),
            connections: self.world.connections(),
            faults,
            steps: self.world.steps(),
            network_operations: self.world.network_operations(),
            damages: self.world.damaged_files(),
            failures: self.world.failed_operations(),
            reached: self.world.reached(),
            refused: self.world.refused(),
            usage: self.world.usage(),
            converged,
            healed_at,
            ended_at: self.world.now(),
            hash: self.world.rolling_hash(),
        };
        (evidence, self.world.take_trace())
    }
}

/// What was written to the output files. The tap is the first output of a batch, so what a life appends to the pipeline's output
/// belongs to the batch that it tapped last.
fn emissions(world: &World) -> Vec<Emission> {
    let mut tapped: BTreeMap<Life, Option<highwater_core::BatchTime>> = BTreeMap::new();
    let mut emissions = Vec::new();
    for change in world.output_changes() {
        let ContentChange::Write { offset, bytes } = change.change else { continue };
        let tap = change.path == TAP;
        if tap {
            let time = TappedBatch::parse(&bytes).map(|(batch, _)| batch.time);
            tapped.insert(change.life, time);
        }
        let time = tapped.get(&change.life).copied().flatten();
        emissions.push(Emission {
            life: change.life,
            at: change.at,
            time,
            tap,
            path: placed(change.path),
            offset,
            bytes,
        });
    }
    emissions
}

/// Where a file will be that is put in its place as a whole: `.part-00000.0000000002` becomes `part-00000`.
fn placed(path: String) -> String {
    match hidden_name(&path).and_then(|(directory, name)| Some((directory, name.rsplit_once('.')?.0))) {
        Some((directory, name)) => format!("{directory}{name}"),
        None => path,
    }
}
