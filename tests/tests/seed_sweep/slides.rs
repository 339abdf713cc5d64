//! A crash at each moment of a batch in which windows slide or a snapshot is taken, of the process and of the machine, of every operator
//! that keeps something and of `sessions`: what a sweep draws now and then is enumerated here.

use highwater_core::event::Event;
use highwater_scenarios::{catalogue::find, operators::OPERATORS};
use highwater_sim::{
    fault::{Crash, Fault, Plan, PowerLoss, Trigger},
    run::{Happening, RunOptions, RunReport, run},
    scenario::Scenario,
};
use std::thread;

/// The batch that is crashed in is no later: windows are full by then, and lines still come.
const BATCH_MAX: u64 = 15;
/// The milliseconds before the first word of the batch and after the last one: its allocation is written before it is told.
const AROUND_MS: u64 = 3;

/// A run without faults that has such a batch, as its seed and report.
fn calm(scenario: &Scenario) -> (u64, RunReport) {
    let calm = |seed| {
        (seed, run(scenario, &RunOptions { plan: Some(Plan::calm()), ..RunOptions::seeded(seed) }).report)
    };
    let goes_on = |report: &RunReport| {
        report.timeline.iter().any(|entry| batch_of(entry, report) == Some(BATCH_MAX + 1))
    };
    (0..).map(calm).find(|(_, report)| goes_on(report)).expect("one in a few is long enough")
}

/// The number of the batch that an entry of a report tells something of.
fn batch_of(entry: &highwater_sim::run::TimelineEntry, report: &RunReport) -> Option<u64> {
    let zero_time = report.timeline.iter().find_map(|entry| match &entry.happening {
        Happening::Event(Event::StartedFresh { zero_time, .. }) => Some(*zero_time),
        _ => None,
    })?;
    let time = match &entry.happening {
        Happening::Event(
            Event::BatchAllocated { time, .. }
            | Event::BatchCompleted { time, .. }
            | Event::SnapshotWritten { time, .. }
            | Event::CheckpointPublished { completed: time, .. },
        ) => *time,
        _ => return None,
    };
    Some((time.0 - zero_time.0) / 1_000)
}

/// Crashes a run of a scenario in each millisecond of a batch, in both ways; how many of the crashes left the batch to be emitted again.
fn crashes(scenario: &Scenario, batch: u64) -> usize {
    let (seed, report) = calm(scenario);
    let told = report.timeline.iter().filter(|entry| batch_of(entry, &report) == Some(batch));
    let told: Vec<u64> = told.map(|entry| entry.at.millis()).collect();
    let (first, last) = (told[0] - AROUND_MS, told[told.len() - 1] + AROUND_MS);
    let mut again = 0;
    for (at_ms, of_machine) in (first..=last).flat_map(|at_ms| [(at_ms, false), (at_ms, true)]) {
        let power_loss = of_machine.then(|| PowerLoss::image(at_ms));
        let crash = Crash { restart_after_ms: 400, trigger: Trigger::Time { at_ms }, power_loss };
        let plan = Some(Plan::of(vec![Fault::Crash(crash)]));
        let report = run(scenario, &RunOptions { plan, ..RunOptions::seeded(seed) }).report;
        assert!(report.held(), "{}", highwater_reports::text::render(&report));
        assert_eq!(report.totals.crashes, 1);
        again += usize::from(report.totals.duplicates > 0);
    }
    again
}

#[test]
fn a_crash_at_any_moment_of_a_slide_changes_nothing() {
    let operators = OPERATORS.map(|operator| (operator.pipeline.name, operator.slide));
    let all: Vec<_> = operators.into_iter().chain([("sessions", None)]).collect();
    let of_half = |half: usize| {
        for (name, slide) in all.iter().skip(half).step_by(2) {
            let scenario = find(name).expect("it is in the catalogue");
            // Where nothing slides: a batch after which a snapshot is taken.
            let every = slide.unwrap_or(2);
            let batch = BATCH_MAX / every * every;
            let again = crashes(&scenario, batch);
            assert!(again > 0, "{}: no crash fell between the output and its completion", scenario.name);
        }
    };
    thread::scope(|scope| {
        let halves = [0, 1].map(|half| scope.spawn(move || of_half(half)));
        halves.into_iter().for_each(|half| half.join().expect("it is told above"));
    });
}
