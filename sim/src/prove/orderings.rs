//! Which steps come in an order because the engine sees to it, and which only happen to.
//!
//! A sync and a later step of the same life are an ordering if the driver waits for the one before it does the other. That is found out by
//! trial: the same run again, in which the sync takes its effect and does not tell for a while. What comes all the same does not wait.
//!
//! Looked at are, after each sync, the steps that change names or make something durable, up to the next sync and with it: what comes
//! after that waits for that. What the page cache alone sees, an append or a creation, is in no order until it is synced.

use super::steps::Look;
use crate::{
    fault::{DiskOperation, Fault, Hit, Moment, SlowDisk, Step, StepMade, Trigger},
    parallel,
    run::{RunOptions, simulate},
    sabotage::Sabotage,
    scenario::Scenario,
};
use std::collections::{BTreeMap, BTreeSet};

/// For so long a sync is held back.
const HELD_MS: u64 = 900;
/// The second step must have come so soon after the first one that it is missed while that is held back.
const SOON_MS: u64 = 300;
/// So many runs are tried until one shows that the second step waits.
const TRIALS: usize = 6;

/// Where an ordering was seen: in which look, which of its syncs of this kind.
type Seen = (usize, u64);

/// The pairs of steps that followed one another, and where.
#[derive(Default)]
pub(super) struct Orderings(BTreeMap<(Step, Step), Vec<Seen>>);

fn is_lasting(operation: DiskOperation) -> bool {
    use DiskOperation::{Remove, Rename, Truncate};
    operation.is_sync() || matches!(operation, Rename | Remove | Truncate)
}

impl Orderings {
    pub fn of(looks: &[Look]) -> Self {
        let mut orderings = Self::default();
        for (number, look) in looks.iter().enumerate() {
            for (first, second, nth) in pairs(&look.made) {
                let seen = orderings.0.entry((first, second)).or_default();
                // One of each run, so that the trials are of different kinds.
                if seen.last().is_none_or(|(last, _)| *last != number) {
                    seen.push((number, nth));
                }
            }
        }
        orderings
    }

    /// Those whose second step waits for the first, and the others. Of no use once `keep_going` has said no.
    pub fn told_apart(
        self,
        scenarios: &[Scenario],
        looks: &[Look],
        jobs: usize,
        keep_going: &(impl Fn() -> bool + Sync),
    ) -> (Vec<Sabotage>, Vec<Sabotage>) {
        let pairs: Vec<((Step, Step), Vec<Seen>)> = self.0.into_iter().collect();
        let waits = parallel::map(jobs, &pairs, |((first, second), seen)| {
            let mut trials = seen.iter().take(TRIALS);
            trials.any(|(look, nth)| keep_going() && waits(scenarios, &looks[*look], *first, *second, *nth))
        });
        let late = pairs.iter().map(|((first, second), _)| Sabotage::Late(*first, *second));
        let (ordered, unordered): (Vec<_>, Vec<_>) = late.zip(waits).partition(|(_, waits)| *waits);
        let steps = |of: Vec<(Sabotage, bool)>| of.into_iter().map(|(late, _)| late).collect();
        (steps(ordered), steps(unordered))
    }
}

/// Each sync with each lasting step soon after it, up to the next sync of the same life; and which of the run's such syncs it is.
fn pairs(made: &[StepMade]) -> Vec<(Step, Step, u64)> {
    let mut counts: BTreeMap<Step, u64> = BTreeMap::new();
    let mut pairs = Vec::new();
    for (index, first) in made.iter().enumerate().filter(|(_, made)| made.step.operation.is_sync()) {
        let nth = counts.entry(first.step).or_default();
        *nth += 1;
        let soon = first.at.after_nanos(SOON_MS * 1_000_000);
        let after = made[index + 1..].iter().take_while(|second| second.at <= soon);
        let mut seconds = BTreeSet::new();
        for second in after.filter(|second| second.life == first.life && is_lasting(second.step.operation)) {
            seconds.insert(second.step);
            if second.step.operation.is_sync() {
                break;
            }
        }
        seconds.remove(&first.step);
        pairs.extend(seconds.into_iter().map(|second| (first.step, second, *nth)));
    }
    pairs
}

/// Whether the second step does not come while the first is held back, in a run in which it came soon after it.
fn waits(scenarios: &[Scenario], look: &Look, first: Step, second: Step, nth: u64) -> bool {
    let scenario = &scenarios[look.scenario];
    let mut plan = look.plan.clone();
    let trigger =
        Trigger::Occurrence { operation: first.operation, place: first.place, nth, moment: Moment::After };
    plan.faults.push(Fault::SlowDisk(SlowDisk { trigger, for_ms: 0, latency_ms: HELD_MS }));
    let options = RunOptions { record_steps: true, ..RunOptions::seeded(look.seed) };
    let Ok((evidence, _)) = simulate(scenario, &scenario.workload(look.seed), &plan, &options) else {
        return false;
    };
    let Some(firing) = evidence.faults.last().and_then(|outcome| outcome.firing.as_ref()) else {
        return false;
    };
    let Hit::Disk { number, .. } = firing.hit else { return false };
    let until = firing.at.after_nanos(HELD_MS * 1_000_000);
    let life = evidence.lives.iter().find(|life| life.life == firing.life);
    let lived_on = life.is_some_and(|life| life.ended_at > until);
    let is_first = |made: &StepMade| made.life == firing.life && made.number == number;
    let Some(index) = evidence.steps.iter().position(is_first) else { return false };
    let mut held = evidence.steps[index + 1..].iter().take_while(|made| made.at < until);
    lived_on && !held.any(|made| made.life == firing.life && made.step == second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fault::Place,
        world::{Life, VirtualTime},
    };

    fn made(steps: &[(u32, DiskOperation, Place)]) -> Vec<StepMade> {
        let steps = (1..).zip(steps);
        let step = |(number, (life, operation, place)): (u64, &(u32, DiskOperation, Place))| StepMade {
            life: Life(*life),
            number,
            at: VirtualTime::from_millis(number),
            step: Step { operation: *operation, place: *place },
        };
        steps.map(step).collect()
    }

    #[test]
    fn a_sync_is_paired_with_what_lasts_up_to_the_next_sync_of_its_life() {
        use DiskOperation::{Append, Rename, Sync, SyncDir};
        let made = made(&[
            (1, Sync, Place::Journal),
            (1, Append, Place::Marks),
            (1, Sync, Place::Checkpoint),
            (2, SyncDir, Place::Generation),
            (1, Rename, Place::Checkpoint),
            (1, SyncDir, Place::Checkpoint),
            (1, Sync, Place::Checkpoint),
            (1, Sync, Place::Checkpoint),
        ]);
        let named = |(first, second, nth): (Step, Step, u64)| format!("{first} {nth}, {second}");
        let pairs: Vec<String> = pairs(&made).into_iter().map(named).collect();
        let expected = [
            "sync journal 1, sync checkpoint",
            "sync checkpoint 1, rename checkpoint",
            "sync checkpoint 1, sync directory checkpoint",
            "sync directory checkpoint 1, sync checkpoint",
        ];
        let mut sorted = pairs.clone();
        sorted.sort();
        let mut wanted = expected.map(str::to_owned).to_vec();
        wanted.sort();
        assert_eq!(sorted, wanted);
    }
}
