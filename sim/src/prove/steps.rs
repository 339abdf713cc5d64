//! Which steps there are: what the driver does in runs of the scenarios, under their faults.
//!
//! - Each sync, each truncate and each removal at each place; each append at a place that nobody syncs: what it writes counts as it is.
//! - Each create-if-absent, of a creation or a rename, at each place. Where no run met the name taken, nothing may tell it from a
//!   creation: that is told beside it.
//! - Each ordering of a sync and a step that waits for it.
//! - Each check of what is read: of its checksum, its length, and its generation and number at each place that is read, of the claims and
//!   the completions.

use super::orderings::Orderings;
use crate::{
    fault::{DiskOperation, Place, Plan, Step, StepMade},
    parallel,
    run::{RunOptions, run, simulate},
    sabotage::Sabotage,
    scenario::Scenario,
};
use serde::Serialize;
use std::collections::BTreeSet;

/// So many seeds of each scenario show what the driver does.
const LOOKED_AT: u64 = 40;

/// The durable steps of the engine, as runs showed them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Steps {
    /// Each can be sabotaged by itself.
    pub steps: Vec<Sabotage>,
    /// Orderings that are none: the second step does not wait for the first.
    pub unordered: Vec<Sabotage>,
    /// Those of the steps that were not refused in any run that was looked at: no name was taken.
    pub unconditional: Vec<Sabotage>,
}

/// A run that was looked at.
pub(super) struct Look {
    /// Which of the scenarios.
    pub scenario: usize,
    /// The seed.
    pub seed: u64,
    /// The faults.
    pub plan: Plan,
    /// What the driver did.
    pub made: Vec<StepMade>,
    refused: BTreeSet<Step>,
}

/// Finds the steps that runs of the scenarios make, on `jobs` threads. Once `keep_going` says no, no further run is begun, and the steps
/// are not known.
pub fn find_steps(
    scenarios: &[Scenario],
    jobs: usize,
    keep_going: impl Fn() -> bool + Sync,
) -> Option<Steps> {
    let runs: Vec<(usize, u64)> =
        (0..LOOKED_AT).flat_map(|seed| (0..scenarios.len()).map(move |scenario| (scenario, seed))).collect();
    let looks = parallel::map(jobs, &runs, |(scenario, seed)| {
        keep_going().then(|| look(scenarios, *scenario, *seed)).flatten()
    });
    let looks: Vec<Look> = looks.into_iter().flatten().collect();
    let orderings = Orderings::of(&looks);
    let (ordered, unordered) = orderings.told_apart(scenarios, &looks, jobs, &keep_going);
    let made: BTreeSet<Step> = looks.iter().flat_map(|look| &look.made).map(|made| made.step).collect();
    let refused: BTreeSet<Step> = looks.iter().flat_map(|look| look.refused.iter().copied()).collect();
    let (conditional, unconditional) = creations(&made, &refused);
    let mut steps = skips(&made);
    steps.extend(conditional.iter().chain(&unconditional));
    steps.extend(ordered);
    steps.extend(checks(&made));
    // What was left out is left out of all that was found.
    keep_going().then_some(Steps { steps, unordered, unconditional })
}

/// Those of some steps that no run of the scenarios makes, in the seeds that [`find_steps`] looks at: nobody can object to their sabotage. Once
/// `keep_going` has said no, no further run is begun, and that is not known.
pub fn never_made(
    scenarios: &[Scenario],
    steps: &[Sabotage],
    jobs: usize,
    keep_going: impl Fn() -> bool + Sync,
) -> Option<Vec<Sabotage>> {
    let indices: Vec<usize> = (0..scenarios.len()).collect();
    let mut left = steps.to_vec();
    for seed in 0..LOOKED_AT {
        if left.is_empty() {
            break;
        }
        let looks = parallel::map(jobs, &indices, |index| {
            keep_going().then(|| look(scenarios, *index, seed)).flatten()
        });
        for look in looks.into_iter().flatten() {
            let made = look.made.iter().map(|made| made.step).collect();
            left.retain(|step| !is_made(*step, &made));
        }
    }
    keep_going().then_some(left)
}

/// Whether what a sabotage takes away is among the steps of a run.
fn is_made(sabotage: Sabotage, made: &BTreeSet<Step>) -> bool {
    let at = |place, operations: &[DiskOperation]| {
        operations.iter().any(|operation| made.contains(&Step { operation: *operation, place }))
    };
    match sabotage {
        Sabotage::Skip(step) => made.contains(&step),
        Sabotage::Late(first, second) => made.contains(&first) && made.contains(&second),
        Sabotage::Overwrite(place) => at(place, &[DiskOperation::CreateNew, DiskOperation::Rename]),
        Sabotage::Forge(place) | Sabotage::Shorten(place) | Sabotage::Misname(place) => {
            at(place, &[DiskOperation::Read])
        }
        Sabotage::HideClaims => at(Place::Generation, &[DiskOperation::List]),
        Sabotage::HideCompletions => at(Place::Journal, &[DiskOperation::Read]),
        // What is broken everywhere is no step.
        _ => true,
    }
}

fn look(scenarios: &[Scenario], index: usize, seed: u64) -> Option<Look> {
    let scenario = &scenarios[index];
    let options = RunOptions { record_steps: true, ..RunOptions::seeded(seed) };
    let faults = run(scenario, &options).report.plan.into_iter().map(|outcome| outcome.fault).collect();
    let plan = Plan::of(faults);
    // A panic is for the runs to tell.
    let (evidence, _) = simulate(scenario, &scenario.workload(seed), &plan, &options).ok()?;
    let refused = evidence.refused.iter().collect();
    Some(Look { scenario: index, seed, plan, made: evidence.steps, refused })
}

fn skips(made: &BTreeSet<Step>) -> Vec<Sabotage> {
    let is_synced = |place| made.contains(&Step { operation: DiskOperation::Sync, place });
    let by_itself = |step: &&Step| step.operation != DiskOperation::Append || !is_synced(step.place);
    made.iter().filter(by_itself).filter_map(|step| Sabotage::Skip(*step).checked()).collect()
}

/// The places where something is created if it is not there, and those where it never is.
fn creations(made: &BTreeSet<Step>, refused: &BTreeSet<Step>) -> (Vec<Sabotage>, Vec<Sabotage>) {
    let creates = |step: &&Step| matches!(step.operation, DiskOperation::CreateNew | DiskOperation::Rename);
    let places: BTreeSet<Place> = made.iter().filter(creates).map(|step| step.place).collect();
    let taken: BTreeSet<Place> = refused.iter().filter(creates).map(|step| step.place).collect();
    let (conditional, unconditional): (Vec<Place>, Vec<Place>) =
        places.into_iter().partition(|place| taken.contains(place));
    let overwrites = |places: Vec<Place>| places.into_iter().map(Sabotage::Overwrite).collect();
    (overwrites(conditional), overwrites(unconditional))
}

/// The checks of what is read.
fn checks(made: &BTreeSet<Step>) -> Vec<Sabotage> {
    let read = made.iter().filter(|step| step.operation == DiskOperation::Read);
    let places: BTreeSet<Place> = read.map(|step| step.place).collect();
    let of = |check: fn(Place) -> Sabotage| places.iter().filter_map(move |place| check(*place).checked());
    let mut checks: Vec<Sabotage> =
        of(Sabotage::Forge).chain(of(Sabotage::Shorten)).chain(of(Sabotage::Misname)).collect();
    if made.contains(&Step { operation: DiskOperation::List, place: Place::Generation }) {
        checks.push(Sabotage::HideClaims);
    }
    if places.contains(&Place::Journal) {
        checks.push(Sabotage::HideCompletions);
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(steps: &[(DiskOperation, Place)]) -> BTreeSet<Step> {
        steps.iter().map(|(operation, place)| Step { operation: *operation, place: *place }).collect()
    }

    fn names(steps: &[Sabotage]) -> Vec<String> {
        steps.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_can_be_left_out_is_what_was_made_and_changes_something() {
        let made = made(&[
            (DiskOperation::Sync, Place::Journal),
            (DiskOperation::Append, Place::Journal),
            (DiskOperation::Append, Place::Marks),
            (DiskOperation::Read, Place::Journal),
            (DiskOperation::Rename, Place::Checkpoint),
            (DiskOperation::Remove, Place::State),
        ]);
        assert_eq!(names(&skips(&made)), ["skip:remove:state", "skip:append:marks", "skip:sync:journal"]);
    }

    #[test]
    fn a_creation_is_conditional_where_a_name_was_taken() {
        let made = made(&[
            (DiskOperation::CreateNew, Place::Generation),
            (DiskOperation::CreateNew, Place::State),
            (DiskOperation::Rename, Place::Checkpoint),
        ]);
        let refused =
            BTreeSet::from([Step { operation: DiskOperation::CreateNew, place: Place::Generation }]);
        let (conditional, unconditional) = creations(&made, &refused);
        assert_eq!(names(&conditional), ["overwrite:generation"]);
        assert_eq!(names(&unconditional), ["overwrite:checkpoint", "overwrite:state"]);
    }

    #[test]
    fn what_a_sabotage_takes_away_was_made_or_was_not() {
        let made = made(&[
            (DiskOperation::Sync, Place::Journal),
            (DiskOperation::Rename, Place::Checkpoint),
            (DiskOperation::Read, Place::Journal),
        ]);
        let is_made = |name: &str| super::is_made(name.parse().unwrap(), &made);
        for name in [
            "skip:sync:journal",
            "late:sync:journal:rename:checkpoint",
            "overwrite:checkpoint",
            "forge:journal",
            "shorten:journal",
            "misname:journal",
            "hide-completions",
        ] {
            assert!(is_made(name), "{name}");
        }
        for name in [
            "skip:sync:state",
            "late:sync:journal:rename:state",
            "late:sync:state:rename:checkpoint",
            "overwrite:state",
            "forge:state",
            "shorten:state",
            "misname:state",
            "hide-claims",
        ] {
            assert!(!is_made(name), "{name}");
        }
    }

    #[test]
    fn checks_are_of_what_is_read() {
        let made = made(&[
            (DiskOperation::Read, Place::Journal),
            (DiskOperation::Read, Place::Output),
            (DiskOperation::Sync, Place::State),
            (DiskOperation::List, Place::Generation),
        ]);
        let checks = checks(&made);
        assert_eq!(
            names(&checks),
            ["forge:journal", "shorten:journal", "misname:journal", "hide-claims", "hide-completions"]
        );
    }
}
