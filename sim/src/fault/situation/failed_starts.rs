//! A disk on which one start after the other fails.

use super::{
    super::{
        Aim, DiskOperation, Fault, FaultKind, Moment, Place, Step, Trigger,
        aimed::{aimed, occurrences},
    },
    crash_of_a_successor,
};
use crate::{rng::Draws, world::Life};
use rand_chacha::ChaCha8Rng;

/// `None` if the kinds may not be drawn, or if the run without faults makes no such step.
pub(super) fn failed_starts(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Option<Vec<Fault>> {
    if !aim.may(&[FaultKind::FailedSync, FaultKind::PowerLoss]) {
        return None;
    }
    let operation = DiskOperation::SyncDir;
    // A start that finds nothing to be durable publishes the checkpoint that it goes on from once more, before it does anything else.
    let place =
        *rng.pick(&[Place::Checkpoint, Place::Checkpoint, Place::Checkpoint, Place::Journal, Place::State]);
    let made = occurrences(aim.bounds, Step { operation, place });
    if made == 0 {
        return None;
    }
    let mut life = Life::FIRST;
    let mut nth = rng.between(1..=made);
    let mut faults = Vec::new();
    for _ in 0..*rng.pick(&[2, 3, 3, 4]) {
        // Inside and after, some of the names are durable all the same.
        let moment =
            *rng.pick(&[Moment::Before, Moment::Before, Moment::Before, Moment::Inside, Moment::After]);
        let trigger = Trigger::Step { life, operation, place, nth, moment };
        faults.push(aimed(FaultKind::FailedSync, trigger, rng, aim));
        (life, nth) = (life.next(), 1);
    }
    faults.push(crash_of_a_successor(life, &[FaultKind::PowerLoss], rng, aim));
    Some(faults)
}
