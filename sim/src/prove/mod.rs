//! Proving that every durable step of the engine is needed, and tested: each is sabotaged in turn, at the seam, and a judge must object.
//!
//! - The steps are not listed by hand: [`find_steps`] takes them from what the driver does in runs of the scenarios (`steps`), and of the
//!   orderings only those in which it waits (`orderings`). The engine knows nothing of it.
//! - [`prove`] runs the scenarios under each sabotage, seed by seed, until a judge objects to a run to which it does not object
//!   without the sabotage: the same seed, the same faults.
//! - Even seeds draw from all faults; odd ones from [`OF_DURABILITY`] alone, so that what comes to light only when a failed sync and a
//!   power loss meet does not wait for chance.
//! - The sabotage of a check makes at the seam what the check guards against, in a form that the check itself cannot see: a wrong byte
//!   under a right checksum, an older record under a newer one's number. So the harm is what there would be without the check, and a run in which the driver found damage
//!   all the same proves nothing.
//!
//! - An ordering to whose sabotage nobody objects, of a sync that is needed by itself, may be a wait that comes earlier than it must
//!   ([`is_slack`]): something after the second step needs the first, and the two could as well be done at once. Which these are is
//!   written down; any other is a gap in the tests.
//!
//! Any other step that no seed sabotages into a violation is either not needed, and costs time, or not tested.
//!
//! Left out: that two steps make up for each other; each is sabotaged alone.

mod orderings;
mod steps;

pub use steps::{Steps, find_steps, never_made};

use crate::{
    fault::{DiskOperation, FaultKind, Place, Plan, Step},
    judge::{Invariant, Verdict},
    parallel::in_order,
    run::{RunOptions, RunReport, run},
    sabotage::Sabotage,
    scenario::Scenario,
};
use serde::Serialize;
use std::{collections::BTreeSet, ops::ControlFlow};

/// How a sabotage fared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// What was sabotaged.
    pub step: Sabotage,
    /// The first run that a judge objected to; `None` if nobody did in all the seeds.
    pub caught: Option<Caught>,
    /// How many seeds of each scenario it took, or was given.
    pub seeds: u64,
}

/// The first run in which a judge objected to a sabotage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Caught {
    /// The scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// The kinds of faults that it drew from, if not from all.
    pub faults: Vec<&'static str>,
    /// The invariants whose judges objected.
    pub broken: Vec<Invariant>,
}

/// What shows whether something is durable.
pub const OF_DURABILITY: [FaultKind; 2] = [FaultKind::PowerLoss, FaultKind::FailedSync];

/// The waits that come earlier than they must, and are known to: a snapshot counts once a checkpoint names it, so its sync, that of its
/// directory and that of the unpublished checkpoint could go at once, since the rename waits for all three; the name of an output
/// file must last before its first batch is complete, not before the first checkpoint, nor before the sync of what an earlier life wrote to
/// it; and a name in a batch's directory must last before `_SUCCESS` has its own and before the batch is complete, not before the content
/// of `_SUCCESS`, or another output, is synced.
const SLACK: [(Step, Step); 5] = {
    const fn step(operation: DiskOperation, place: Place) -> Step {
        Step { operation, place }
    }
    let named = step(DiskOperation::SyncDir, Place::State);
    let unpublished = step(DiskOperation::Sync, Place::Checkpoint);
    [
        (step(DiskOperation::Sync, Place::State), named),
        (named, unpublished),
        (step(DiskOperation::SyncDir, Place::Elsewhere), unpublished),
        (step(DiskOperation::SyncDir, Place::Elsewhere), step(DiskOperation::Sync, Place::Output)),
        (step(DiskOperation::SyncDir, Place::Output), step(DiskOperation::Sync, Place::Output)),
    ]
};

/// Whether a proof shows a wait that comes earlier than it must: an ordering that is known for it, and that nobody missed, of a sync
/// without which something breaks.
pub fn is_slack(proof: &Proof, proofs: &[Proof]) -> bool {
    let Sabotage::Late(first, second) = proof.step else { return false };
    let is_needed = |other: &Proof| other.step == Sabotage::Skip(first) && other.caught.is_some();
    proof.caught.is_none() && SLACK.contains(&(first, second)) && proofs.iter().any(is_needed)
}

/// Sabotages each of the steps, with the seeds below `seeds` of all the scenarios, on `jobs` threads. `each` is told of each proof in the
/// order of the steps. Once `keep_going` says no, no further run is begun, and `each` hears only of the steps whose proofs were done.
///
/// # Panics
/// If a judge panics: that is a bug of the testbed.
pub fn prove(
    scenarios: &[Scenario],
    steps: &[Sabotage],
    seeds: u64,
    jobs: usize,
    keep_going: impl Fn() -> bool + Sync,
    mut each: impl FnMut(Proof),
) {
    let prove_one = |step: &Sabotage| prove_one(scenarios, *step, seeds, &keep_going);
    in_order(jobs, steps, prove_one, |_, proof| {
        proof.into_iter().for_each(&mut each);
        ControlFlow::Continue(())
    });
}

/// `None` if it was not to go on to the end.
fn prove_one(
    scenarios: &[Scenario],
    step: Sabotage,
    seeds: u64,
    keep_going: &impl Fn() -> bool,
) -> Option<Proof> {
    for seed in 0..seeds {
        for scenario in scenarios {
            if !keep_going() {
                return None;
            }
            let mut sabotaged = RunOptions { sabotage: BTreeSet::from([step]), ..RunOptions::seeded(seed) };
            let is_narrow = seed % 2 == 1;
            if is_narrow {
                sabotaged.faults = OF_DURABILITY.to_vec();
            }
            let report = run(scenario, &sabotaged).report;
            if !counts(step, &report) {
                continue;
            }
            let faults = report.plan.iter().map(|outcome| outcome.fault.clone()).collect();
            let honest = RunOptions { plan: Some(Plan::of(faults)), ..RunOptions::seeded(seed) };
            if run(scenario, &honest).report.held() {
                let broken = report.verdicts.iter().filter(|verdict| !verdict.violations.is_empty());
                let broken = broken.map(|verdict| verdict.invariant).collect();
                let narrow = OF_DURABILITY.iter().filter(|_| is_narrow);
                let faults = narrow.map(|kind| kind.name()).collect();
                let caught = Caught { scenario: scenario.argument().to_owned(), seed, faults, broken };
                return Some(Proof { step, caught: Some(caught), seeds: seed + 1 });
            }
        }
    }
    Some(Proof { step, caught: None, seeds })
}

/// Whether a judge objected because of the sabotage, as far as the run itself tells.
fn counts(step: Sabotage, report: &RunReport) -> bool {
    // The damage has to pass for the truth.
    let noticed = match step {
        Sabotage::Forge(place) | Sabotage::Shorten(place) | Sabotage::Misname(place) => {
            report.refused.contains(&place)
        }
        _ => false,
    };
    // That a checkpoint does not fit what there is is the sabotage itself, and no harm that came of it.
    let is_itself =
        |verdict: &Verdict| matches!(step, Sabotage::Misname(_)) && verdict.invariant == Invariant::I8;
    let mut broken = report.verdicts.iter().filter(|verdict| !verdict.violations.is_empty());
    !noticed && broken.any(|verdict| !is_itself(verdict))
}
