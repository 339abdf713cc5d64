//! A story: a scenario, and a plan that says what is hit.

use highwater_reports::text::render;
use highwater_sim::{
    fault::{Close, Crash, Fault, Hit, Moment, Plan, PowerLoss, Reset, Stall, Trigger},
    run::{Run, RunOptions, RunReport, run},
    sabotage::Sabotage,
    scenario::Scenario,
    world::Life,
};

/// Draws the workload of every story.
const SEED: u64 = 3;

/// What of the unsynced survives a power loss.
#[derive(Clone, Copy)]
pub enum Survives {
    /// Nothing.
    Nothing,
    /// All of it.
    Everything,
    /// Names and lengths.
    NoData,
    /// Data under names that were known before.
    NoNames,
    /// What is drawn from a number.
    Drawn(u64),
}

impl Survives {
    fn power_loss(self) -> PowerLoss {
        let image_seed = match self {
            Self::Nothing => 0,
            Self::Everything => 1,
            Self::NoData => 2,
            Self::NoNames => 3,
            Self::Drawn(seed) => seed,
        };
        PowerLoss::image(image_seed)
    }
}

/// A step of the driver's disk: the n-th operation of its kind on such a path in a life.
pub struct StepOf {
    operation: &'static str,
    path_prefix: &'static str,
    path_suffix: &'static str,
    nth: usize,
}

/// The operations of a kind on the paths with this beginning and this end.
pub fn step(operation: &'static str, path_prefix: &'static str, path_suffix: &'static str) -> StepOf {
    StepOf { operation, path_prefix, path_suffix, nth: 1 }
}

impl StepOf {
    /// Which of them, from 1.
    pub fn number(self, nth: usize) -> Self {
        Self { nth, ..self }
    }

    /// None of them: for a fault that is to be missed.
    pub fn nowhere(self) -> Self {
        Self { nth: 0, ..self }
    }

    /// Whether this is such a step: an operation, a blank, a path.
    fn is(&self, what: &str) -> bool {
        let path = what.strip_prefix(self.operation).and_then(|rest| rest.strip_prefix(' '));
        path.is_some_and(|path| path.starts_with(self.path_prefix) && path.ends_with(self.path_suffix))
    }

    /// `disk 24: rename /checkpoint/...` is operation 24, if it is such a step.
    fn number_of(&self, traced: &str) -> Option<u64> {
        let (number, what) = traced.strip_prefix("disk ")?.split_once(": ")?;
        self.is(what).then(|| number.parse().expect("a number of an operation"))
    }
}

/// A story that is being made. Its faults are added in the order in which they fire: a step is looked up in the run with the
/// faults before it.
pub struct Story {
    scenario: Scenario,
    options: RunOptions,
    /// The steps that must be hit, by the fault's place in the plan.
    aims: Vec<(usize, StepOf)>,
}

impl Story {
    pub fn of(scenario: Scenario) -> Self {
        let options = RunOptions { plan: Some(Plan::calm()), ..RunOptions::seeded(SEED) };
        Self { scenario, options, aims: Vec::new() }
    }

    pub fn sabotaged(mut self, sabotage: Sabotage) -> Self {
        self.options.sabotage.insert(sabotage);
        self
    }

    pub fn crash(self, life: u32, moment: Moment, step: StepOf, restart_after_ms: u64) -> Self {
        self.at(life, moment, step, |trigger| {
            Fault::Crash(Crash { restart_after_ms, trigger, power_loss: None })
        })
    }

    pub fn power_loss(
        self,
        life: u32,
        moment: Moment,
        step: StepOf,
        survives: Survives,
        restart_after_ms: u64,
    ) -> Self {
        let power_loss = Some(survives.power_loss());
        self.at(life, moment, step, |trigger| Fault::Crash(Crash { restart_after_ms, trigger, power_loss }))
    }

    pub fn power_loss_at(self, at_ms: u64, survives: Survives, restart_after_ms: u64) -> Self {
        let trigger = Trigger::Time { at_ms };
        self.with(Fault::Crash(Crash { restart_after_ms, trigger, power_loss: Some(survives.power_loss()) }))
    }

    pub fn reset(self, connection: u32, after_bytes: u64) -> Self {
        self.with(Fault::Reset(Reset { connection, after_bytes }))
    }

    pub fn close(self, connection: u32, after_bytes: u64) -> Self {
        self.with(Fault::Close(Close { connection, after_bytes }))
    }

    pub fn stall(self, connection: u32, after_bytes: u64, for_ms: u64) -> Self {
        self.with(Fault::Stall(Stall { connection, after_bytes, for_ms }))
    }

    /// Lives through the story, sees that it is about the steps that it names, and holds its report against the snapshot.
    pub fn tell(&self, name: &str) -> RunReport {
        let report = self.run(false).report;
        for (fault, step) in &self.aims {
            match report.plan[*fault].firing.as_ref().map(|firing| &firing.hit) {
                Some(Hit::Disk { step: hit, path, .. }) => {
                    let hit = format!("{} {path}", hit.operation);
                    assert!(step.is(&hit), "fault {} hit `{hit}`", fault + 1);
                }
                other => assert!(step.nth == 0 && other.is_none(), "fault {} hit {other:?}", fault + 1),
            }
        }
        insta::with_settings!({ snapshot_path => ".", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, render(&report));
        });
        report
    }

    /// Any fault, at a step.
    pub fn at(
        mut self,
        life: u32,
        moment: Moment,
        step: StepOf,
        fault: impl FnOnce(Trigger) -> Fault,
    ) -> Self {
        let trigger = self.trigger(life, moment, &step);
        let number = self.options.plan.as_ref().map_or(0, |plan| plan.faults.len());
        self.aims.push((number, step));
        self.with(fault(trigger))
    }

    /// Any fault.
    pub fn with(mut self, fault: Fault) -> Self {
        self.options.plan.get_or_insert_default().faults.push(fault);
        self
    }

    fn run(&self, trace: bool) -> Run {
        run(&self.scenario, &RunOptions { trace, ..self.options.clone() })
    }

    /// Where the step is in the count of the life's operations, given the faults so far.
    fn trigger(&self, life: u32, moment: Moment, step: &StepOf) -> Trigger {
        let life = Life(life);
        let number = match step.nth {
            0 => 1,
            nth => {
                let trace = self.run(true).trace;
                let of_life = trace.iter().filter(|entry| entry.node == "driver" && entry.life == life);
                let mut steps = of_life.filter_map(|entry| step.number_of(&entry.text));
                steps.nth(nth - 1).unwrap_or_else(|| {
                    panic!("life {life} has no {nth} steps `{} {}`", step.operation, step.path_prefix)
                })
            }
        };
        Trigger::DiskOperation { life, number, moment }
    }
}
