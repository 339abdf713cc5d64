//! Situations that only several faults together make, and that a swarm hardly ever draws: what else comes one after the other comes at
//! once. Of four seeds that have a turn here one gets each of them, and one gets none.
//!
//! - An *overload*: the disk is so slow that a batch is not over when the next one is due, and the driver crashes in it.
//! - A *long look*: where the journal goes on to its next segment, one operation takes longer than batches do, mostly one that only
//!   looks; whatever was to happen after it happens later than all that did not wait for it. The driver crashes soon after.
//! - A *handover*: a driver is taken for dead in the middle of its start, most often while it claims its generation, and its successor
//!   fails: in the same place of its start, or some batches later.
//!
//! The last two are made of steps that must be met as they are planned, so nothing else is in such a plan.

use super::{
    Aim, Class, DiskOperation, Fault, FaultKind, Moment, Place, SlowDisk, Step, Takeover, Trigger,
    aimed::aimed,
};
use crate::{rng::Draws, world::Life};
use rand_chacha::ChaCha8Rng;

/// Makes of a plan the one whose turn it is, if the kinds that it needs may be drawn. `crashes` are those of a crash that may be.
pub(super) fn add(
    turn: u64,
    faults: &mut Vec<Fault>,
    crashes: &[FaultKind],
    rng: &mut ChaCha8Rng,
    aim: &Aim<'_>,
) {
    let may = |kind: FaultKind| aim.bounds.kinds.contains(&kind);
    let slow = may(FaultKind::SlowDisk) && !crashes.is_empty();
    match turn % 4 {
        1 if slow => faults.extend(overload(crashes, rng, aim)),
        2 if may(FaultKind::Takeover) => *faults = handover(crashes, rng, aim),
        3 if slow && !aim.bounds.rolls.is_empty() => *faults = long_look(crashes, rng, aim),
        3 if slow => faults.extend(overload(crashes, rng, aim)),
        _ => {}
    }
}

fn overload(crashes: &[FaultKind], rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> [Fault; 2] {
    let at_ms = rng.between(300..=aim.bounds.last_line_ms.max(600) / 2);
    let (for_ms, latency_ms) = (rng.between(2_000..=8_000), rng.between(20..=90));
    let slow = Fault::SlowDisk(SlowDisk { trigger: Trigger::Time { at_ms }, for_ms, latency_ms });
    let trigger = Trigger::Time { at_ms: rng.between(at_ms + 500..=at_ms + for_ms) };
    [slow, aimed(*rng.pick(crashes), trigger, rng, aim)]
}

fn long_look(crashes: &[FaultKind], rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Vec<Fault> {
    let roll = rng.pick(&aim.bounds.rolls);
    let looks: Vec<_> = roll.iter().filter(|made| !made.step.operation.is_durable_step()).collect();
    let stalled = match looks.is_empty() || rng.one_in(3) {
        true => rng.pick(roll),
        false => *rng.pick(&looks),
    };
    let (number, moment) = (stalled.number, *rng.pick(&Moment::ALL));
    let trigger = Trigger::DiskOperation { life: Life::FIRST, number, moment };
    let latency_ms = rng.between(800..=4_000);
    let stall = Fault::SlowDisk(SlowDisk { trigger, for_ms: 0, latency_ms });
    let over_ms = stalled.at.millis() + latency_ms;
    let trigger = Trigger::Time { at_ms: rng.between(over_ms..=over_ms + 1_000) };
    vec![stall, aimed(*rng.pick(crashes), trigger, rng, aim)]
}

fn handover(crashes: &[FaultKind], rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut replaced = Life::FIRST;
    if !crashes.is_empty() && rng.one_in(2) {
        let trigger = Trigger::Time { at_ms: rng.between(200..=aim.bounds.last_line_ms.max(400)) };
        let crash = aimed(*rng.pick(crashes), trigger, rng, aim);
        faults.push(crash);
        replaced = replaced.next();
    }
    let place = match rng.one_in(3) {
        true => *rng.pick(&[Place::Checkpoint, Place::Journal, Place::Marks]),
        false => Place::Generation,
    };
    let mut operations = vec![DiskOperation::CreateNew, DiskOperation::Append, DiskOperation::SyncDir];
    if place == Place::Checkpoint {
        operations.push(DiskOperation::Rename);
    }
    let of_start = |life: Life, operation: DiskOperation, rng: &mut ChaCha8Rng| Trigger::Step {
        life,
        operation,
        place,
        nth: 1,
        moment: *rng.pick(&Moment::ALL),
    };
    let trigger = of_start(replaced, *rng.pick(&operations), rng);
    let (for_ms, after_ms) = (rng.between(500..=6_000), rng.magnitude(1..=1_000));
    faults.push(Fault::Takeover(Takeover { trigger, for_ms, after_ms }));
    let successor = replaced.next();
    if !crashes.is_empty() && rng.one_in(3) {
        // It goes on for some batches: what the other one does late must not matter to whoever comes third.
        let (operation, place, nth) = (DiskOperation::Append, Place::Output, rng.between(1..=12));
        let trigger =
            Trigger::Step { life: successor, operation, place, nth, moment: *rng.pick(&Moment::ALL) };
        faults.push(aimed(*rng.pick(crashes), trigger, rng, aim));
        return faults;
    }
    // A failed sync takes back what is not its own alone; the others of what can fail a start have less to do with two drivers.
    let fails = |kind: &&FaultKind| kind.ends_a_life() && kind.class() == Class::Tolerated;
    let kinds: Vec<FaultKind> = aim.bounds.kinds.iter().filter(fails).copied().collect();
    let kind = match aim.bounds.kinds.contains(&FaultKind::FailedSync) && !rng.one_in(4) {
        true => FaultKind::FailedSync,
        false => *rng.pick(&kinds),
    };
    operations.retain(|operation| kind.strikes(Step { operation: *operation, place }));
    if !operations.is_empty() {
        let trigger = of_start(successor, *rng.pick(&operations), rng);
        faults.push(aimed(kind, trigger, rng, aim));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fault::{Bounds, Plan, StepMade},
        world::VirtualTime,
    };

    fn drawn(turn: u64) -> Vec<Fault> {
        let at = VirtualTime::from_millis(1_700);
        let made = |(number, operation)| {
            let step = Step { operation, place: Place::Generation };
            StepMade { life: Life::FIRST, number, at, step }
        };
        let roll = [(70, DiskOperation::Sync), (71, DiskOperation::List)].map(made).to_vec();
        let bounds = Bounds { rolls: vec![roll], turn: Some(turn), ..Bounds::default() };
        Plan::draw(turn, &bounds).faults
    }

    #[test]
    fn a_long_look_stalls_an_operation_at_the_end_of_a_segment_and_crashes_after_it() {
        for turn in (12..400).step_by(16) {
            let [Fault::SlowDisk(stall), Fault::Crash(crash)] = &drawn(turn)[..] else { panic!("{turn}") };
            let Trigger::DiskOperation { number: 70 | 71, .. } = stall.trigger else { panic!("{turn}") };
            let Trigger::Time { at_ms } = crash.trigger else { panic!("{turn}") };
            assert!(stall.for_ms == 0 && at_ms >= 1_700 + stall.latency_ms);
        }
    }

    #[test]
    fn a_handover_is_in_the_start_of_a_driver_and_fails_that_of_its_successor() {
        let mut failed_syncs = 0;
        for turn in (8..400).step_by(16) {
            let faults = drawn(turn);
            let takeover = faults.iter().find_map(|fault| match fault {
                Fault::Takeover(Takeover { trigger: Trigger::Step { life, place, .. }, .. }) => {
                    Some((life.0, *place))
                }
                _ => None,
            });
            let (replaced, place) = takeover.unwrap_or_else(|| panic!("{turn}"));
            for fault in &faults {
                let Fault::FailedSync(failed) = fault else { continue };
                let Trigger::Step { life, place: own, .. } = &failed.trigger else { panic!("{turn}") };
                assert_eq!((life.0, *own), (replaced + 1, place));
                failed_syncs += 1;
            }
        }
        assert!(failed_syncs > 5, "{failed_syncs} failed syncs");
    }

    #[test]
    fn nothing_is_drawn_that_may_not_be() {
        for turn in 0..200 {
            let kinds = vec![FaultKind::Takeover];
            let bounds = Bounds { kinds, turn: Some(turn), ..Bounds::default() };
            let drawn = Plan::draw(turn, &bounds).faults;
            assert!(drawn.iter().all(|fault| fault.kind() == FaultKind::Takeover));
        }
    }
}
