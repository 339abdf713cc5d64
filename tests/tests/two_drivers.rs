//! Two drivers at once, step by step: an older one stands still before each operation around its start and around the end of a segment, and
//! wakes up while its successor's start stands still before each of its own. A seed meets such a pair by chance alone, and here is
//! every one. Whatever they do, all invariants hold; so they do where the older one's next sync fails, and takes away what it was to
//! make durable.

use highwater_reports::text;
use highwater_scenarios::catalogue::find;
use highwater_sim::{
    fault::{
        DiskOperation, FailedSync, Fault, FileSystem, Hit, Moment, Place, Plan, SlowDisk, Takeover, Trigger,
    },
    run::{RunOptions, RunReport, run},
    world::Life,
};
use std::{
    ops::RangeInclusive,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    thread::{available_parallelism, scope},
};

const SEED: u64 = 7;

/// Enough lines for a start, and for the end of a segment.
const LINES_OF_A_START: u64 = 12;
const LINES_OF_A_ROLL: u64 = 120;

/// The operations of a start, and some after it.
const START: RangeInclusive<u64> = 1..=48;

/// When the successor starts after the older one stood still.
const AFTER_MS: u64 = 200;

/// How much later the older one goes on.
const LATER_MS: u64 = 40;

/// Far longer than the older one needs for what it does when it wakes up.
const STALL_MS: u64 = 100;

/// What the older driver is to suffer besides.
#[derive(Clone, Copy)]
enum Then {
    Nothing,
    /// Its next operation fails, if that is a sync, and what was not durable is gone at once.
    SyncFails,
}

fn at(life: u32, number: u64) -> Trigger {
    Trigger::DiskOperation { life: Life(life), number, moment: Moment::Before }
}

fn lived(scenario: &str, lines: u64, faults: Vec<Fault>) -> RunReport {
    let scenario = find(scenario).expect("it is in the catalogue");
    let plan = Plan { lines: Some(lines), faults };
    run(&scenario, &RunOptions { plan: Some(plan), ..RunOptions::seeded(SEED) }).report
}

fn takeover(trigger: Trigger) -> Fault {
    Fault::Takeover(Takeover { trigger, for_ms: AFTER_MS + LATER_MS, after_ms: AFTER_MS })
}

/// The operations of the older driver at which it stands still, those of its start and those around the end of its first segment, each with
/// the lines that it takes.
fn stands_still(scenario: &str) -> Vec<(u64, u64)> {
    let trigger = Trigger::Step {
        life: Life(1),
        operation: DiskOperation::CreateNew,
        place: Place::Journal,
        nth: 2,
        moment: Moment::Before,
    };
    let report = lived(scenario, LINES_OF_A_ROLL, vec![takeover(trigger)]);
    let firing = report.plan[0].firing.as_ref().expect("it rolls its journal");
    let Hit::Disk { number: roll, .. } = firing.hit else { panic!("{:?}", firing.hit) };
    let around = (roll - 4..=roll + 10).map(|number| (number, LINES_OF_A_ROLL));
    START.map(|number| (number, LINES_OF_A_START)).chain(around).collect()
}

/// Lives through every pair, and returns how many runs there were in which all of the plan fired.
fn every_pair_holds(scenario: &str, then: Then) -> u64 {
    let older = stands_still(scenario);
    let (next, whole) = (AtomicUsize::new(0), AtomicU64::new(0));
    let beside = |older: u64, lines: u64| {
        for newer in START {
            let stall = SlowDisk { trigger: at(2, newer), for_ms: 0, latency_ms: STALL_MS };
            let mut faults = vec![takeover(at(1, older)), Fault::SlowDisk(stall)];
            if let Then::SyncFails = then {
                let trigger = at(1, older + 1);
                faults.push(Fault::FailedSync(FailedSync { trigger, file_system: FileSystem::Btrfs }));
            }
            let report = lived(scenario, lines, faults);
            assert!(report.held(), "{older} beside {newer}\n{}", text::render(&report));
            if report.plan.last().is_some_and(|last| last.firing.is_none()) && matches!(then, Then::SyncFails)
            {
                return;
            }
            whole.fetch_add(u64::from(report.plan.iter().all(|fault| fault.firing.is_some())), Relaxed);
        }
    };
    scope(|scope| {
        let work = || {
            while let Some((older, lines)) = older.get(next.fetch_add(1, Relaxed)) {
                beside(*older, *lines);
            }
        };
        let threads = available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().for_each(|thread| thread.join().expect("it is told above"));
    });
    whole.into_inner()
}

#[test]
fn an_older_driver_may_wake_up_at_any_step_of_its_successors_start() {
    let whole = every_pair_holds("word-count", Then::Nothing);
    assert!(whole > 1_000, "{whole} pairs");
}

#[test]
fn a_sync_of_an_older_driver_may_fail_at_any_step_of_its_successors_start() {
    let whole = every_pair_holds("running-total", Then::SyncFails);
    assert!(whole > 100, "{whole} pairs");
}
