//! Each situation is what its name says, wherever its turn comes.

use super::{
    super::{Step, Takeover},
    two_drivers::START_MS_MAX,
    *,
};
use crate::{
    fault::{Bounds, Plan, StepMade},
    rng::{Domain, stream},
    world::VirtualTime,
};
use std::collections::BTreeSet;

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
    let bounds =
        Bounds { rolls: vec![roll], journal_appends, steps: steps(), turn: Some(turn), ..Bounds::default() };
    Plan::draw(turn, &bounds).faults
}

#[test]
fn a_long_look_stalls_an_operation_at_the_end_of_a_segment_and_a_stuck_journal_two_of_it() {
    let (mut looks, mut stuck) = (0, 0);
    for turn in (12..400).step_by(16) {
        match &drawn(turn)[..] {
            [Fault::SlowDisk(stall), Fault::Crash(crash)] => {
                looks += 1;
                let Trigger::DiskOperation { number: 70 | 71, .. } = stall.trigger else { panic!("{turn}") };
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
        let Trigger::Step { life: Life(3), operation: DiskOperation::List, moment: Moment::After, .. } =
            takeover.trigger
        else {
            panic!("{turn}")
        };
        assert!(takeover.for_ms > takeover.after_ms);
    }
}

/// What a situation draws by itself, from a hundred streams of a run that makes these steps.
fn alone(
    situation: fn(&mut ChaCha8Rng, &Aim<'_>) -> Option<Vec<Fault>>,
    steps: Vec<(Step, Vec<u64>)>,
) -> Vec<Option<Vec<Fault>>> {
    let bounds = Bounds { steps, ..Bounds::default() };
    let aim = Aim { bounds: &bounds, lives: 1, connections: 1 };
    (0..100).map(|seed| situation(&mut stream(seed, Domain::Plan), &aim)).collect()
}

#[test]
fn what_is_kept_in_reserve_is_needed_after_a_power_loss_in_retention() {
    for drawn in alone(rotten_reserve, steps()) {
        let Some([Fault::Crash(crash), Fault::BitRot(rot), Fault::Crash(_)]) = drawn.as_deref() else {
            panic!("{drawn:?}")
        };
        assert!(crash.power_loss.is_some());
        assert!(matches!(crash.trigger, Trigger::Step { operation: DiskOperation::Remove, .. }));
        assert!(matches!(rot.trigger, Trigger::Start { life: Life(2) }) && rot.file == 0);
    }
    let is_reserve =
        |turn: &u64| matches!(&drawn(*turn)[..], [Fault::Crash(_), Fault::BitRot(_), Fault::Crash(_)]);
    let reserves = (144..6_000).step_by(192).filter(is_reserve).count();
    assert!(reserves > 8, "{reserves} of 31 turns");
}

#[test]
fn failed_starts_are_in_a_row_at_one_directory_and_the_power_is_lost_after_them() {
    let syncs = |place| (Step { operation: DiskOperation::SyncDir, place }, vec![40, 45, 51]);
    let mut rows = [0; 5];
    for faults in alone(failed_starts, [Place::Checkpoint, Place::Journal, Place::State].map(syncs).to_vec())
    {
        let faults = faults.expect("the run makes these steps");
        let Some((Fault::Crash(power_loss), failed)) = faults.split_last() else { panic!("{faults:?}") };
        let mut places = BTreeSet::new();
        for (life, fault) in (1..).zip(failed) {
            let Fault::FailedSync(failed) = fault else { panic!("{fault:?}") };
            let Trigger::Step { life: own, operation: DiskOperation::SyncDir, place, nth, .. } =
                failed.trigger
            else {
                panic!("{fault:?}")
            };
            assert!(own.0 == life && nth <= if life == 1 { 3 } else { 1 }, "{fault:?}");
            places.insert(place);
        }
        assert_eq!(places.len(), 1, "{faults:?}");
        rows[failed.len()] += 1;
        let after = failed.len() as u32 + 1;
        assert!(power_loss.power_loss.is_some(), "{faults:?}");
        assert!(matches!(power_loss.trigger, Trigger::Step { life, .. } if life.0 == after), "{faults:?}");
    }
    assert!(rows[..2] == [0, 0] && rows[2..].iter().all(|rows| *rows > 10), "{rows:?}");
    assert!(alone(failed_starts, steps()).iter().all(Option::is_none), "no directory is synced");
    let in_turn = |turn: &u64| {
        let steps = [Place::Checkpoint, Place::Journal, Place::State].map(syncs).to_vec();
        let faults = Plan::draw(*turn, &Bounds { steps, turn: Some(*turn), ..Bounds::default() }).faults;
        matches!(faults.split_last(), Some((Fault::Crash(_), failed @ [_, _, ..])) if failed.iter().all(|fault| matches!(fault, Fault::FailedSync(_))))
    };
    let drawn = (144..6_000).step_by(192).filter(in_turn).count();
    assert!(drawn > 8, "{drawn} of 31 turns");
}

#[test]
fn nothing_is_drawn_that_may_not_be() {
    for turn in 0..200 {
        let kinds = vec![FaultKind::Takeover];
        let bounds = Bounds { kinds, turn: Some(turn), ..Bounds::default() };
        let drawn = Plan::draw(turn, &bounds).faults;
        assert!(drawn.iter().all(|fault| fault.kind() == FaultKind::Takeover));
    }
    use FaultKind::{BitRot, Crash, FailedSync, MisdirectedWrite, PowerLoss, SlowDisk, Takeover};
    let rename = Step { operation: DiskOperation::Rename, place: Place::Checkpoint };
    let all = || steps().into_iter().chain([(rename, vec![42, 47, 53])]).collect();
    for missing in [Takeover, SlowDisk, PowerLoss, BitRot, FailedSync, MisdirectedWrite, Crash] {
        for turn in 0..256 {
            let kinds = FaultKind::swept().into_iter().filter(|kind| *kind != missing).collect();
            let bounds = Bounds { kinds, turn: Some(turn), steps: all(), ..Bounds::default() };
            let drawn = Plan::draw(turn, &bounds).faults;
            assert!(drawn.iter().all(|fault| fault.kind() != missing), "{turn}: {missing}");
        }
    }
}
