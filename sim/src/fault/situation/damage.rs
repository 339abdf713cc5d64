//! Damage in a moment in which little is left beside it.

use super::{
    super::{
        Aim, BitRot, DiskOperation, Fault, FaultKind, MisdirectedWrite, Moment, Place, Step, Trigger,
        aimed::{aimed, occurrences},
    },
    crash_of_a_successor,
};
use crate::{rng::Draws, world::Life};
use rand_chacha::ChaCha8Rng;

/// `None` if the kinds may not be drawn, or if the run without faults removes nothing.
pub(super) fn rotten_reserve(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Option<Vec<Fault>> {
    if !aim.may(&[FaultKind::PowerLoss, FaultKind::BitRot]) {
        return None;
    }
    let removes = |step: &Step| {
        // What a checkpoint refers to.
        matches!(step.place, Place::State | Place::Journal) && step.operation == DiskOperation::Remove
    };
    let removals: Vec<_> = aim.bounds.steps.iter().filter(|(step, _)| removes(step)).collect();
    if removals.is_empty() {
        return None;
    }
    let (Step { operation, place }, made) = rng.pick(&removals);
    let trigger = Trigger::Step {
        life: Life::FIRST,
        operation: *operation,
        place: *place,
        nth: rng.between(1..=made.len().max(1) as u64),
        moment: *rng.pick(&[Moment::Inside, Moment::After]),
    };
    let power_loss = aimed(FaultKind::PowerLoss, trigger, rng, aim);
    let rot = BitRot {
        trigger: Trigger::Start { life: Life::FIRST.next() },
        place: if rng.one_in(4) { Place::State } else { Place::Checkpoint },
        file: 0,
        byte: rng.magnitude(0..=1 << 14),
        bit: rng.below(8) as u8,
    };
    // The next one is to find what the one that made do with the reserve has kept, before there is a newer snapshot.
    let crash = crash_of_a_successor(Life::FIRST.next(), &[FaultKind::PowerLoss], rng, aim);
    Some(vec![power_loss, Fault::BitRot(rot), crash])
}

/// `None` if the kinds may not be drawn, or if the run without faults has no second checkpoint.
pub(super) fn stray_checkpoint(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Option<Vec<Fault>> {
    let rename = Step { operation: DiskOperation::Rename, place: Place::Checkpoint };
    let made = occurrences(aim.bounds, rename);
    if !aim.may(&[FaultKind::MisdirectedWrite, FaultKind::Crash]) || made < 2 {
        return None;
    }
    let nth = rng.between(2..=made);
    let at = |operation, moment| Trigger::Step {
        life: Life::FIRST,
        operation,
        place: Place::Checkpoint,
        nth,
        moment,
    };
    let write = MisdirectedWrite {
        trigger: at(DiskOperation::Append, Moment::Before),
        place: Place::Checkpoint,
        file: 0,
        byte: 0,
    };
    let crash = aimed(FaultKind::Crash, at(DiskOperation::Rename, Moment::After), rng, aim);
    Some(vec![Fault::MisdirectedWrite(write), crash])
}
