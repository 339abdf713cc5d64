//! The points at which a run can crash: before, inside and after each operation of the driver.

use crate::{
    fault::{Crash, Fault, Kept, Moment, NetworkOperation, PowerLoss, Step, Trigger},
    run::Evidence,
    world::{Life, VirtualTime},
};
use highwater_core::event::Event;
use std::fmt;

/// The supervisor starts the next life after so many milliseconds: the source has noticed a crash by then.
const RESTART_AFTER_MS: u64 = 100;

/// An operation of a seam.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    Disk(Step),
    Network(NetworkOperation),
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(step) => write!(f, "{}: {}", step.place, step.operation),
            Self::Network(operation) => write!(f, "network: {operation}"),
        }
    }
}

/// An operation that a life made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub number: u64,
    pub operation: Operation,
}

/// A run whose next crash comes at each operation of its last life in turn.
#[derive(Clone, Debug)]
pub(super) struct Root {
    /// The crashes that lead to that life.
    pub faults: Vec<Fault>,
    /// The life.
    pub life: Life,
    /// Its operations, in order.
    pub operations: Vec<Made>,
}

impl Root {
    /// The root of a run that was lived through: its last life, with all that it did until `until`.
    pub(super) fn new(faults: Vec<Fault>, life: Life, evidence: &Evidence, until: VirtualTime) -> Self {
        let disk = evidence
            .steps
            .iter()
            .filter(|made| made.life == life)
            .map(|made| (made.at, Made { number: made.number, operation: Operation::Disk(made.step) }));
        let network = evidence.network_operations.iter().filter(|made| made.life == life).map(|made| {
            (made.at, Made { number: made.number, operation: Operation::Network(made.operation) })
        });
        let mut operations: Vec<(VirtualTime, Made)> =
            disk.chain(network).filter(|(at, _)| *at <= until).collect();
        operations.sort_by_key(|(at, _)| *at);
        Self { faults, life, operations: operations.into_iter().map(|(_, made)| made).collect() }
    }

    pub(super) fn points(&self) -> u64 {
        self.operations.len() as u64 * Moment::ALL.len() as u64
    }

    pub(super) fn point(&self, n: u64) -> Point<'_> {
        let moments = Moment::ALL.len() as u64;
        let moment = Moment::ALL[(n % moments) as usize];
        Point { root: self, made: &self.operations[(n / moments) as usize], moment }
    }
}

/// When a life had recovered and done its first batch; its end, if it never had.
pub(super) fn first_batch_done(evidence: &Evidence, life: Life) -> VirtualTime {
    let Some(life) = evidence.lives.iter().find(|evidence| evidence.life == life) else {
        return VirtualTime::default();
    };
    let done = life.events.iter().find(|(_, event)| matches!(event, Event::BatchCompleted { .. }));
    done.map_or(life.ended_at, |(at, _)| *at)
}

/// A point at which a run crashes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point<'a> {
    pub root: &'a Root,
    pub made: &'a Made,
    pub moment: Moment,
}

impl Point<'_> {
    /// The plan's faults, with the crash of the process at this point as the last.
    pub(super) fn crash(&self) -> Vec<Fault> {
        self.faults(None)
    }

    /// The same with a power loss that leaves an image.
    pub(super) fn power_loss(&self, keep: Kept) -> Vec<Fault> {
        // What an operation that is hit inside leaves to chance is the same for every image, and another for each operation.
        let image_seed = self.made.number << 8 | u64::from(self.root.life.0);
        self.faults(Some(PowerLoss { image_seed, keep: Some(keep) }))
    }

    fn faults(&self, power_loss: Option<PowerLoss>) -> Vec<Fault> {
        let (life, number, moment) = (self.root.life, self.made.number, self.moment);
        let trigger = match self.made.operation {
            Operation::Disk(_) => Trigger::DiskOperation { life, number, moment },
            Operation::Network(_) => Trigger::NetworkOperation { life, number, moment },
        };
        let crash = Fault::Crash(Crash { restart_after_ms: RESTART_AFTER_MS, trigger, power_loss });
        self.root.faults.iter().cloned().chain([crash]).collect()
    }
}
