//! The runs whose pages are looked at.

use highwater_core::{
    BatchTime,
    event::Event,
    ids::{BlockId, CheckpointId, CheckpointSequence, Generation, SourceId},
};
use highwater_scenarios::catalogue;
use highwater_sim::{
    fault::{Crash, Fault, Moment, Place, Plan, PowerLoss, Reset, Trigger},
    run::{Happening, RunOptions, RunReport, TimelineEntry, run},
    world::{Life, VirtualTime},
};
use std::sync::Arc;

fn options(seed: u64) -> RunOptions {
    RunOptions { detail: true, ..RunOptions::seeded(seed) }
}

/// The run of a seed.
pub fn seeded(seed: u64) -> RunReport {
    run(&catalogue::find("word-count").expect("it is there"), &options(seed)).report
}

/// A connection is reset, then the power goes while the output is written.
pub fn power_loss_and_reset() -> RunReport {
    let trigger = Trigger::Step {
        life: Life(1),
        operation: highwater_sim::fault::DiskOperation::Append,
        place: Place::Output,
        nth: 6,
        moment: Moment::After,
    };
    let faults = vec![
        Fault::Reset(Reset { connection: 1, after_bytes: 400 }),
        Fault::Crash(Crash { restart_after_ms: 900, trigger, power_loss: Some(PowerLoss::image(0)) }),
    ];
    let scenario = catalogue::find("running-total").expect("it is there");
    let report = run(&scenario, &RunOptions { plan: Some(Plan::of(faults)), ..options(3) }).report;
    assert!(report.held() && report.plan.iter().all(|fault| fault.firing.is_some()), "{report:?}");
    report
}

/// Every line that the source sends would be markup, if anything took it for that.
pub fn with_lines_of_markup() -> RunReport {
    let mut scenario = catalogue::find("word-count").expect("it is there");
    let line = |n: u64| format!("</script><img src=x onerror=window.attacked=1> {n} \u{2028} <!-- <b>");
    scenario.corpus = Arc::new((0..40).map(line).collect());
    run(&scenario, &RunOptions { plan: Some(Plan::calm()), ..options(1) }).report
}

/// A run that goes on and on, with so many events.
pub fn of_many_events(count: u64) -> RunReport {
    let events = (0..count).map(|n| {
        let time = BatchTime(1_519_961_356_000 + 1000 * (n / 5));
        let event = match n % 5 {
            0 => Event::BlockStored { source: SourceId(0), block: BlockId(n / 5), records: 7, bytes: 210 },
            1 => Event::BatchAllocated { time, blocks: 1, records: 7 },
            2 => Event::BatchEmitted { time, repetition: n % 70 == 2 },
            3 => Event::BatchCompleted { time, records: 7 },
            _ => Event::CheckpointPublished {
                checkpoint: CheckpointId { sequence: CheckpointSequence(n / 5), generation: Generation(1) },
                completed: time,
                pending: 0,
                snapshot: None,
            },
        };
        let at = VirtualTime::from_millis(200 * n + n % 13 * 9);
        TimelineEntry { at, life: Life(1), happening: Happening::Event(event) }
    });
    let mut report = power_loss_and_reset();
    report.timeline = events.collect();
    report.plan.clear();
    report.detail = None;
    report.took = VirtualTime::from_millis(200 * count);
    report.lives.truncate(1);
    report.lives[0].ended_at = report.took;
    report
}
