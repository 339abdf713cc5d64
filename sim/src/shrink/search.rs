//! The ways in which a plan is made simpler, each of which proposes one plan after another and is told whether it still fails.

use super::fields::{self, Number};
use crate::fault::{Fault, Plan};
use proptest::{num::u64::BinarySearch, strategy::ValueTree};

/// What became of the last proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// There was none.
    None,
    /// It fails too, and is what goes on from here.
    Taken,
    /// It passes.
    Left,
}

/// What the faults count over a whole run, alone and together: a life that is over ends its connection.
const COUNTED: [&[&str]; 3] = [&["life"], &["connection", "attempt"], &["life", "connection", "attempt"]];

/// The way under way.
#[derive(Clone, Debug)]
pub(super) enum Search {
    /// Leaves faults out: all, halves, quarters, at last one by one, as in delta debugging.
    FewerFaults { size: usize, at: usize },
    /// Leaves a fault out that made a life or a connection, of which the other faults count theirs.
    FewerLives { fault: usize, names: usize },
    /// Puts a plainer fault in the place of one.
    PlainerFaults { fault: usize, next: usize },
    /// Makes the numbers of the faults small, one after another.
    SmallerNumbers { fault: usize, number: usize, descent: Option<(Number, Descent)> },
    /// Cuts the input.
    FewerLines { lines: u64, descent: Option<Descent> },
}

impl Search {
    /// All ways, in the order in which they are gone, for a workload of so many lines.
    pub(super) fn all(plan: &Plan, lines: u64) -> [Self; 5] {
        [
            Self::FewerFaults { size: plan.faults.len(), at: 0 },
            Self::FewerLives { fault: 0, names: 0 },
            Self::PlainerFaults { fault: 0, next: 0 },
            Self::SmallerNumbers { fault: 0, number: 0, descent: None },
            Self::FewerLines { lines, descent: None },
        ]
    }

    /// The next plan to try, given the simplest that fails.
    pub(super) fn next(&mut self, plan: &Plan, mut last: Last) -> Option<Plan> {
        match self {
            Self::FewerFaults { size, at } => {
                if last == Last::Left {
                    *at += *size;
                }
                while *at >= plan.faults.len() {
                    if *size <= 1 {
                        return None;
                    }
                    (*size, *at) = (*size / 2, 0);
                }
                let mut fewer = plan.clone();
                fewer.faults.drain(*at..(*at + *size).min(plan.faults.len()));
                Some(fewer)
            }
            Self::FewerLives { fault, names } => {
                match last {
                    Last::None => {}
                    Last::Taken => *names = 0,
                    Last::Left => *names += 1,
                }
                loop {
                    let mut fewer = plan.clone();
                    let gone = (*fault < fewer.faults.len()).then(|| fewer.faults.remove(*fault))?;
                    let Some(counted) = COUNTED.get(*names) else {
                        (*fault, *names) = (*fault + 1, 0);
                        continue;
                    };
                    let forward = |other: &Fault| fields::brought_forward(other, &gone, counted);
                    let faults: Vec<Fault> = fewer.faults.iter().map(forward).collect();
                    if faults != fewer.faults {
                        return Some(Plan { faults, ..fewer });
                    }
                    *names += 1;
                }
            }
            Self::PlainerFaults { fault, next } => {
                match last {
                    Last::None => {}
                    // The plainer one may be made plainer still.
                    Last::Taken => *next = 0,
                    Last::Left => *next += 1,
                }
                loop {
                    let of = plan.faults.get(*fault)?;
                    if let Some(plainer) = fields::plainer(of).into_iter().nth(*next) {
                        return Some(with(plan, *fault, plainer));
                    }
                    (*fault, *next) = (*fault + 1, 0);
                }
            }
            Self::SmallerNumbers { fault, number, descent } => loop {
                let of = plan.faults.get(*fault)?;
                if descent.is_none() {
                    let Some(found) = fields::numbers(of).into_iter().nth(*number) else {
                        (*fault, *number) = (*fault + 1, 0);
                        continue;
                    };
                    let (from, least) = found.magnitude();
                    *descent = Some((found, Descent::new(from, least)));
                    last = Last::None;
                }
                if let Some((place, numbers)) = descent
                    && let Some(magnitude) = numbers.next(last)
                    && let Some(smaller) = place.set(of, magnitude)
                {
                    return Some(with(plan, *fault, smaller));
                }
                (*number, *descent) = (*number + 1, None);
            },
            Self::FewerLines { lines, descent } => {
                let from = plan.lines.map_or(*lines, |bound| bound.min(*lines));
                let descent = descent.get_or_insert_with(|| Descent::new(from, 1));
                let fewer = descent.next(last)?;
                Some(Plan { lines: Some(fewer), ..plan.clone() })
            }
        }
    }
}

fn with(plan: &Plan, place: usize, fault: Fault) -> Plan {
    let mut plan = plan.clone();
    plan.faults[place] = fault;
    plan
}

/// Goes down from a number: to the least first, then by halves.
#[derive(Clone, Debug)]
pub(super) struct Descent {
    from: u64,
    least: u64,
    halves: Option<BinarySearch>,
}

impl Descent {
    fn new(from: u64, least: u64) -> Self {
        Self { from, least, halves: None }
    }

    fn next(&mut self, last: Last) -> Option<u64> {
        let more = match (&mut self.halves, last) {
            (_, Last::None) => return (self.least < self.from).then_some(self.least),
            (None, Last::Taken) => false,
            (None, Last::Left) => {
                self.halves.insert(BinarySearch::new_above(self.least + 1, self.from)).simplify()
            }
            (Some(halves), Last::Taken) => halves.simplify(),
            (Some(halves), Last::Left) => halves.complicate(),
        };
        let next = self.halves.as_ref().filter(|_| more)?.current();
        // It is known to fail.
        (next < self.from).then_some(next)
    }
}
