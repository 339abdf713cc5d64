//! A driver that is taken for dead and wakes up beside its successor.

use super::{
    super::{
        Aim, Class, DiskOperation, Fault, FaultKind, Moment, Place, SlowDisk, Step, Takeover, Trigger,
        aimed::{aimed, occurrences},
    },
    crash_of_a_successor,
};
use crate::{rng::Draws, world::Life};
use rand_chacha::ChaCha8Rng;

/// How long a driver's start takes on a disk that nothing slows down, in milliseconds, and a bit.
pub(super) const START_MS_MAX: u64 = 16;

/// `None` if the run without faults makes no such step.
pub(super) fn overlap(crashes: &[FaultKind], rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Option<Vec<Fault>> {
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
    if fails && aim.may(&[FaultKind::FailedSync]) {
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
pub(super) fn late_failure(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Option<Vec<Fault>> {
    if !aim.may(&[FaultKind::Takeover, FaultKind::PowerLoss]) {
        return None;
    }
    // What a driver's successor has named a moment before is most at risk.
    let fitting: fn(&Step) -> bool = match rng.below(8) {
        0..4 => |step| step.operation == DiskOperation::SyncDir,
        4..6 => |step| step.operation.is_sync(),
        _ => |step| step.operation.is_durable_step(),
    };
    let steps: Vec<_> = aim.bounds.steps.iter().filter(|(step, _)| fitting(step)).collect();
    if steps.is_empty() {
        return None;
    }
    let (step, made) = rng.pick(&steps);
    let kinds = [FaultKind::FailedSync, FaultKind::IoError, FaultKind::ShortWrite, FaultKind::Crash];
    let kinds: Vec<FaultKind> =
        kinds.into_iter().filter(|kind| aim.may(&[*kind]) && kind.strikes(*step)).collect();
    let kind = match kinds[..] {
        [] => return None,
        [FaultKind::FailedSync, ..] if !rng.one_in(4) => FaultKind::FailedSync,
        _ => *rng.pick(&kinds),
    };
    let (Step { operation, place }, nth) = (*step, rng.between(1..=made.len().max(1) as u64));
    let (replaced, successor) = (Life::FIRST, Life::FIRST.next());
    let late = |nth, moment| Trigger::Step { life: replaced, operation, place, nth, moment };
    let after_ms = rng.magnitude(1..=2_000);
    let for_ms = after_ms + rng.between(1..=START_MS_MAX * 2 / 3);
    let takeover = Takeover { trigger: late(nth, Moment::Before), for_ms, after_ms };
    // What stood still before its effect is made anew.
    let failure = aimed(kind, late(nth + 1, *rng.pick(&Moment::ALL)), rng, aim);
    let power_loss = crash_of_a_successor(successor, &[FaultKind::PowerLoss], rng, aim);
    Some(vec![Fault::Takeover(takeover), failure, power_loss])
}

/// `None` if the kinds may not be drawn.
pub(super) fn late_checkpoint(
    crashes: &[FaultKind],
    rng: &mut ChaCha8Rng,
    aim: &Aim<'_>,
) -> Option<Vec<Fault>> {
    if crashes.is_empty() || !aim.may(&[FaultKind::Takeover, FaultKind::SlowDisk]) {
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
    let made = occurrences(aim.bounds, rename);
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
pub(super) fn relapse(crashes: &[FaultKind], rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Option<Vec<Fault>> {
    if crashes.is_empty() || !aim.may(&[FaultKind::Takeover]) {
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

pub(super) fn handover(crashes: &[FaultKind], rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Vec<Fault> {
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
    let kind = match aim.may(&[FaultKind::FailedSync]) && !rng.one_in(4) {
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
