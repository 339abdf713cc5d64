//! What a sweep's sums and its table say, from runs that are made up here.

use super::{MergeError, SweepSummary, render_table};
use crate::json::{read_json, render_json};
use highwater_sim::{
    fault::{
        Crash, DiskOperation, Fault, FaultOutcome, Firing, Hit, Moment, Place, PowerLoss, Step, Trigger,
    },
    judge::{Invariant, Verdict},
    run::{RunReport, Totals},
    world::{Life, VirtualTime},
};
use std::{collections::BTreeSet, time::Duration};

fn step(operation: DiskOperation, place: Place) -> Step {
    Step { operation, place }
}

fn crash_at(step: Step, power_loss: bool) -> FaultOutcome {
    let power_loss = power_loss.then(|| PowerLoss::image(0));
    let trigger = Trigger::DiskOperation { life: Life::FIRST, number: 1, moment: Moment::Before };
    let hit = Hit::Disk { number: 1, step, path: String::new() };
    FaultOutcome {
        fault: Fault::Crash(Crash { restart_after_ms: 1, trigger, power_loss }),
        firing: Some(Firing { at: VirtualTime(0), life: Life::FIRST, hit }),
    }
}

fn report(scenario: &str, seed: u64, violations: &[&str]) -> RunReport {
    let violations: Vec<String> = violations.iter().map(|text| (*text).to_owned()).collect();
    let totals = Totals {
        lives: 3,
        crashes: 2,
        planned: 3,
        missed: 1,
        violations: violations.len() as u64,
        virtual_nanos: 10_000_000_000,
        ..Totals::default()
    };
    RunReport {
        scenario: scenario.to_owned(),
        seed,
        plan_given: false,
        lines: None,
        faults: vec!["crash".to_owned(), "power-loss".to_owned()],
        plan: vec![
            crash_at(step(DiskOperation::Rename, Place::Checkpoint), true),
            crash_at(step(DiskOperation::Append, Place::Journal), false),
            crash_at(step(DiskOperation::Read, Place::Journal), false),
        ],
        reached: BTreeSet::from([
            step(DiskOperation::Rename, Place::Checkpoint),
            step(DiskOperation::Append, Place::Journal),
            step(DiskOperation::Sync, Place::Journal),
        ]),
        totals,
        verdicts: vec![Verdict { invariant: Invariant::I1, seen: String::new(), violations }],
        took: VirtualTime(10_000_000_000),
        ..RunReport::default()
    }
}

fn summary(runs: &[RunReport]) -> SweepSummary {
    let mut summary = SweepSummary::default();
    runs.iter().for_each(|run| summary.add(run));
    summary
}

#[test]
fn shards_merge_to_what_one_sweep_would_have_found() {
    let runs: Vec<RunReport> = (0..6)
        .map(|seed| report(["a", "b"][seed as usize % 2], seed, &["lost"][..seed as usize / 5]))
        .collect();
    let mut merged = summary(&runs[3..]);
    merged.merge(summary(&runs[..3])).unwrap();
    assert_eq!(merged, summary(&runs));
    assert!(!merged.held() && summary(&runs[..3]).held());
}

#[test]
fn what_are_no_shards_of_one_sweep_is_refused_and_changes_nothing() {
    let mine = summary(&[report("a", 1, &[]), report("b", 1, &[])]);
    let mut merged = mine.clone();
    let overlap = merged.merge(summary(&[report("b", 2, &[]), report("b", 1, &[])]));
    assert_eq!(overlap, Err(MergeError::Overlap { scenario: "b".to_owned(), seed: 1 }));
    let other = RunReport { faults: vec!["reset".to_owned()], ..report("a", 2, &[]) };
    let refused = merged.merge(summary(&[other])).unwrap_err().to_string();
    assert_eq!(
        refused,
        "their faults differ, `crash,power-loss` and `reset`: sweep all shards with the same options"
    );
    let sabotaged = RunReport { sabotage: vec!["x".to_owned()], ..report("a", 2, &[]) };
    assert!(merged.merge(summary(&[sabotaged])).is_err());
    assert_eq!(merged, mine);
    merged.merge(SweepSummary::default()).unwrap();
    let mut nothing = SweepSummary::default();
    nothing.merge(merged).unwrap();
    assert_eq!(nothing, mine);
}

#[test]
fn a_summary_survives_its_file() {
    let summary = summary(&[report("a", 1, &["lost"])]);
    assert_eq!(read_json::<SweepSummary>(&render_json(&summary)).unwrap(), summary);
}

#[test]
fn the_table_tells_sums_coverage_misses_and_how_to_see_a_failure_again() {
    let summary = summary(&[report("running-total", 1, &[]), report("word-count", 7, &["lost"])]);
    let expected = "\
scenario      seeds lives crashes   torn drops replayed dupli- losses viola- seeds/s virtual
                                  writes        batches  cates         tions         s per s
--------------------------------------------------------------------------------------------
running-total     1     3       2      0     0        0      0      0      0       -       -
word-count        1     3       2      0     0        0      0      0      1       -       -
all               2     6       4      0     0        0      0      0      1       -       -

fault (median / most) planned fired restarts batches records   recovery     since the
                                               again   again virtual ms checkpoint ms
-------------------------------------------------------------------------------------
crash                       4     4        .       .       .          .             .
power-loss                  2     2        .       .       .          .             .
all tolerated               6     6        .       .       .          .             .

hit: step of the disk crash power
                             loss
---------------------------------
checkpoint: rename     NONE     2
journal: append           2  NONE
journal: sync          NONE  NONE
elsewhere                 2     .

cells: 2 of 6 that can be hit were hit
missed: 2 of 6 planned faults (33 %) never fired, because nothing that they strike came to their triggers
detected: of 0 runs with damage 0 stopped with an error that names file and offset

BROKEN: I1 no loss
  replay: highwater replay word-count --seed 7 --faults crash,power-loss
";
    assert_eq!(render_table(&summary), expected);
}

#[test]
fn rates_are_told_where_the_real_time_is_known() {
    let mut summary = summary(&[report("a", 1, &[]), report("a", 2, &[])]);
    summary.add_wall_time("a", Duration::from_millis(500));
    let table = render_table(&summary);
    let row = table.lines().find(|line| line.starts_with("a ")).unwrap();
    assert!(row.ends_with("       4      40"), "{row}");
}
