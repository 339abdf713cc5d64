//! The plan of a run under way: which fault is next, and what has become of the others.

use super::{Crash, Fault, FaultOutcome, Firing, Hit, Moment, Plan, Trigger};
use crate::world::{Life, NodeIndex, VirtualTime};

/// A crash that a coming operation triggers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NextCrash {
    pub number: u64,
    pub moment: Moment,
    pub fault: usize,
}

/// The armed plan. Nothing in it fires twice.
#[derive(Default)]
pub(crate) struct Armed {
    /// The node that the faults are for.
    pub driver: Option<NodeIndex>,
    outcomes: Vec<FaultOutcome>,
    /// The first crash that this life's disk operations reach, if they are that many.
    pub at_disk: Option<NextCrash>,
    /// The same for its network operations.
    pub at_network: Option<NextCrash>,
    disarmed: bool,
}

impl Armed {
    pub(crate) fn new(driver: NodeIndex, plan: &Plan) -> Self {
        let outcomes =
            plan.faults.iter().map(|fault| FaultOutcome { fault: fault.clone(), firing: None }).collect();
        Self { driver: Some(driver), outcomes, at_disk: None, at_network: None, disarmed: false }
    }

    /// Nothing fires any more.
    pub(crate) fn disarm(&mut self) {
        (self.at_disk, self.at_network, self.disarmed) = (None, None, true);
    }

    pub(crate) fn is_disarmed(&self) -> bool {
        self.disarmed
    }

    /// A life of the driver begins.
    pub(crate) fn begin_life(&mut self, begun: Life) {
        if self.disarmed {
            return;
        }
        let (mut at_disk, mut at_network): (Option<NextCrash>, Option<NextCrash>) = (None, None);
        for (fault, outcome) in
            self.outcomes.iter().enumerate().filter(|(_, outcome)| outcome.firing.is_none())
        {
            let Fault::Crash(crash) = &outcome.fault else { continue };
            let (slot, life, number, moment) = match crash.trigger {
                Trigger::DiskOperation { life, number, moment } => (&mut at_disk, life, number, moment),
                Trigger::NetworkOperation { life, number, moment } => (&mut at_network, life, number, moment),
                Trigger::Time { .. } => continue,
            };
            if life == begun && slot.is_none_or(|next| number < next.number) {
                *slot = Some(NextCrash { number, moment, fault });
            }
        }
        (self.at_disk, self.at_network) = (at_disk, at_network);
    }

    pub(crate) fn crash(&self, fault: usize) -> &Crash {
        match &self.outcomes[fault].fault {
            Fault::Crash(crash) => crash,
            other => unreachable!("{other} is not a crash"),
        }
    }

    /// The crashes at a point of time, with their place in the plan.
    pub(crate) fn timed(&self) -> Vec<(usize, u64)> {
        let crashes = self.outcomes.iter().enumerate().filter_map(|(n, outcome)| match &outcome.fault {
            Fault::Crash(Crash { trigger: Trigger::Time { at_ms }, .. }) => Some((n, *at_ms)),
            _ => None,
        });
        crashes.collect()
    }

    /// The faults of the driver's n-th connection, with their place in the plan, in the order in which bytes reach them.
    pub(crate) fn of_connection(&self, n: u32) -> Vec<(usize, u64, Fault)> {
        let mut faults: Vec<(usize, u64, Fault)> = Vec::new();
        if self.disarmed {
            return faults;
        }
        for (index, FaultOutcome { fault, .. }) in self.outcomes.iter().enumerate() {
            let (connection, after_bytes) = match fault {
                Fault::Crash(_) => continue,
                Fault::Reset(reset) => (reset.connection, reset.after_bytes),
                Fault::Close(close) => (close.connection, close.after_bytes),
                Fault::Stall(stall) => (stall.connection, stall.after_bytes),
            };
            if connection == n {
                faults.push((index, after_bytes, fault.clone()));
            }
        }
        faults.sort_by_key(|(index, after_bytes, _)| (*after_bytes, *index));
        faults
    }

    pub(crate) fn fired(&mut self, fault: usize, at: VirtualTime, life: Life, hit: Hit) {
        let outcome = &mut self.outcomes[fault];
        assert!(outcome.firing.is_none(), "{} fired twice", outcome.fault);
        outcome.firing = Some(Firing { at, life, hit });
    }

    pub(crate) fn outcomes(&self) -> &[FaultOutcome] {
        &self.outcomes
    }
}
