//! From a failing run to the fewest and simplest faults, and the shortest input, that still fail.
//!
//! "Still fails" is that the same invariant is broken: a plan that fails in another way is another bug. The plans to try are those of
//! proptest's value tree ([`PlanTree`]); each is lived through and judged. In the end each fault that is left is taken away once more,
//! to tell what the run comes to without it.
//!
//! - `tree` walks, in rounds; `search` has the ways to make a plan simpler; `fields` changes a fault without knowing its kind.
//!
//! There is no clock here: whoever asks says when it is enough. Given enough, the result is a function of the run alone. Left out: the text of
//! the lines, their times, and the schedule, which are the seed's.

mod fields;
mod search;
mod tree;

pub use tree::{PlanTree, Plans};

use crate::{
    fault::Plan,
    judge::Invariant,
    run::{RunOptions, RunReport, run},
    scenario::Scenario,
};
use proptest::strategy::ValueTree;
use std::collections::BTreeMap;

/// At most so many runs, however long the asker is willing to wait.
pub const RUNS_MAX: u64 = 5_000;

/// A failure that was made small.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The invariant that is broken before and after: the first that was.
    pub invariant: Invariant,
    /// What failed.
    pub original: Plan,
    /// How many lines the source had.
    pub original_lines: u64,
    /// The simplest that was found to fail.
    pub plan: Plan,
    /// How many lines the source has.
    pub lines: u64,
    /// What the run comes to under it.
    pub report: RunReport,
    /// What it comes to without each of its faults.
    pub without: Vec<Outcome>,
    /// What it comes to without any fault.
    pub calm: Outcome,
    /// How many runs it took.
    pub runs: u64,
    /// Whether nothing simpler was left to try.
    pub complete: bool,
}

/// What a run came to: the invariants that it broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome(pub Vec<Invariant>);

impl Outcome {
    fn of(report: &RunReport) -> Self {
        let broken = report.verdicts.iter().filter(|verdict| !verdict.violations.is_empty());
        Self(broken.map(|verdict| verdict.invariant).collect())
    }

    /// Whether all invariants held.
    pub fn held(&self) -> bool {
        self.0.is_empty()
    }
}

/// Makes the failure of a run small, or finds that it holds.
///
/// `keep_going` is asked before each further run, with the simplest plan that is known to fail; when it says no, or after [`RUNS_MAX`]
/// runs, that plan is the result. A few more runs tell what it comes to without each of its faults.
pub fn shrink(
    scenario: &Scenario,
    options: &RunOptions,
    keep_going: &mut dyn FnMut(&Plan) -> bool,
) -> Option<Shrunk> {
    let mut attempts = Attempts { scenario, options, known: BTreeMap::new(), runs: 1 };
    let report = run(scenario, &RunOptions { trace: false, ..options.clone() }).report;
    let invariant = *Outcome::of(&report).0.first()?;
    let faults = report.plan.iter().map(|outcome| outcome.fault.clone()).collect();
    let original = Plan { lines: report.lines, faults };
    let workload = scenario.workload(options.seed).lines.len() as u64;
    let lines_of = |plan: &Plan| plan.lines.map_or(workload, |lines| lines.min(workload));

    let mut tree = PlanTree::new(original.clone(), workload);
    let mut more = tree.simplify();
    while more && attempts.runs < RUNS_MAX && keep_going(tree.simplest()) {
        more = match attempts.outcome(&tree.current()).0.contains(&invariant) {
            true => tree.simplify(),
            false => tree.complicate(),
        };
    }
    let plan = tree.simplest().clone();
    let without = |place: usize| {
        let mut fewer = plan.clone();
        fewer.faults.remove(place);
        attempts.outcome(&fewer)
    };
    let without = (0..plan.faults.len()).map(without).collect();
    let calm = attempts.outcome(&Plan { faults: Vec::new(), ..plan.clone() });
    Some(Shrunk {
        invariant,
        original_lines: lines_of(&original),
        lines: lines_of(&plan),
        report: attempts.run(&plan),
        without,
        calm,
        runs: attempts.runs,
        complete: !more,
        original,
        plan,
    })
}

/// The runs that were made: the same plan comes to the same again.
struct Attempts<'a> {
    scenario: &'a Scenario,
    options: &'a RunOptions,
    known: BTreeMap<String, Outcome>,
    runs: u64,
}

impl Attempts<'_> {
    fn outcome(&mut self, plan: &Plan) -> Outcome {
        let key = format!("{plan:?}");
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let outcome = Outcome::of(&self.run(plan));
        self.known.insert(key, outcome.clone());
        outcome
    }

    fn run(&mut self, plan: &Plan) -> RunReport {
        self.runs += 1;
        let options = RunOptions { plan: Some(plan.clone()), trace: false, ..self.options.clone() };
        run(self.scenario, &options).report
    }
}
