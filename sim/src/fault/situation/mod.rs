//! Situations that only several faults together make, and that a swarm hardly ever draws: what else comes one after the other comes at
//! once. Of 128 seeds that have a turn here one gets none of them.
//!
//! - An *overload*: the disk is so slow that a batch is not over when the next one is due, and the driver crashes in it.
//! - A *long look*: where the journal goes on to its next segment, one operation takes longer than batches do, mostly one that only
//!   looks; whatever was to happen after it happens later than all that did not wait for it. The driver crashes soon after.
//! - A *stuck journal*: an append to it takes longer than a batch, and so does the next sync: what comes after the one is done while the
//!   other is on its way. The driver crashes in it.
//! - A *handover*: a driver is taken for dead in the middle of its start, most often while it claims its generation, and its successor
//!   fails: in the same place of its start, or some batches later.
//! - An *overlap*: a driver is taken for dead in the middle of its work, and wakes up while its successor starts: what it was about to do
//!   comes after what the successor has read, and before the successor does anything; or in the middle of a sync that fails for that one.
//! - A *late checkpoint*: an overlap in which the older driver publishes its checkpoint when the newer one has chosen another and still
//!   reads the journal. The newer one dies right after it has published its own first one, before it removes anything.
//! - A *relapse*: a driver dies in the batches that it makes up for after a long time down, and the next one is taken for dead right after
//!   it has made sure that it is not replaced; its successor does what it was about to do.
//! - A *late failure*: an overlap in which what the older driver does late fails, mostly a sync that takes back what the newer one has just
//!   named or written, or in which the older driver dies of it. The power is lost some batches later.
//! - A *rotten reserve*: a power loss in the middle of retention brings names back, and then the newest checkpoint or its snapshot rots: what
//!   was kept in case of that must be whole, also for the driver after the next.
//! - *Failed starts*: the sync of one directory fails for a driver, and the first one of it for some of its successors in a row; then the
//!   power is lost, and what each of them had named is gone at once.
//! - A *stray checkpoint*: it lands where the one before it is, whole, and the driver dies right after it has published it.
//!
//! All but the first are made of steps that must be met as they are planned, so nothing else is in such a plan.

mod damage;
mod failed_starts;
mod slow_disk;
#[cfg(test)]
mod tests;
mod two_drivers;

use super::{Aim, DiskOperation, Fault, FaultKind, Moment, Place, Trigger, aimed::aimed};
use crate::{rng::Draws, world::Life};
use damage::{rotten_reserve, stray_checkpoint};
use failed_starts::failed_starts;
use rand_chacha::ChaCha8Rng;
use slow_disk::{long_look, overload, stuck_journal};
use two_drivers::{handover, late_checkpoint, late_failure, overlap, relapse};

/// Makes of a plan the one whose turn it is, if the kinds that it needs may be drawn. `crashes` are those of a crash that may be.
pub(super) fn add(
    turn: u64,
    faults: &mut Vec<Fault>,
    crashes: &[FaultKind],
    rng: &mut ChaCha8Rng,
    aim: &Aim<'_>,
) {
    let may = |kind: FaultKind| aim.may(&[kind]);
    let slow = may(FaultKind::SlowDisk) && !crashes.is_empty();
    match turn % 4 {
        0 if turn.is_multiple_of(8) && may(FaultKind::Takeover) => {
            if let Some(takeover) = overlap(crashes, rng, aim) {
                *faults = takeover;
            }
        }
        0 if turn % 128 == 60 => {
            if let Some(drawn) = stray_checkpoint(rng, aim) {
                *faults = drawn;
            }
        }
        0 if turn % 16 == 12 && turn % 64 != 60 => {
            if let Some(drawn) = late_failure(rng, aim) {
                *faults = drawn;
            }
        }
        0 if turn % 16 == 4 => {
            let drawn = match turn / 16 % 3 {
                0 => late_checkpoint(crashes, rng, aim),
                1 => relapse(crashes, rng, aim),
                _ if rng.one_in(2) => failed_starts(rng, aim),
                _ => rotten_reserve(rng, aim),
            };
            if let Some(drawn) = drawn {
                *faults = drawn;
            }
        }
        1 if slow => faults.extend(overload(crashes, rng, aim)),
        2 if may(FaultKind::Takeover) => *faults = handover(crashes, rng, aim),
        3 if slow && rng.one_in(2) && !aim.bounds.rolls.is_empty() => *faults = long_look(crashes, rng, aim),
        3 if slow && !aim.bounds.journal_appends.is_empty() => *faults = stuck_journal(crashes, rng, aim),
        3 if slow => faults.extend(overload(crashes, rng, aim)),
        _ => {}
    }
}

/// It goes on for some batches, few more often. What the one before it does late must not matter to whoever comes third.
fn crash_of_a_successor(life: Life, crashes: &[FaultKind], rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Fault {
    let (operation, place, nth) = (DiskOperation::Append, Place::Output, rng.magnitude(1..=12));
    let trigger = Trigger::Step { life, operation, place, nth, moment: *rng.pick(&Moment::ALL) };
    aimed(*rng.pick(crashes), trigger, rng, aim)
}
