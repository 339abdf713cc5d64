//! The gallery: stories of recovery as a reviewer reads them, each made from a plan.
//!
//! A plan names the step that is hit ("the fourth rename of a checkpoint"), and where that is in the count of operations is
//! looked up in the run without the fault: so a story stays the story that its name tells when the engine does one operation
//! more or less, and the snapshot shows the difference. Each story also claims what its faults must have done.
//!
//! `cargo insta review` shows a change of a recovery as a diff.

#[path = "snapshots/pipelines.rs"]
mod pipelines;
#[path = "snapshots/story.rs"]
mod story;

use highwater_core::event::Event;
use highwater_reports::text::render;
use highwater_sim::{
    fault::{DiskFull, FailedSync, Fault, FileSystem, Moment, Takeover, Trigger, WallStep},
    judge::Invariant,
    run::{Cause, Happening, LifeEnd, RunOptions, RunReport, run},
    sabotage::Sabotage,
    source::Mode,
};
use pipelines::{running_total, word_count};
use story::{Story, Survives, step};

#[test]
fn a_calm_run() {
    let report = Story::of(word_count(Mode::Resume)).tell("a_calm_run");
    assert!(report.held());
    assert_eq!(report.totals.lives, 1);
}

#[test]
fn crash_inside_a_journal_append_tears_the_tail() {
    let report = Story::of(running_total(Mode::Resume))
        .crash(1, Moment::Inside, step("append", "/checkpoint/journal/", ".wal").number(14), 400)
        .tell("crash_inside_a_journal_append_tears_the_tail");
    assert!(report.held());
    assert_eq!(report.totals.torn_writes, 1);
}

#[test]
fn power_loss_between_checkpoint_rename_and_directory_sync() {
    let report = Story::of(running_total(Mode::Resume))
        .power_loss(
            1,
            Moment::Before,
            step("sync directory", "/checkpoint/checkpoint", "").number(5),
            Survives::NoNames,
            700,
        )
        .tell("power_loss_between_checkpoint_rename_and_directory_sync");
    assert!(report.held());
}

#[test]
fn crash_loop_in_recovery() {
    let report = Story::of(running_total(Mode::Resume))
        .crash(1, Moment::After, step("append", "/output/out", "").number(4), 300)
        .crash(2, Moment::After, step("create", "/checkpoint/generation/", "").number(1), 300)
        .power_loss(
            3,
            Moment::Inside,
            step("sync", "/checkpoint/journal/", ".wal").number(1),
            Survives::Nothing,
            300,
        )
        .crash(4, Moment::Before, step("sync", "/output/out", "").number(1), 300)
        .power_loss(
            5,
            Moment::After,
            step("rename", "/checkpoint/checkpoint/", "").number(1),
            Survives::Nothing,
            300,
        )
        .tell("crash_loop_in_recovery");
    assert!(report.held());
    assert_eq!(report.totals.lives, 6);
}

#[test]
fn output_cut_after_a_crash_between_emit_and_completion() {
    let report = Story::of(word_count(Mode::Resume))
        .crash(1, Moment::After, step("append", "/output/out", "").number(3), 400)
        .tell("output_cut_after_a_crash_between_emit_and_completion");
    assert!(report.held());
}

#[test]
fn reset_in_the_middle_of_a_line() {
    let report = Story::of(word_count(Mode::Resume)).reset(1, 500).tell("reset_in_the_middle_of_a_line");
    assert!(report.held());
    assert_eq!(report.ledger.processed, report.ledger.records);
}

#[test]
fn orderly_close_in_mid_line_is_a_record_of_a_tcp_source() {
    let report = Story::of(word_count(Mode::Tcp))
        .close(1, 500)
        .tell("orderly_close_in_mid_line_is_a_record_of_a_tcp_source");
    assert!(report.held());
}

#[test]
fn a_tcp_source_loses_what_was_under_way_at_a_crash() {
    let report = Story::of(running_total(Mode::Tcp))
        .crash(1, Moment::Before, step("append", "/checkpoint/journal/", ".wal").number(10), 1500)
        .tell("a_tcp_source_loses_what_was_under_way_at_a_crash");
    assert!(report.held());
    assert!(report.ledger.died_with_the_socket > 0);
}

#[test]
fn stall_then_power_loss() {
    let report = Story::of(running_total(Mode::Resume))
        .stall(1, 500, 3000)
        .power_loss_at(4500, Survives::Drawn(9), 600)
        .tell("stall_then_power_loss");
    assert!(report.held());
}

#[test]
fn a_disk_that_lies_is_caught() {
    let report = Story::of(word_count(Mode::Resume))
        .sabotaged(Sabotage::FileSyncDoesNothing)
        .power_loss_at(5000, Survives::NoData, 600)
        .tell("a_disk_that_lies_is_caught");
    assert!(!report.held());
}

#[test]
fn every_checkpoint_damaged_is_an_error_and_no_fresh_start() {
    let report = Story::of(running_total(Mode::Resume))
        .sabotaged(Sabotage::RenameLandsBeforeData)
        .power_loss(
            1,
            Moment::After,
            step("rename", "/checkpoint/checkpoint/", "").number(6),
            Survives::Nothing,
            600,
        )
        .tell("every_checkpoint_damaged_is_an_error_and_no_fresh_start");
    assert!(matches!(report.timeline.last().unwrap().happening, Happening::LifeFailed { .. }));
    let fresh = happenings(&report, |event| matches!(event, Event::StartedFresh { .. }).then_some(()));
    assert_eq!(fresh.len(), 1);
    assert_eq!(report.ledger.lost, 0);
}

#[test]
fn everything_at_once() {
    let report = Story::of(running_total(Mode::Tcp))
        .stall(1, 300, 900)
        .reset(1, 700)
        .close(2, 900)
        .crash(1, Moment::Inside, step("append", "/output/out", "").number(4), 250)
        .power_loss(
            2,
            Moment::Inside,
            step("append", "/checkpoint/state/", "").number(1),
            Survives::Drawn(7),
            900,
        )
        .power_loss_at(9000, Survives::Nothing, 1200)
        .crash(9, Moment::Before, step("append", "/checkpoint/journal/", "").nowhere(), 100)
        .tell("everything_at_once");
    assert!(report.held());
    assert_eq!(report.totals.missed, 1);
}

#[test]
fn a_damaged_checkpoint_is_rejected_for_the_one_before() {
    // Syncs do nothing here, so the first power loss spares everything: what the second can damage is life 2's alone. Of
    // that its image takes the checkpoint and leaves the rest.
    let report = Story::of(running_total(Mode::Resume))
        .sabotaged(Sabotage::FileSyncDoesNothing)
        .power_loss_at(3600, Survives::Everything, 300)
        .power_loss(
            2,
            Moment::After,
            step("sync directory", "/checkpoint/checkpoint", "").number(2),
            Survives::Drawn(5),
            600,
        )
        .tell("a_damaged_checkpoint_is_rejected_for_the_one_before");
    // The damaged checkpoint itself cannot be restored, which is what the judge of retention says; nothing comes of it.
    let broken = report.verdicts.iter().filter(|verdict| !verdict.violations.is_empty());
    assert_eq!(broken.map(|verdict| verdict.invariant).collect::<Vec<_>>(), [Invariant::I8]);
    let rejected: Vec<_> = happenings(&report, |event| match event {
        Event::CandidateRejected { checkpoint, .. } => Some(*checkpoint),
        _ => None,
    });
    let taken: Vec<_> = happenings(&report, |event| match event {
        Event::Recovered(recovery) => Some(recovery.checkpoint),
        _ => None,
    });
    let ([rejected], [_, taken]) = (rejected.as_slice(), taken.as_slice()) else {
        panic!("rejected {rejected:?}, taken {taken:?}");
    };
    assert_eq!(rejected.sequence, taken.sequence.next());
}

#[test]
fn a_driver_that_was_taken_for_dead_wakes_up_and_may_write_no_more() {
    let report = Story::of(running_total(Mode::Resume))
        .at(1, Moment::Before, step("append", "/output/out", "").number(4), |trigger| {
            Fault::Takeover(Takeover { trigger, for_ms: 2500, after_ms: 600 })
        })
        .tell("a_driver_that_was_taken_for_dead_wakes_up_and_may_write_no_more");
    assert!(report.held());
    let [older, newer] = report.lives.as_slice() else { panic!("{:?}", report.lives) };
    assert!(matches!(older.end, LifeEnd::Failed { cause: Cause::Fenced, .. }), "{older:?}");
    assert!(newer.began_at < older.ended_at && newer.end == LifeEnd::Stopped, "{newer:?}");
}

#[test]
fn a_full_disk_ends_a_life_and_acknowledges_nothing_that_is_not_durable() {
    let report = Story::of(running_total(Mode::Resume))
        .at(1, Moment::Before, step("append", "/checkpoint/journal/", ".wal").number(8), |trigger| {
            Fault::DiskFull(DiskFull { trigger, for_ms: 1500 })
        })
        .tell("a_full_disk_ends_a_life_and_acknowledges_nothing_that_is_not_durable");
    assert!(report.held());
    assert!(report.totals.lives > 1);
    assert_eq!((report.ledger.processed, report.ledger.lost), (report.ledger.records, 0));
}

#[test]
fn a_failed_sync_is_no_success_and_ends_the_life() {
    let report = Story::of(running_total(Mode::Resume))
        .at(1, Moment::Inside, step("sync", "/checkpoint/journal/", ".wal").number(6), |trigger| {
            Fault::FailedSync(FailedSync { trigger, file_system: FileSystem::Ext4 })
        })
        .tell("a_failed_sync_is_no_success_and_ends_the_life");
    assert!(report.held());
    assert_eq!(report.totals.lives, 2);
    assert_eq!((report.ledger.processed, report.ledger.lost), (report.ledger.records, 0));
}

#[test]
fn a_wall_clock_that_steps_back_gives_no_batch_twice() {
    let report = Story::of(running_total(Mode::Resume))
        .with(Fault::WallStep(WallStep { trigger: Trigger::Time { at_ms: 4200 }, by_ms: -3000 }))
        .tell("a_wall_clock_that_steps_back_gives_no_batch_twice");
    assert!(report.held());
    assert_eq!((report.totals.lives, report.totals.duplicates), (1, 0));
}

#[test]
fn every_report_is_ascii_narrow_and_the_same_twice() {
    for seed in 0..12 {
        let scenario = if seed % 2 == 0 { word_count(Mode::Tcp) } else { running_total(Mode::Resume) };
        let mut options = RunOptions::seeded(seed);
        if seed % 3 == 0 {
            options.sabotage.insert(Sabotage::FileSyncDoesNothing);
        }
        let text = render(&run(&scenario, &options).report);
        assert_eq!(text, render(&run(&scenario, &options).report), "seed {seed}");
        assert!(text.is_ascii() && text.ends_with('\n'), "seed {seed}");
        let (story, replay) = text.trim_end().rsplit_once('\n').expect("it has lines");
        assert!(replay.starts_with("replay: highwater replay "), "seed {seed}: {replay}");
        for line in story.lines() {
            assert!(line.len() < 100 && line.trim_end() == line, "seed {seed}: {line:?}");
        }
    }
}

/// What of the driver's events in the report is of interest.
fn happenings<T>(report: &RunReport, interest: impl Fn(&Event) -> Option<T>) -> Vec<T> {
    let events = report.timeline.iter().filter_map(|entry| match &entry.happening {
        Happening::Event(event) => Some(event),
        _ => None,
    });
    events.filter_map(interest).collect()
}
