//! Faults that are aimed at steps of the disk in turn, so that no cell of the coverage matrix is left to chance.
//!
//! A swarm draws many mixtures, and some pairs of a step and a kind of fault never. So three seeds in four get a few more faults: their
//! pairs are taken one after the other from all that can be hit, in an order that is spread over them, whatever the swarm has switched off.
//! What only recoveries do is aimed at too, with a crash before it. The fourth seeds are for what takes several faults at once
//! ([`situation`](super::situation)), and some of them stay what the swarm made of them.

use super::{
    Aim, BitRot, Bounds, Class, Crash, DiskFull, DiskOperation, FailedSync, Fault, FaultKind, IoError,
    LostWrite, MisdirectedWrite, Moment, Pause, Place, PowerLoss, ShortWrite, SlowDisk, StaleRead, Step,
    Takeover, Trigger, situation,
};
use crate::{rng::Draws, world::Life};
use rand_chacha::ChaCha8Rng;

/// How many faults a seed gets.
const A_SEED: u64 = 3;

/// What no run without faults does.
const OF_RECOVERIES: [(DiskOperation, Place); 7] = [
    (DiskOperation::Remove, Place::Generation),
    (DiskOperation::Read, Place::Checkpoint),
    (DiskOperation::Read, Place::State),
    (DiskOperation::Read, Place::Journal),
    (DiskOperation::Read, Place::Marks),
    (DiskOperation::Remove, Place::State),
    (DiskOperation::Remove, Place::Output),
];

/// What only a batch with a directory of its own does.
const A_BATCHS_DIRECTORY: Step = Step { operation: DiskOperation::CreateDir, place: Place::Output };

/// Adds to a plan the faults whose turn it is.
pub(super) fn add(faults: &mut Vec<Fault>, rng: &mut ChaCha8Rng, aim: &Aim<'_>) {
    let Some(turn) = aim.bounds.turn else { return };
    let crashes = [FaultKind::Crash, FaultKind::PowerLoss].into_iter();
    let crashes: Vec<_> = crashes.filter(|kind| aim.bounds.kinds.contains(kind)).collect();
    match turn % 4 {
        0 => situation::add(turn / 4, faults, &crashes, rng, aim),
        _ => add_cells(turn, faults, &crashes, rng, aim),
    }
}

/// Faults at the pairs whose turn it is.
fn add_cells(turn: u64, faults: &mut Vec<Fault>, crashes: &[FaultKind], rng: &mut ChaCha8Rng, aim: &Aim<'_>) {
    let cells = cells(aim.bounds);
    let in_turn = turn - turn / 4 - 1;
    let first = in_turn.wrapping_mul(A_SEED);
    let mut whose_turn_it_is: Vec<_> =
        (0..A_SEED).map(|number| nth_of(&cells, first.wrapping_add(number))).collect();
    // Few scenarios write a directory a batch, so what only these do gets one more.
    if occurrences(aim.bounds, A_BATCHS_DIRECTORY) > 0 {
        let of_output: Vec<_> =
            cells.iter().filter(|(_, step, _)| step.place == Place::Output).copied().collect();
        whose_turn_it_is.push(nth_of(&of_output, in_turn));
        // A power loss that keeps one of the names in it and takes another is rare even where it comes to a directory in time.
        let spares_the_cache =
            whose_turn_it_is.iter().flatten().all(|(kind, ..)| *kind != FaultKind::StaleRead);
        let at_names = |(kind, step, _): &&(FaultKind, Step, u64)| {
            *kind == FaultKind::PowerLoss && step.operation == DiskOperation::SyncDir
        };
        if in_turn.is_multiple_of(2) && spares_the_cache {
            whose_turn_it_is.push(of_output.iter().find(at_names).copied());
        }
    }
    let (mut needs_a_crash, mut needs_the_cache) = (false, false);
    for (kind, step, made) in whose_turn_it_is.into_iter().flatten() {
        // More than one such fault could end the run before the other.
        if kind.class() == Class::Detectable {
            faults.retain(|fault| fault.kind().class() != Class::Detectable);
        }
        // What is misdirected lands in another file: where there is one step in a life, an earlier life has left one.
        let second = kind == FaultKind::MisdirectedWrite && made == 1;
        // A directory that is listed at a start has something that a listing could lack only at a later one. Claims are listed all
        // the time.
        let later = kind == FaultKind::StaleRead
            && step.operation == DiskOperation::List
            && step.place != Place::Generation;
        needs_a_crash |= made == 0 || second || later;
        // A power loss leaves nothing of before that could be read.
        needs_the_cache |= kind == FaultKind::StaleRead;
        let Step { operation, place } = step;
        // How often files are looked at depends on how many come at once: with faults it may be a few times only.
        let surely = if place == Place::Elsewhere { made.div_ceil(4) } else { made };
        let nth = if second { 2 } else { rng.magnitude(1..=surely.max(1)) };
        let moment = *rng.pick(&Moment::ALL);
        let trigger = match later {
            true => {
                let life = Life::FIRST.next();
                Trigger::Step { life, operation, place, nth: rng.between(1..=3), moment }
            }
            false => Trigger::Occurrence { operation, place, nth, moment },
        };
        faults.push(aimed(kind, trigger, rng, aim));
    }
    let crashes = crashes.iter().copied();
    let crashes: Vec<_> = crashes.filter(|kind| !needs_the_cache || *kind == FaultKind::Crash).collect();
    if needs_a_crash && !crashes.is_empty() {
        let appends =
            occurrences(aim.bounds, Step { operation: DiskOperation::Append, place: Place::Output });
        let trigger = Trigger::Occurrence {
            operation: DiskOperation::Append,
            place: Place::Output,
            nth: rng.between(1..=(appends * 3 / 4).max(1)),
            moment: *rng.pick(&[Moment::Inside, Moment::After]),
        };
        faults.push(aimed(*rng.pick(&crashes), trigger, rng, aim));
    }
}

/// Every pair of a kind and a step that it strikes, with how often the run without faults makes the step.
fn cells(bounds: &Bounds) -> Vec<(FaultKind, Step, u64)> {
    if bounds.steps.is_empty() {
        return Vec::new();
    }
    let calm = bounds.steps.iter().map(|(step, made)| (*step, made.len() as u64));
    let keeps_state = bounds.steps.iter().any(|(step, _)| step.place == Place::State);
    let of_recoveries = OF_RECOVERIES.into_iter().map(|(operation, place)| Step { operation, place });
    // Only a batch with a directory of its own has something to remove when it is emitted again.
    let in_directories = occurrences(bounds, A_BATCHS_DIRECTORY) > 0;
    let is_made = |place: Place| match place {
        Place::State => keeps_state,
        Place::Output => in_directories,
        _ => true,
    };
    let of_recoveries = of_recoveries.filter(|step| occurrences(bounds, *step) == 0 && is_made(step.place));
    let steps: Vec<(Step, u64)> = calm.chain(of_recoveries.map(|step| (step, 0))).collect();
    let kinds = bounds.kinds.iter();
    let cell = |kind: FaultKind| {
        let struck = steps.iter().filter(move |(step, _)| kind.strikes(*step));
        struck.map(move |(step, made)| (kind, *step, *made))
    };
    kinds.flat_map(|kind| cell(*kind)).collect()
}

/// How often the run without faults makes a step.
pub(super) fn occurrences(bounds: &Bounds, wanted: Step) -> u64 {
    bounds.steps.iter().find(|(step, _)| *step == wanted).map_or(0, |(_, made)| made.len() as u64)
}

/// The one of some whose turn it is; none of none.
fn nth_of<T: Copy>(all: &[T], number: u64) -> Option<T> {
    all.get(spread(number, all.len().max(1) as u64) as usize).copied()
}

/// A place among so many for each number: consecutive numbers far apart, and each place once in a round.
fn spread(number: u64, places: u64) -> u64 {
    let mut stride = places * 5 / 8 + 1;
    while gcd(stride, places) != 1 {
        stride += 1;
    }
    number % places * stride % places
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A fault of the kind, at the trigger.
pub(super) fn aimed(kind: FaultKind, trigger: Trigger, rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Fault {
    let mut fault = Fault::draw(kind, rng, aim);
    if let Fault::Crash(crash) = &mut fault {
        let drawn = crash.power_loss.take();
        let power_loss = drawn.unwrap_or_else(|| PowerLoss { image_seed: rng.below(1 << 32), keep: None });
        crash.power_loss = (kind == FaultKind::PowerLoss).then_some(power_loss);
    }
    if let Fault::Crash(Crash { trigger: own, .. })
    | Fault::Pause(Pause { trigger: own, .. })
    | Fault::Takeover(Takeover { trigger: own, .. })
    | Fault::IoError(IoError { trigger: own })
    | Fault::DiskFull(DiskFull { trigger: own, .. })
    | Fault::ShortWrite(ShortWrite { trigger: own, .. })
    | Fault::FailedSync(FailedSync { trigger: own, .. })
    | Fault::SlowDisk(SlowDisk { trigger: own, .. })
    | Fault::BitRot(BitRot { trigger: own, .. })
    | Fault::MisdirectedWrite(MisdirectedWrite { trigger: own, .. })
    | Fault::LostWrite(LostWrite { trigger: own })
    | Fault::StaleRead(StaleRead { trigger: own }) = &mut fault
    {
        *own = trigger;
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Plan;
    use std::collections::BTreeSet;

    fn bounds(turn: u64) -> Bounds {
        let operations = [DiskOperation::Append, DiskOperation::Sync, DiskOperation::Rename];
        let places = [Place::Journal, Place::Checkpoint, Place::Output];
        let steps = operations
            .iter()
            .flat_map(|operation| places.map(|place| (Step { operation: *operation, place }, vec![1, 2, 3])));
        Bounds { steps: steps.collect(), turn: Some(turn), ..Bounds::default() }
    }

    #[test]
    fn every_pair_has_its_turn_and_one_seed_in_four_has_none_aimed_at_a_step() {
        let wanted: BTreeSet<String> =
            cells(&bounds(1)).iter().map(|(kind, step, _)| format!("{kind} {step}")).collect();
        let mut hit = BTreeSet::new();
        for turn in 0..200 {
            let plan = Plan::draw(turn, &bounds(turn));
            let aimed: Vec<String> = plan
                .faults
                .iter()
                .filter_map(|fault| match fault.trigger()? {
                    Trigger::Occurrence { operation, place, .. } => {
                        Some(format!("{} {}", fault.kind(), Step { operation, place }))
                    }
                    _ => None,
                })
                .collect();
            assert_eq!(aimed.is_empty(), turn % 4 == 0, "{turn}");
            hit.extend(aimed);
        }
        assert_eq!(wanted.difference(&hit).collect::<Vec<_>>(), Vec::<&String>::new());
    }

    #[test]
    fn a_round_takes_each_place_once() {
        for places in 1..400 {
            let taken: BTreeSet<u64> = (1000..1000 + places).map(|number| spread(number, places)).collect();
            assert_eq!(taken.len() as u64, places);
        }
    }
}
