//! A disk that is slow in the wrong moment, and a crash in it.

use super::super::{
    Aim, DiskOperation, Fault, FaultKind, Moment, Place, SlowDisk, Step, Trigger, aimed::aimed,
};
use crate::{rng::Draws, world::Life};
use rand_chacha::ChaCha8Rng;

pub(super) fn overload(crashes: &[FaultKind], rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> [Fault; 2] {
    let at_ms = rng.between(300..=aim.bounds.last_line_ms.max(600) / 2);
    let (for_ms, latency_ms) = (rng.between(2_000..=8_000), rng.between(20..=90));
    let slow = Fault::SlowDisk(SlowDisk { trigger: Trigger::Time { at_ms }, for_ms, latency_ms });
    let trigger = Trigger::Time { at_ms: rng.between(at_ms + 500..=at_ms + for_ms) };
    [slow, aimed(*rng.pick(crashes), trigger, rng, aim)]
}

pub(super) fn long_look(crashes: &[FaultKind], rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Vec<Fault> {
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

pub(super) fn stuck_journal(crashes: &[FaultKind], rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Vec<Fault> {
    let append = rng.pick(&aim.bounds.journal_appends);
    let (operation, place, moment) = (DiskOperation::Sync, Place::Journal, *rng.pick(&Moment::ALL));
    let syncs = aim.bounds.steps.iter().find(|(step, _)| *step == Step { operation, place });
    let before = syncs.map_or(0, |(_, made)| made.iter().filter(|number| **number < append.number).count());
    let (first_ms, second_ms) = (rng.between(500..=3_000), rng.between(500..=3_000));
    let stall = |trigger, latency_ms| Fault::SlowDisk(SlowDisk { trigger, for_ms: 0, latency_ms });
    let first = Trigger::DiskOperation { life: Life::FIRST, number: append.number, moment };
    let nth = before as u64 + 1;
    let second = Trigger::Step { life: Life::FIRST, operation, place, nth, moment: *rng.pick(&Moment::ALL) };
    let stuck_ms = append.at.millis() + first_ms;
    let trigger = Trigger::Time { at_ms: rng.between(stuck_ms..=stuck_ms + second_ms + 500) };
    let crash = aimed(*rng.pick(crashes), trigger, rng, aim);
    vec![stall(first, first_ms), stall(second, second_ms), crash]
}
