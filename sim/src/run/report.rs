//! A run's story as plain data: what the reports render and a file keeps.

use super::{Detail, Evidence, LifeEnd, LifeEvidence, LifeSummary, Restart, RunOptions, price};
use crate::{
    fault::{Class, Fault, FaultKind, FaultOutcome, Hit, Place, Plan, Step},
    judge::{Verdict, acknowledged_lines},
    scenario::Scenario,
    simulation::Panicked,
    source::{Mode, Script},
    world::{Life, VirtualTime},
};
use highwater_core::event::Event;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The whole story of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// The scenario.
    pub scenario: String,
    /// The file that describes it, if it is in none of the catalogues: what the command line takes instead of its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario_file: Option<String>,
    /// The seed.
    pub seed: u64,
    /// Whether the plan came from a file instead of the seed.
    pub plan_given: bool,
    /// The file that the plan came from, as whoever read it calls it: a run is given the plan alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_file: Option<String>,
    /// The source had only so many lines of the workload, as the plan says; `None` for all of them.
    pub lines: Option<u64>,
    /// The classes of faults that could be drawn.
    pub faults: Vec<String>,
    /// The promises that were broken on purpose.
    pub sabotage: Vec<String>,
    /// The plan, and what became of each fault.
    pub plan: Vec<FaultOutcome>,
    /// The driver's lives, in the order of their starts.
    pub lives: Vec<LifeSummary>,
    /// What happened.
    pub timeline: Vec<TimelineEntry>,
    /// What became of the records.
    pub ledger: LedgerSummary,
    /// The figures that a sweep adds up.
    pub totals: Totals,
    /// The judges' verdicts; one that did not hold makes the run a failure.
    pub verdicts: Vec<Verdict>,
    /// What the engine owed in this run, by the worst fault that fired: what the judges judged it by.
    pub class: Class,
    /// The error, naming file and offset, with which the driver stopped for good because of damage; the run held if all that
    /// it did before is right.
    pub detected: Option<String>,
    /// Where a life took something that it read for damaged: it passed over a checkpoint, or ended with an error that names the file.
    pub refused: BTreeSet<Place>,
    /// The steps that were hit, by what.
    pub coverage: BTreeSet<(Step, FaultKind)>,
    /// The steps that some life made: what could have been hit.
    pub reached: BTreeSet<Step>,
    /// What each restart cost.
    pub price: Vec<Restart>,
    /// The virtual time that the run took.
    pub took: VirtualTime,
    /// The hash of everything that happened.
    pub hash: String,
    /// What a page shows beside all this; absent where nobody asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Detail>,
}

/// Something that happened, when, in which life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// When.
    pub at: VirtualTime,
    /// In which life of the driver.
    pub life: Life,
    /// What.
    pub happening: Happening,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Happening {
    /// A life began.
    LifeBegan,
    /// A planned fault fired; by its place in the plan.
    FaultFired {
        /// Its place.
        fault: usize,
    },
    /// The driver said something.
    Event(Event),
    /// A life ended by itself with an error.
    LifeFailed {
        /// The error.
        error: String,
    },
    /// The run was over.
    CutOff,
}

/// What became of the source's records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerSummary {
    /// The protocol: `resume` or `tcp`.
    pub protocol: String,
    /// Records there were to send.
    pub records: u64,
    /// Records sent at least once.
    pub sent: u64,
    /// Records acknowledged to the source, or in the journal where the source hears nothing.
    pub acknowledged: u64,
    /// Records in the output.
    pub processed: u64,
    /// Records in the output more than once.
    pub twice: u64,
    /// Acknowledged records that are not in the output.
    pub lost: u64,
    /// Records that died with their connection, never acknowledged: only a source that cannot resume loses these.
    pub died_with_the_socket: u64,
}

/// The figures that a sweep adds up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Lives of the driver.
    pub lives: u64,
    /// Crashes, power losses included.
    pub crashes: u64,
    /// Recoveries that found the end of a write missing.
    pub torn_writes: u64,
    /// Connections that ended by a fault.
    pub drops: u64,
    /// Batches that recoveries set out to run again, for the state or for the output.
    pub replayed_batches: u64,
    /// Emissions of a batch beyond its first.
    pub duplicates: u64,
    /// Records lost after they were acknowledged.
    pub losses: u64,
    /// Invariants broken.
    pub violations: u64,
    /// Planned faults.
    pub planned: u64,
    /// Those of them that never fired.
    pub missed: u64,
    /// Runs in which a fault fired that an engine need only detect.
    pub damaged: u64,
    /// Those of them that ended with an error that names file and offset.
    pub detected: u64,
    /// Nanoseconds of virtual time.
    pub virtual_nanos: u64,
}

impl Totals {
    /// Adds those of another run.
    pub fn add(&mut self, more: &Self) {
        // Taken apart, so that a figure that is added later cannot be forgotten here.
        let Totals {
            lives,
            crashes,
            torn_writes,
            drops,
            replayed_batches,
            duplicates,
            losses,
            violations,
            planned,
            missed,
            damaged,
            detected,
            virtual_nanos,
        } = *more;
        self.lives += lives;
        self.crashes += crashes;
        self.torn_writes += torn_writes;
        self.drops += drops;
        self.replayed_batches += replayed_batches;
        self.duplicates += duplicates;
        self.losses += losses;
        self.violations += violations;
        self.planned += planned;
        self.missed += missed;
        self.damaged += damaged;
        self.detected += detected;
        self.virtual_nanos += virtual_nanos;
    }
}

impl RunReport {
    /// What the command line calls the scenario.
    pub fn scenario_argument(&self) -> &str {
        self.scenario_file.as_deref().unwrap_or(&self.scenario)
    }

    /// Whether every judge was satisfied.
    pub fn held(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.violations.is_empty())
    }

    fn empty(scenario: &Scenario, options: &RunOptions) -> Self {
        Self {
            scenario: scenario.name.clone(),
            scenario_file: scenario.file.clone(),
            seed: options.seed,
            plan_given: options.plan.is_some(),
            lines: options.plan.as_ref().and_then(|plan| plan.lines),
            faults: options.faults.iter().map(|kind| kind.name().to_owned()).collect(),
            sabotage: options.sabotage.iter().map(ToString::to_string).collect(),
            ..Self::default()
        }
    }

    pub(super) fn panicked(
        scenario: &Scenario,
        options: &RunOptions,
        plan: Plan,
        panicked: &Panicked,
    ) -> Self {
        let mut report = Self::empty(scenario, options);
        report.plan = plan.faults.into_iter().map(|fault| FaultOutcome { fault, firing: None }).collect();
        report.verdicts = vec![Verdict::panicked(&panicked.message)];
        report.totals.violations = 1;
        report
    }

    pub(super) fn new(
        scenario: &Scenario,
        options: &RunOptions,
        script: &Script,
        evidence: Evidence,
        reference: Option<&Evidence>,
        verdicts: Vec<Verdict>,
    ) -> Self {
        let mut report = Self::empty(scenario, options);
        report.detail = options.detail.then(|| Detail::of(script, &evidence, reference));
        report.lives = evidence.lives.iter().map(LifeSummary::of).collect();
        report.ledger = ledger(scenario, script, &evidence);
        report.timeline = timeline(&evidence);
        report.class = evidence.class();
        report.detected = evidence.detected().map(str::to_owned);
        report.refused = evidence.refused_damage();
        report.coverage = coverage(&evidence);
        report.reached = evidence.reached.iter().collect();
        report.price = price::restarts(&evidence);
        report.totals = totals(&evidence, &verdicts, report.ledger.lost);
        report.took = evidence.ended_at;
        report.hash = evidence.hash.to_string();
        report.plan = evidence.faults;
        report.verdicts = verdicts;
        report
    }
}

fn ledger(scenario: &Scenario, script: &Script, evidence: &Evidence) -> LedgerSummary {
    let (batches, _) = evidence.tapped();
    let mut processed = std::collections::BTreeMap::<&str, u64>::new();
    for line in batches.iter().flat_map(|batch| &batch.lines) {
        *processed.entry(line).or_default() += 1;
    }
    // A journal that contradicts itself is the judge's to tell of.
    let acknowledged = acknowledged_lines(scenario, script, evidence).unwrap_or_default();
    let mut expected = std::collections::BTreeMap::<&str, u64>::new();
    for line in &acknowledged {
        *expected.entry(line).or_default() += 1;
    }
    let processed_times = |line: &str| processed.get(line).copied().unwrap_or(0);
    let lost = expected.iter().map(|(line, times)| times.saturating_sub(processed_times(line))).sum();
    // A line that the source repeated is a record each time.
    let twice =
        processed.iter().filter(|(line, times)| **times > expected.get(*line).copied().unwrap_or(0).max(1));
    let sent = evidence.source.sent as u64;
    let (protocol, died_with_the_socket) = match evidence.source.mode {
        Mode::Resume => ("resume", 0),
        Mode::Tcp => ("tcp", sent.saturating_sub(expected.len() as u64)),
    };
    LedgerSummary {
        protocol: protocol.into(),
        records: evidence.source.lines as u64,
        sent,
        acknowledged: acknowledged.len() as u64,
        processed: processed.values().sum(),
        twice: twice.count() as u64,
        lost,
        died_with_the_socket,
    }
}

pub(super) fn timeline(evidence: &Evidence) -> Vec<TimelineEntry> {
    let mut timeline = Vec::new();
    // A crash loop fires in the first life that it ends, and ends others.
    let goes_on_in = |fault: usize, life: Life| {
        evidence.faults.get(fault).is_some_and(|outcome| {
            let fired = outcome.firing.as_ref().is_some_and(|firing| firing.life == life);
            matches!(outcome.fault, Fault::CrashLoop(_)) && !fired
        })
    };
    for life in &evidence.lives {
        let entry = |at, happening| TimelineEntry { at, life: life.life, happening };
        timeline.push(entry(life.began_at, Happening::LifeBegan));
        timeline.extend(life.events.iter().map(|(at, event)| entry(*at, Happening::Event(event.clone()))));
        match &life.end {
            LifeEnd::Failed { error, .. } => {
                timeline.push(entry(life.ended_at, Happening::LifeFailed { error: error.clone() }));
            }
            LifeEnd::CutOff => timeline.push(entry(life.ended_at, Happening::CutOff)),
            LifeEnd::Crashed { fault, .. } if goes_on_in(*fault, life.life) => {
                timeline.push(entry(life.ended_at, Happening::FaultFired { fault: *fault }));
            }
            LifeEnd::Crashed { .. } | LifeEnd::Stopped => {}
        }
    }
    for (fault, outcome) in evidence.faults.iter().enumerate() {
        if let Some(firing) = &outcome.firing {
            let happening = Happening::FaultFired { fault };
            timeline.push(TimelineEntry { at: firing.at, life: firing.life, happening });
        }
    }
    // Stable: what happened at the same moment stays in order; a fault comes after what led to it.
    timeline.sort_by_key(|entry| (entry.at, entry.life));
    timeline
}

fn coverage(evidence: &Evidence) -> BTreeSet<(Step, FaultKind)> {
    let hit = |outcome: &FaultOutcome| match &outcome.firing.as_ref()?.hit {
        Hit::Disk { step, .. } => Some((*step, outcome.fault.kind())),
        _ => None,
    };
    evidence.faults.iter().filter_map(hit).collect()
}

/// How many lives a fault ended: a crash loop ends several.
fn ended_by(evidence: &Evidence, fault: usize) -> u64 {
    let by_it = |life: &&LifeEvidence| matches!(life.end, LifeEnd::Crashed { fault: by, .. } if by == fault);
    evidence.lives.iter().filter(by_it).count() as u64
}

fn totals(evidence: &Evidence, verdicts: &[Verdict], losses: u64) -> Totals {
    let mut totals = Totals {
        lives: evidence.lives.len() as u64,
        losses,
        violations: verdicts.iter().map(|verdict| verdict.violations.len() as u64).sum(),
        planned: evidence.faults.len() as u64,
        damaged: u64::from(evidence.class() != Class::Tolerated),
        detected: u64::from(evidence.detected().is_some()),
        virtual_nanos: evidence.ended_at.0,
        ..Totals::default()
    };
    for (fault, outcome) in evidence.faults.iter().enumerate() {
        match (&outcome.firing, outcome.fault.kind()) {
            (None, _) => totals.missed += 1,
            (_, FaultKind::Crash | FaultKind::PowerLoss) => totals.crashes += 1,
            (_, FaultKind::CrashLoop) => totals.crashes += ended_by(evidence, fault),
            (_, FaultKind::Reset | FaultKind::Close | FaultKind::HalfOpen | FaultKind::LateData) => {
                totals.drops += 1
            }
            _ => {}
        }
    }
    for (_, _, event) in evidence.events() {
        if let Event::Recovered(recovery) = event {
            totals.torn_writes += u64::from(recovery.torn_bytes > 0);
            totals.replayed_batches += recovery.pending.len() as u64 + recovery.state_replays;
        }
    }
    let mut emitted = std::collections::BTreeMap::new();
    for emission in evidence.emissions.iter().filter(|emission| emission.tap) {
        if let Some(time) = emission.time {
            *emitted.entry(time).or_insert(0u64) += 1;
        }
    }
    totals.duplicates = emitted.values().map(|times| times - 1).sum();
    totals
}
