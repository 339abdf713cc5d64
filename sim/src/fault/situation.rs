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
//!
//! - A *stray checkpoint*: it lands where the one before it is, whole, and the driver dies right after it has published it.
//!
//! All but the first are made of steps that must be met as they are planned, so nothing else is in such a plan.

use super::{
    Aim, BitRot, Class, DiskOperation, Fault, FaultKind, MisdirectedWrite, Moment, Place, SlowDisk, Step,
    Takeover, Trigger, aimed::aimed,
};
use crate::{rng::Draws, world::Life};
use rand_chacha::ChaCha8Rng;

/// How long a driver's start takes on a disk that nothing slows down, in milliseconds, and a bit.
const START_MS_MAX: u64 = 16;

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

fn stuck_journal(crashes: &[FaultKind], rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Vec<Fault> {
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

/// `None` if the run without faults makes no such step.
fn overlap(crashes: &[FaultKind], rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Option<Vec<Fault>> {
    let works = |step: &Step| {
        let place = matches!(step.place, Place::Journal | Place::Marks | Place::Checkpoint | Place::Output);
        place && step.operation.is_durable_step()
    };
    let of_work: Vec<_> = aim.bounds.steps.iter().filter(|(step, _)| works(step)).collect();
    // What is acknowledged, and what a recovery goes on from: what is done late there is worst. And names that are not durable: a
    // sync that fails for the successor takes them back.
    let step = |operation, place| Some(Step { operation, place });
    let (worst, fails) = match rng.below(8) {
        0..3 => (step(DiskOperation::Append, Place::Journal), false),
        3 => (step(DiskOperation::Rename, Place::Checkpoint), false),
        4 => (step(DiskOperation::SyncDir, Place::Checkpoint), true),
        5 => (step(*rng.pick(&[DiskOperation::CreateNew, DiskOperation::SyncDir]), Place::Journal), true),
        _ => (None, false),
    };
    let (Step { operation, place }, made) = match of_work.iter().find(|(step, _)| Some(*step) == worst) {
        Some(worst) => worst,
        None if of_work.is_empty() => return None,
        None => rng.pick(&of_work),
    };
    let (operation, place, nth) = (*operation, *place, rng.between(1..=made.len().max(1) as u64));
    let moment = *rng.pick(&[Moment::Before, Moment::Before, Moment::Inside, Moment::After]);
    let after_ms = rng.magnitude(1..=2_000);
    let for_ms = after_ms + rng.between(0..=START_MS_MAX);
    let (replaced, successor) = (Life::FIRST, Life::FIRST.next());
    let trigger = Trigger::Step { life: replaced, operation, place, nth, moment };
    let mut faults = vec![Fault::Takeover(Takeover { trigger, for_ms, after_ms })];
    if fails && aim.bounds.kinds.contains(&FaultKind::FailedSync) {
        let moment = *rng.pick(&Moment::ALL);
        let trigger =
            Trigger::Step { life: successor, operation: DiskOperation::SyncDir, place, nth: 1, moment };
        faults.push(aimed(FaultKind::FailedSync, trigger, rng, aim));
        return Some(faults);
    }
    if !crashes.is_empty() && rng.one_in(2) {
        faults.push(crash_of_a_successor(successor, crashes, rng, aim));
    }
    Some(faults)
}

/// `None` if the kinds may not be drawn, or if the run without faults makes no such step.
fn late_failure(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Option<Vec<Fault>> {
    let may = |kind: &FaultKind| aim.bounds.kinds.contains(kind);
    if ![FaultKind::Takeover, FaultKind::PowerLoss].iter().all(may) {
        return None;
    }
    // What a driver's successor has named a moment before is most at risk.
    let fitting: fn(&Step) -> bool = match rng.below(8) {
        0..4 => |step| step.operation == DiskOperation::SyncDir,
        4..6 => |step| step.operation.is_sync(),
        _ => |step| step.operation.is_durable_step(),
    };
    let steps: Vec<_> = aim.bounds.steps.iter().filter(|(step, _)| fitting(step)).collect();
    let kinds = [FaultKind::FailedSync, FaultKind::IoError, FaultKind::ShortWrite, FaultKind::Crash];
    let kinds: Vec<FaultKind> = kinds.into_iter().filter(may).collect();
    if steps.is_empty() {
        return None;
    }
    let (Step { operation, place }, made) = rng.pick(&steps);
    let strikes = |kind: &FaultKind| kind.strikes(Step { operation: *operation, place: *place });
    let kinds: Vec<FaultKind> = kinds.into_iter().filter(strikes).collect();
    let kind = match kinds[..] {
        [] => return None,
        [FaultKind::FailedSync, ..] if !rng.one_in(4) => FaultKind::FailedSync,
        _ => *rng.pick(&kinds),
    };
    let nth = rng.between(1..=made.len().max(1) as u64);
    let (replaced, successor) = (Life::FIRST, Life::FIRST.next());
    let late =
        |nth, moment| Trigger::Step { life: replaced, operation: *operation, place: *place, nth, moment };
    let after_ms = rng.magnitude(1..=2_000);
    let for_ms = after_ms + rng.between(1..=START_MS_MAX * 2 / 3);
    let takeover = Takeover { trigger: late(nth, Moment::Before), for_ms, after_ms };
    // What stood still before its effect is made anew.
    let failure = aimed(kind, late(nth + 1, *rng.pick(&Moment::ALL)), rng, aim);
    let power_loss = crash_of_a_successor(successor, &[FaultKind::PowerLoss], rng, aim);
    Some(vec![Fault::Takeover(takeover), failure, power_loss])
}

/// `None` if the kinds may not be drawn.
fn late_checkpoint(crashes: &[FaultKind], rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Option<Vec<Fault>> {
    let needed = [FaultKind::Takeover, FaultKind::SlowDisk];
    if crashes.is_empty() || needed.iter().any(|kind| !aim.bounds.kinds.contains(kind)) {
        return None;
    }
    let (replaced, successor) = (Life::FIRST, Life::FIRST.next());
    let of_checkpoints = |life, operation, nth, moment| Trigger::Step {
        life,
        operation,
        place: Place::Checkpoint,
        nth,
        moment,
    };
    let rename = Step { operation: DiskOperation::Rename, place: Place::Checkpoint };
    let made =
        aim.bounds.steps.iter().find(|(step, _)| *step == rename).map_or(0, |(_, made)| made.len() as u64);
    let nth = rng.between(1..=made.max(1));
    let (after_ms, latency_ms) = (rng.magnitude(1..=2_000), rng.between(20..=200));
    let takeover = Takeover {
        trigger: of_checkpoints(replaced, DiskOperation::Rename, nth, Moment::Before),
        for_ms: after_ms + rng.between(2..=latency_ms),
        after_ms,
    };
    let (operation, place) = (DiskOperation::Read, Place::Journal);
    let reads = Trigger::Step { life: successor, operation, place, nth: 1, moment: *rng.pick(&Moment::ALL) };
    let stall = SlowDisk { trigger: reads, for_ms: 0, latency_ms };
    let operation = *rng.pick(&[DiskOperation::Rename, DiskOperation::SyncDir]);
    let trigger = of_checkpoints(successor, operation, 1, Moment::After);
    let crash = aimed(*rng.pick(crashes), trigger, rng, aim);
    Some(vec![Fault::Takeover(takeover), Fault::SlowDisk(stall), crash])
}

/// `None` if the kinds may not be drawn.
fn relapse(crashes: &[FaultKind], rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Option<Vec<Fault>> {
    if crashes.is_empty() || !aim.bounds.kinds.contains(&FaultKind::Takeover) {
        return None;
    }
    let second = Life::FIRST.next();
    let at_ms = rng.between(200..=aim.bounds.last_line_ms.max(400));
    let mut first_crash = aimed(*rng.pick(crashes), Trigger::Time { at_ms }, rng, aim);
    if let Fault::Crash(crash) = &mut first_crash {
        // So that there are several batches to make up for.
        crash.restart_after_ms = rng.between(2_000..=6_000);
    }
    // In the middle of their output, or when all of it is written: the first two syncs are those of the start.
    let (operation, nth, moments) = match rng.one_in(2) {
        true => (DiskOperation::Append, rng.magnitude(1..=8), [Moment::Inside, Moment::After]),
        false => (DiskOperation::Sync, rng.between(3..=4), [Moment::Before, Moment::Inside]),
    };
    let moment = *rng.pick(&moments);
    let trigger = Trigger::Step { life: second, operation, place: Place::Output, nth, moment };
    let second_crash = aimed(*rng.pick(crashes), trigger, rng, aim);
    // Each step that a replaced driver must not make begins with a look at the claims: seven or eight are the start's, then each emission
    // has one.
    let trigger = Trigger::Step {
        life: second.next(),
        operation: DiskOperation::List,
        place: Place::Generation,
        nth: rng.between(7..=13),
        moment: Moment::After,
    };
    let after_ms = rng.magnitude(1..=200);
    let takeover = Takeover { trigger, for_ms: after_ms + rng.magnitude(10..=1_000), after_ms };
    Some(vec![first_crash, second_crash, Fault::Takeover(takeover)])
}

/// `None` if the kinds may not be drawn, or if the run without faults removes nothing.
fn rotten_reserve(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Option<Vec<Fault>> {
    let needed = [FaultKind::PowerLoss, FaultKind::BitRot];
    if needed.iter().any(|kind| !aim.bounds.kinds.contains(kind)) {
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
fn stray_checkpoint(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Option<Vec<Fault>> {
    let needed = [FaultKind::MisdirectedWrite, FaultKind::Crash];
    let rename = Step { operation: DiskOperation::Rename, place: Place::Checkpoint };
    let made =
        aim.bounds.steps.iter().find(|(step, _)| *step == rename).map_or(0, |(_, made)| made.len() as u64);
    if needed.iter().any(|kind| !aim.bounds.kinds.contains(kind)) || made < 2 {
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

/// It goes on for some batches, few more often. What the one before it does late must not matter to whoever comes third.
fn crash_of_a_successor(life: Life, crashes: &[FaultKind], rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Fault {
    let (operation, place, nth) = (DiskOperation::Append, Place::Output, rng.magnitude(1..=12));
    let trigger = Trigger::Step { life, operation, place, nth, moment: *rng.pick(&Moment::ALL) };
    aimed(*rng.pick(crashes), trigger, rng, aim)
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
    let place = match rng.below(8) {
        0..4 => Place::Generation,
        4..6 => Place::Checkpoint,
        6 => Place::Journal,
        _ => *rng.pick(&[Place::Journal, Place::Marks]),
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
        // What was not done yet is done late.
        moment: *rng.pick(&[Moment::Before, Moment::Before, Moment::Inside, Moment::After]),
    };
    let trigger = of_start(replaced, *rng.pick(&operations), rng);
    let (for_ms, after_ms) = (rng.between(500..=6_000), rng.magnitude(1..=1_000));
    faults.push(Fault::Takeover(Takeover { trigger, for_ms, after_ms }));
    let successor = replaced.next();
    if !crashes.is_empty() && rng.one_in(2) {
        let mut crash = crash_of_a_successor(successor, crashes, rng, aim);
        // Whoever comes third comes when the first wakes up, or long before, and has tidied up by then.
        if let Fault::Crash(crash) = &mut crash {
            let until_awake = for_ms.saturating_sub(after_ms).max(1);
            crash.restart_after_ms = if rng.one_in(3) { rng.magnitude(1..=until_awake) } else { until_awake };
        }
        faults.push(crash);
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

    /// What the run without faults does.
    fn steps() -> Vec<(Step, Vec<u64>)> {
        let made_thrice = |operation, place| (Step { operation, place }, vec![40, 45, 51]);
        let syncs = made_thrice(DiskOperation::Sync, Place::Journal);
        vec![syncs, made_thrice(DiskOperation::Remove, Place::State)]
    }

    fn drawn(turn: u64) -> Vec<Fault> {
        let at = VirtualTime::from_millis(1_700);
        let made = |(number, operation)| {
            let step = Step { operation, place: Place::Generation };
            StepMade { life: Life::FIRST, number, at, step }
        };
        let roll = [(70, DiskOperation::Sync), (71, DiskOperation::List)].map(made).to_vec();
        let journal_appends = vec![made((50, DiskOperation::Append))];
        let bounds = Bounds {
            rolls: vec![roll],
            journal_appends,
            steps: steps(),
            turn: Some(turn),
            ..Bounds::default()
        };
        Plan::draw(turn, &bounds).faults
    }

    #[test]
    fn a_long_look_stalls_an_operation_at_the_end_of_a_segment_and_a_stuck_journal_two_of_it() {
        let (mut looks, mut stuck) = (0, 0);
        for turn in (12..400).step_by(16) {
            match &drawn(turn)[..] {
                [Fault::SlowDisk(stall), Fault::Crash(crash)] => {
                    looks += 1;
                    let Trigger::DiskOperation { number: 70 | 71, .. } = stall.trigger else {
                        panic!("{turn}")
                    };
                    let Trigger::Time { at_ms } = crash.trigger else { panic!("{turn}") };
                    assert!(stall.for_ms == 0 && at_ms >= 1_700 + stall.latency_ms);
                }
                [Fault::SlowDisk(first), Fault::SlowDisk(second), Fault::Crash(crash)] => {
                    stuck += 1;
                    assert!(matches!(first.trigger, Trigger::DiskOperation { number: 50, .. }));
                    assert!(matches!(second.trigger, Trigger::Step { nth: 3, .. }));
                    let Trigger::Time { at_ms } = crash.trigger else { panic!("{turn}") };
                    assert!(at_ms >= 1_700 + first.latency_ms);
                }
                other => panic!("{turn}: {other:?}"),
            }
        }
        assert!(looks > 5 && stuck > 5, "{looks} long looks, {stuck} stuck journals");
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
    fn in_an_overlap_the_older_driver_wakes_up_while_the_newer_one_starts() {
        for turn in (0..800).step_by(32) {
            let faults = drawn(turn);
            let [Fault::Takeover(takeover), ..] = &faults[..] else { panic!("{turn}") };
            let Trigger::Step { place: Place::Journal, nth: 1..=3, .. } = takeover.trigger else {
                panic!("{turn}")
            };
            assert!((0..=START_MS_MAX).contains(&(takeover.for_ms - takeover.after_ms)));
        }
    }

    #[test]
    fn in_a_late_failure_the_older_driver_fails_at_what_it_makes_anew_and_the_power_is_lost_after_it() {
        let (mut failed_syncs, mut others) = (0, 0);
        for turn in (48..6_000).step_by(64).filter(|turn| turn % 256 != 240) {
            // Of a removal only a crash could be made that the bounds do not have.
            let [Fault::Takeover(takeover), failure, Fault::Crash(power_loss)] = &drawn(turn)[..] else {
                continue;
            };
            assert!((1..=START_MS_MAX).contains(&(takeover.for_ms - takeover.after_ms)));
            let (Trigger::Step { nth: stood_still, .. }, Some(Trigger::Step { life: Life(1), nth, .. })) =
                (&takeover.trigger, failure.trigger())
            else {
                panic!("{turn}")
            };
            assert_eq!(nth, stood_still + 1);
            assert!(power_loss.power_loss.is_some());
            assert!(matches!(power_loss.trigger, Trigger::Step { life: Life(2), .. }));
            match failure {
                Fault::FailedSync(_) => failed_syncs += 1,
                _ => others += 1,
            }
        }
        assert!(failed_syncs > 10 && others > 2, "{failed_syncs} failed syncs, {others} others");
    }

    #[test]
    fn a_stray_checkpoint_lands_in_the_one_before_and_the_driver_dies_right_after_it() {
        let rename = Step { operation: DiskOperation::Rename, place: Place::Checkpoint };
        let bounds = Bounds { steps: vec![(rename, vec![40, 45, 51])], turn: Some(240), ..Bounds::default() };
        for seed in 0..20 {
            let [Fault::MisdirectedWrite(write), Fault::Crash(crash)] = &Plan::draw(seed, &bounds).faults[..]
            else {
                panic!("{seed}")
            };
            let (Trigger::Step { nth: written, .. }, Trigger::Step { nth: published, .. }) =
                (&write.trigger, &crash.trigger)
            else {
                panic!("{seed}")
            };
            assert!(written == published && (2..=3).contains(written));
            assert!((write.file, write.byte, crash.power_loss.is_none()) == (0, 0, true));
        }
        let once = Bounds { steps: vec![(rename, vec![40])], turn: Some(240), ..Bounds::default() };
        let is_stray = |fault: &Fault| matches!(fault, Fault::MisdirectedWrite(write) if write.byte == 0 && matches!(write.trigger, Trigger::Step { life: Life(1), nth: 2.., .. }));
        assert!((0..20).all(|seed| !Plan::draw(seed, &once).faults.first().is_some_and(is_stray)));
    }

    #[test]
    fn a_late_checkpoint_comes_while_the_successor_reads_and_before_it_dies() {
        for turn in (16..3_000).step_by(192) {
            let [Fault::Takeover(takeover), Fault::SlowDisk(stall), Fault::Crash(crash)] = &drawn(turn)[..]
            else {
                panic!("{turn}")
            };
            assert!((2..=stall.latency_ms).contains(&(takeover.for_ms - takeover.after_ms)));
            let own = |trigger: &Trigger| match trigger {
                Trigger::Step { life, operation, place, .. } => (life.0, *operation, *place),
                other => panic!("{turn}: {other}"),
            };
            assert_eq!(own(&takeover.trigger), (1, DiskOperation::Rename, Place::Checkpoint));
            assert_eq!(own(&stall.trigger), (2, DiskOperation::Read, Place::Journal));
            assert!(matches!(own(&crash.trigger), (2, _, Place::Checkpoint)));
        }
    }

    #[test]
    fn a_relapse_has_two_crashes_and_replaces_the_third_driver_after_a_look_at_the_claims() {
        for turn in (80..3_000).step_by(192) {
            let [Fault::Crash(first), Fault::Crash(_), Fault::Takeover(takeover)] = &drawn(turn)[..] else {
                panic!("{turn}")
            };
            assert!(first.restart_after_ms >= 2_000);
            let Trigger::Step {
                life: Life(3), operation: DiskOperation::List, moment: Moment::After, ..
            } = takeover.trigger
            else {
                panic!("{turn}")
            };
            assert!(takeover.for_ms > takeover.after_ms);
        }
    }

    #[test]
    fn what_is_kept_in_reserve_is_needed_after_a_power_loss_in_retention() {
        for turn in (144..3_000).step_by(192) {
            let [Fault::Crash(crash), Fault::BitRot(rot), Fault::Crash(_)] = &drawn(turn)[..] else {
                panic!("{turn}")
            };
            assert!(crash.power_loss.is_some());
            assert!(matches!(crash.trigger, Trigger::Step { operation: DiskOperation::Remove, .. }));
            assert!(matches!(rot.trigger, Trigger::Start { life: Life(2) }) && rot.file == 0);
        }
    }

    #[test]
    fn nothing_is_drawn_that_may_not_be() {
        for turn in 0..200 {
            let kinds = vec![FaultKind::Takeover];
            let bounds = Bounds { kinds, turn: Some(turn), ..Bounds::default() };
            let drawn = Plan::draw(turn, &bounds).faults;
            assert!(drawn.iter().all(|fault| fault.kind() == FaultKind::Takeover));
        }
        let needed = [FaultKind::Takeover, FaultKind::SlowDisk, FaultKind::PowerLoss, FaultKind::BitRot];
        for missing in needed.into_iter().chain([FaultKind::FailedSync]) {
            for turn in 0..200 {
                let kinds = FaultKind::swept().into_iter().filter(|kind| *kind != missing).collect();
                let bounds = Bounds { kinds, turn: Some(turn), steps: steps(), ..Bounds::default() };
                let drawn = Plan::draw(turn, &bounds).faults;
                assert!(drawn.iter().all(|fault| fault.kind() != missing), "{turn}: {missing}");
            }
        }
    }
}
