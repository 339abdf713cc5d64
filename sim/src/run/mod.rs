//! One run: a scenario's workload under a plan of faults, from the first start to the healed end, and its judgement.
//!
//! `supervise` lives through the run inside the simulation, as a process supervisor would; what it saw is the [`Evidence`].
//! The run without faults is the reference. The judges read both; the [`RunReport`] is the whole story as plain data.

mod detail;
mod evidence;
mod found;
mod life;
mod lives;
mod price;
mod report;
mod supervise;
mod tap;

pub use detail::{Connection, Detail, Sent};
pub(crate) use evidence::output_heading;
pub use evidence::{Cause, Emission, Evidence, Image, LifeEnd, LifeEvidence, StopAsked};
pub(crate) use found::Found;
pub use lives::LifeSummary;
pub use price::Restart;
pub use report::{Happening, LedgerSummary, RunReport, TimelineEntry, Totals};
pub(crate) use supervise::{simulate, simulate_until};
pub use tap::TappedBatch;

use crate::{
    fault::{Bounds, DiskOperation, Family, FaultKind, Place, Plan, Step, StepMade},
    judge,
    sabotage::Sabotage,
    scenario::{Feed, Scenario},
    simulation::Panicked,
    source::{Mode, Script},
    world::TraceEntry,
};
use std::collections::{BTreeMap, BTreeSet};
use xxhash_rust::xxh3::xxh3_64;

/// What to run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Draws the workload, the plan, and all else.
    pub seed: u64,
    /// The faults; drawn from the seed if absent.
    pub plan: Option<Plan>,
    /// The classes of faults that may be drawn.
    pub faults: Vec<FaultKind>,
    /// Promises that the world breaks.
    pub sabotage: BTreeSet<Sabotage>,
    /// Keep a trace of every operation.
    pub trace: bool,
    /// Record the driver's operations, also in a run with faults.
    pub record_steps: bool,
    /// Gather what a page shows beside the story; the run is the same with it.
    pub detail: bool,
}

impl RunOptions {
    /// The run of a seed, with all faults allowed.
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            plan: None,
            faults: FaultKind::swept(),
            sabotage: BTreeSet::new(),
            trace: false,
            record_steps: false,
            detail: false,
        }
    }
}

/// A run that was judged.
#[derive(Debug)]
pub struct Run {
    /// Its story.
    pub report: RunReport,
    /// Every operation, if it was asked for.
    pub trace: Vec<TraceEntry>,
}

/// Runs a scenario under faults, and judges it.
pub fn run(scenario: &Scenario, options: &RunOptions) -> Run {
    let mut script = scenario.workload(options.seed);
    if let Some(lines) = options.plan.as_ref().and_then(|plan| plan.lines) {
        script.cut(lines);
    }
    let calm = supervise::simulate(scenario, &script, &Plan::calm(), options);
    let plan = options.plan.clone().unwrap_or_else(|| {
        Plan::draw(plan_seed(scenario, options.seed), &bounds(&calm, &script, scenario, options))
    });
    let faulty = match plan.faults.is_empty() {
        true => calm.clone(),
        false => supervise::simulate(scenario, &script, &plan, options),
    };
    let reference = calm.as_ref().ok().map(|(evidence, _)| evidence);
    judged(scenario, &script, options, plan, faulty, reference)
}

/// The seed of the plan: scenarios share the seeds of a sweep, and each has plans of its own.
fn plan_seed(scenario: &Scenario, seed: u64) -> u64 {
    seed ^ xxh3_64(scenario.name.as_bytes())
}

/// Judges a run that was lived through, with the run without faults as its reference, if there is one.
pub(crate) fn judged(
    scenario: &Scenario,
    script: &Script,
    options: &RunOptions,
    plan: Plan,
    simulated: Simulated,
    reference: Option<&Evidence>,
) -> Run {
    match simulated {
        Ok((evidence, trace)) => {
            let case = judge::Case { scenario, script, evidence: &evidence, reference };
            let verdicts = judge::judge_all(&case);
            Run { report: RunReport::new(scenario, options, script, evidence, reference, verdicts), trace }
        }
        Err(panicked) => {
            Run { report: RunReport::panicked(scenario, options, plan, &panicked), trace: Vec::new() }
        }
    }
}

pub(crate) type Simulated = Result<(Evidence, Vec<TraceEntry>), Panicked>;

/// What a plan may contain, from what the run without faults did: so that most triggers are reached.
fn bounds(calm: &Simulated, script: &Script, scenario: &Scenario, options: &RunOptions) -> Bounds {
    let pointless = match scenario.mode {
        // It hears nothing, late or not.
        Mode::Tcp => FaultKind::LateData,
        // It sends what it is asked for.
        Mode::Resume => FaultKind::Repeat,
    };
    let reaches = |kind: FaultKind| match scenario.feed {
        Feed::Socket => true,
        // There is no connection, and `far-ahead` needs none.
        Feed::Directory => kind.family() != Family::Network || kind == FaultKind::FarAhead,
    };
    let kinds = options.faults.iter().copied().filter(|kind| *kind != pointless && reaches(*kind)).collect();
    let last_line_ms = script.lines.last().map_or(0, |line| line.at_ms);
    // Each scenario begins its round elsewhere.
    let turn = Some(options.seed.wrapping_add(4 * (xxh3_64(scenario.name.as_bytes()) % 1024)));
    let mut bounds = Bounds { kinds, last_line_ms, turn, source_bytes: script.bytes(), ..Bounds::default() };
    if let Ok((calm, _)) = calm
        && let Some(life) = calm.lives.first()
    {
        bounds.disk_operations = life.disk_operations.max(1);
        let mut steps: BTreeMap<Step, Vec<u64>> = BTreeMap::new();
        for made in &calm.steps {
            steps.entry(made.step).or_default().push(made.number);
        }
        bounds.steps = steps.into_iter().collect();
        bounds.rolls = rolls(&calm.steps);
        let append = Step { operation: DiskOperation::Append, place: Place::Journal };
        bounds.journal_appends = calm.steps.iter().filter(|made| made.step == append).cloned().collect();
        bounds.network_operations = life.network_operations.max(1);
        bounds.horizon_ms = calm.ended_at.millis().max(1000);
    }
    scenario.limits.narrow(&mut bounds);
    bounds
}

/// Where the journal goes on to its next segment, as [`Bounds::rolls`] has it.
fn rolls(steps: &[StepMade]) -> Vec<Vec<StepMade>> {
    let is = |made: &StepMade, operation| made.step == Step { operation, place: Place::Journal };
    let begun = (0..steps.len()).filter(|at| is(&steps[*at], DiskOperation::CreateNew));
    let of_one = |begun: usize| {
        let last = steps[..begun].iter().rposition(|made| is(made, DiskOperation::Append));
        steps[last.map_or(0, |last| last + 1)..=begun].to_vec()
    };
    // The first is the start's.
    begun.skip(1).map(of_one).collect()
}
