//! Proving that every durable step of the engine is needed, and tested: each is sabotaged in turn, at the seam, and a judge must object.
//!
//! - The steps are not listed by hand: [`find_steps`] takes them from what the driver does in runs of the scenarios (`steps`), and of the
//!   orderings only those in which it waits (`orderings`). The engine knows nothing of it.
//! - [`prove`] runs the scenarios under each sabotage, seed by seed, until a judge objects to a run to which it does not object
//!   without the sabotage: the same seed, the same faults.
//! - Even seeds draw from all faults; odd ones from [`OF_DURABILITY`] alone, so that what comes to light only when a failed sync and a
//!   power loss meet does not wait for chance.
//! - The sabotage of a check makes at the seam what the check guards against, in a form that the check itself cannot see: a wrong byte
//!   under a right checksum. So the harm is what there would be without the check, and a run in which the driver found damage
//!   all the same proves nothing.
//!
//! - An ordering to whose sabotage nobody objects, of a sync that is needed by itself, is a wait that comes earlier than it must
//!   ([`is_slack`]): something after the second step needs the first, and the two could as well be done at once.
//!
//! Any other step that no seed sabotages into a violation is either not needed, and costs time, or not tested.
//!
//! Left out: that two steps make up for each other; each is sabotaged alone.

mod orderings;
mod steps;

pub use steps::{Steps, find_steps};

use crate::{
    fault::{FaultKind, Plan},
    judge::Invariant,
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

/// Whether a proof shows a wait that comes earlier than it must: an ordering that nobody missed, of a sync without which something breaks.
pub fn is_slack(proof: &Proof, proofs: &[Proof]) -> bool {
    let Sabotage::Late(first, _) = proof.step else { return false };
    let is_needed = |other: &Proof| other.step == Sabotage::Skip(first) && other.caught.is_some();
    proof.caught.is_none() && proofs.iter().any(is_needed)
}

/// Sabotages each of the steps, with the seeds below `seeds` of all the scenarios, on `jobs` threads. `each` is told of each proof in the
/// order of the steps, and says when to stop.
///
/// # Panics
/// If a judge panics: that is a bug of the testbed.
pub fn prove(
    scenarios: &[Scenario],
    steps: &[Sabotage],
    seeds: u64,
    jobs: usize,
    mut each: impl FnMut(Proof) -> ControlFlow<()>,
) {
    in_order(jobs, steps, |step| prove_one(scenarios, *step, seeds), |_, proof| each(proof));
}

fn prove_one(scenarios: &[Scenario], step: Sabotage, seeds: u64) -> Proof {
    for seed in 0..seeds {
        for scenario in scenarios {
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
                return Proof { step, caught: Some(caught), seeds: seed + 1 };
            }
        }
    }
    Proof { step, caught: None, seeds }
}

/// Whether a judge objected because of the sabotage, as far as the run itself tells.
fn counts(step: Sabotage, report: &RunReport) -> bool {
    // The damage has to pass for the truth.
    let noticed = match step {
        Sabotage::Forge(place) | Sabotage::Shorten(place) => report.refused.contains(&place),
        _ => false,
    };
    !report.held() && !noticed
}
