//! The plan of a run under way: which faults wait for what, and what has become of the others.

use super::{Fault, FaultOutcome, Firing, Hit, Moment, Plan, PowerLoss, Step, Trigger};
use crate::world::{Life, NodeIndex, VirtualTime};

/// A fault whose trigger is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// Its place in the plan.
    pub fault: usize,
    /// Where in the operation it comes.
    pub moment: Moment,
}

/// A fault that waits for an occurrence of a step.
struct AtStep {
    step: Step,
    /// So many occurrences until it is due.
    left: u64,
    due: Due,
}

/// A crash, of whichever kind.
#[derive(Clone, Debug)]
pub(crate) struct CrashOf {
    pub restart_after_ms: u64,
    pub power_loss: Option<PowerLoss>,
    /// The seed of all that the crash leaves to chance.
    pub seed: u64,
}

/// What waits for an operation of a life.
#[derive(Default)]
struct OfLife {
    /// For one of the disk, by number, the last one first.
    disk: Vec<(u64, Due)>,
    /// The same for the network.
    network: Vec<(u64, Due)>,
    /// For a step.
    steps: Vec<AtStep>,
}

/// The armed plan. Nothing in it fires twice, but a crash loop.
#[derive(Default)]
pub(crate) struct Armed {
    /// The node that the faults are for.
    pub driver: Option<NodeIndex>,
    outcomes: Vec<FaultOutcome>,
    /// What waits for an operation of each life that has begun, in their order.
    lives: Vec<OfLife>,
    /// What waits for a step of the run.
    occurrences: Vec<AtStep>,
    /// The faults that have fired and go on for a while, with their ends.
    windows: Vec<(usize, VirtualTime)>,
    disarmed: bool,
}

impl Armed {
    pub(crate) fn new(driver: NodeIndex, plan: &Plan) -> Self {
        let outcomes: Vec<FaultOutcome> =
            plan.faults.iter().map(|fault| FaultOutcome { fault: fault.clone(), firing: None }).collect();
        let occurrences = outcomes.iter().enumerate().filter_map(|(fault, outcome)| {
            let trigger = outcome.fault.trigger()?;
            let due = Due { fault, moment: trigger.moment() };
            let Trigger::Occurrence { operation, place, nth, .. } = trigger else { return None };
            Some(AtStep { step: Step { operation, place }, left: nth, due })
        });
        let occurrences = occurrences.collect();
        Self { driver: Some(driver), outcomes, occurrences, ..Self::default() }
    }

    /// Nothing fires any more, and what goes on is over.
    pub(crate) fn disarm(&mut self) {
        *self = Self {
            driver: self.driver,
            outcomes: std::mem::take(&mut self.outcomes),
            disarmed: true,
            ..Self::default()
        };
    }

    pub(crate) fn is_disarmed(&self) -> bool {
        self.disarmed
    }

    /// A life of the driver begins. What waits for one before it goes on waiting: that may live on. Returns what comes right before it.
    pub(crate) fn begin_life(&mut self, begun: Life) -> Vec<usize> {
        let mut before = Vec::new();
        if self.disarmed {
            return before;
        }
        let mut of_life = OfLife::default();
        for (fault, outcome) in self.outcomes.iter().enumerate() {
            let trigger = match &outcome.fault {
                Fault::CrashLoop(crash_loop) => crash_loop.in_life(begun),
                _ if outcome.firing.is_some() => None,
                other => other.trigger(),
            };
            let Some(trigger) = trigger else { continue };
            let due = Due { fault, moment: trigger.moment() };
            match trigger {
                Trigger::DiskOperation { life, number, .. } if life == begun => {
                    of_life.disk.push((number, due))
                }
                Trigger::NetworkOperation { life, number, .. } if life == begun => {
                    of_life.network.push((number, due));
                }
                Trigger::Step { life, operation, place, nth, .. } if life == begun => {
                    of_life.steps.push(AtStep { step: Step { operation, place }, left: nth, due });
                }
                Trigger::Start { life } if life == begun => before.push(fault),
                _ => {}
            }
        }
        for waiting in [&mut of_life.disk, &mut of_life.network] {
            waiting.sort_by_key(|(number, due)| std::cmp::Reverse((*number, due.fault)));
        }
        self.lives.push(of_life);
        before
    }

    /// What is due at a disk operation of a life, which is that step.
    pub(crate) fn due_at_disk(&mut self, life: Life, number: u64, made: Step) -> Vec<Due> {
        let Some(of_life) = self.lives.get_mut(life.0 as usize - 1) else { return Vec::new() };
        let mut due = take_due(&mut of_life.disk, number);
        for waiting in [&mut of_life.steps, &mut self.occurrences] {
            waiting.retain_mut(|waiting| {
                if waiting.step == made {
                    waiting.left = waiting.left.saturating_sub(1);
                    if waiting.left == 0 {
                        due.push(waiting.due);
                    }
                }
                waiting.left > 0
            });
        }
        due
    }

    /// What is due at a network operation of a life.
    pub(crate) fn due_at_network(&mut self, life: Life, number: u64) -> Vec<Due> {
        self.lives
            .get_mut(life.0 as usize - 1)
            .map_or_else(Vec::new, |of_life| take_due(&mut of_life.network, number))
    }

    /// The fault at a place of the plan.
    pub(crate) fn fault(&self, fault: usize) -> &Fault {
        &self.outcomes[fault].fault
    }

    /// The faults of the plan with their places, those that have not fired.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (usize, &Fault)> {
        let waiting = self.outcomes.iter().enumerate().filter(|(_, outcome)| outcome.firing.is_none());
        waiting.filter(|_| !self.disarmed).map(|(fault, outcome)| (fault, &outcome.fault))
    }

    /// The faults of a computation of a life, and whether they have fired already: one may hit several.
    pub(crate) fn at_computation(&self, begun: Life, number: u64) -> Vec<(usize, bool)> {
        let hit = |fault: &Fault| match fault {
            Fault::SlowBatch(slow) => {
                slow.life == begun && (slow.job..slow.job.saturating_add(slow.jobs)).contains(&number)
            }
            Fault::FailingJob(failing) => failing.life == begun && failing.job == number,
            _ => false,
        };
        let outcomes = self.outcomes.iter().enumerate().filter(|_| !self.disarmed);
        let hit = outcomes.filter(|(_, outcome)| hit(&outcome.fault));
        hit.map(|(fault, outcome)| (fault, outcome.firing.is_some())).collect()
    }

    /// The crash that a fault is, if it is one.
    pub(crate) fn crash(&self, fault: usize) -> Option<CrashOf> {
        match &self.outcomes[fault].fault {
            Fault::Crash(crash) => Some(CrashOf {
                restart_after_ms: crash.restart_after_ms,
                power_loss: crash.power_loss.clone(),
                seed: crash.image_seed(),
            }),
            Fault::CrashLoop(crash) => Some(CrashOf {
                restart_after_ms: crash.restart_after_ms,
                power_loss: crash.power_loss.clone(),
                seed: crash.power_loss.as_ref().map_or(crash.operation, |power_loss| power_loss.image_seed),
            }),
            _ => None,
        }
    }

    /// The faults at a point of time, with their place in the plan.
    pub(crate) fn timed(&self) -> Vec<(usize, u64)> {
        let timed = self.outcomes.iter().enumerate();
        timed.filter_map(|(n, outcome)| Some((n, outcome.fault.at_ms()?))).collect()
    }

    /// The faults of the driver's n-th attempt to connect, with their place in the plan, and whether it is the first that each hits.
    pub(crate) fn of_attempt(&self, n: u64) -> Vec<(usize, bool)> {
        let faults = self.outcomes.iter().enumerate().filter(|_| !self.disarmed);
        let hit = faults.filter_map(|(index, outcome)| {
            let hits = match &outcome.fault {
                Fault::Hang(hang) => hang.attempt..=hang.attempt,
                Fault::Refuse(refuse) => refuse.attempt..=refuse.last_attempt(),
                _ => return None,
            };
            hits.contains(&n).then_some((index, outcome.firing.is_none()))
        });
        hit.collect()
    }

    /// The faults of the driver's n-th connection, with their place in the plan, in the order in which bytes reach them.
    pub(crate) fn of_connection(&self, n: u32) -> Vec<(usize, u64, Fault)> {
        let mut faults: Vec<(usize, u64, Fault)> = self
            .waiting()
            .filter_map(|(index, fault)| match fault.trigger() {
                Some(Trigger::Byte { connection, after_bytes }) if connection == n => {
                    Some((index, after_bytes, fault.clone()))
                }
                _ => None,
            })
            .collect();
        faults.sort_by_key(|(index, after_bytes, _)| (*after_bytes, *index));
        faults
    }

    /// A fault fires. What lasts goes on from here.
    pub(crate) fn fired(&mut self, fault: usize, at: VirtualTime, life: Life, hit: Hit) {
        let outcome = &mut self.outcomes[fault];
        if outcome.firing.is_some() {
            assert!(matches!(outcome.fault, Fault::CrashLoop(_)), "{} fired twice", outcome.fault);
            return;
        }
        outcome.firing = Some(Firing { at, life, hit });
        let lasts_ms = outcome.fault.lasts_ms();
        if lasts_ms > 0 {
            self.windows.push((fault, at.after_nanos(lasts_ms.saturating_mul(1_000_000))));
        }
    }

    /// The faults that have fired and go on now, with their places in the plan and their ends.
    pub(crate) fn going_on(
        &mut self,
        now: VirtualTime,
    ) -> impl Iterator<Item = (usize, &Fault, VirtualTime)> {
        self.windows.retain(|(_, until)| *until > now);
        self.windows.iter().map(|(fault, until)| (*fault, &self.outcomes[*fault].fault, *until))
    }

    pub(crate) fn outcomes(&self) -> &[FaultOutcome] {
        &self.outcomes
    }
}

fn take_due(waiting: &mut Vec<(u64, Due)>, number: u64) -> Vec<Due> {
    let mut due = Vec::new();
    while waiting.last().is_some_and(|(next, _)| *next <= number) {
        let (next, one) = waiting.pop().expect("there is one");
        // An operation zero is never made.
        if next == number {
            due.push(one);
        }
    }
    due
}
