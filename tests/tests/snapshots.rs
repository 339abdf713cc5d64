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

use highwater_sim::{fault::Moment, sabotage::Sabotage, source::Mode};
use pipelines::{running_total, word_count};
use story::{Power, Story, step};

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
            Power::KeepsNoNames,
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
            Power::KeepsNothing,
            300,
        )
        .crash(4, Moment::Before, step("truncate", "/output/", "").number(1), 300)
        .power_loss(
            5,
            Moment::After,
            step("rename", "/checkpoint/checkpoint/", "").number(1),
            Power::KeepsNothing,
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
        .power_loss_at(4500, Power::KeepsDrawn(9), 600)
        .tell("stall_then_power_loss");
    assert!(report.held());
}

#[test]
fn a_disk_that_lies_is_caught() {
    let report = Story::of(word_count(Mode::Resume))
        .sabotaged(Sabotage::FileSyncDoesNothing)
        .power_loss_at(5000, Power::KeepsNoData, 600)
        .tell("a_disk_that_lies_is_caught");
    assert!(!report.held());
}

#[test]
fn a_damaged_checkpoint_is_rejected_for_the_one_before() {
    Story::of(running_total(Mode::Resume))
        .sabotaged(Sabotage::RenameLandsBeforeData)
        .power_loss(
            1,
            Moment::After,
            step("rename", "/checkpoint/checkpoint/", "").number(6),
            Power::KeepsNothing,
            600,
        )
        .tell("a_damaged_checkpoint_is_rejected_for_the_one_before");
}

#[test]
fn everything_at_once() {
    let report = Story::of(running_total(Mode::Tcp))
        .stall(1, 300, 900)
        .reset(1, 700)
        .crash(1, Moment::Inside, step("append", "/output/out", "").number(4), 250)
        .close(3, 450)
        .power_loss(
            2,
            Moment::Inside,
            step("append", "/checkpoint/state/", "").number(1),
            Power::KeepsDrawn(7),
            900,
        )
        .power_loss_at(9000, Power::KeepsNothing, 1200)
        .crash(9, Moment::Before, step("append", "/checkpoint/journal/", "").nowhere(), 100)
        .tell("everything_at_once");
    assert!(report.held());
    assert_eq!(report.totals.missed, 1);
}
