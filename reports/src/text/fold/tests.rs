//! What is folded and what is kept.

use super::{Weight, fold};
use crate::text::{counts::Counts, happening::Line};
use highwater_core::BatchTime;
use highwater_sim::world::{Life, VirtualTime};

fn line(verb: &'static str, weight: Weight) -> Line {
    let begins_life = verb == "START";
    Line {
        at: VirtualTime(0),
        life: Life::FIRST,
        verb,
        details: Vec::new(),
        weight,
        begins_life,
        entries: 0..0,
    }
}

/// Batch `n` of an ordinary stretch: allocated, completed, checkpointed.
fn batch(n: u64) -> Vec<Line> {
    let batches = Some((BatchTime(n), BatchTime(n)));
    let routine = |counts| Weight::Routine(Counts { batches, ..counts });
    vec![
        line("ALLOCATE", routine(Counts::default())),
        line("COMPLETE", routine(Counts { completed: 1, records: 2, ..Counts::default() })),
        line("CHECKPOINT", Weight::Routine(Counts { checkpoints: 1, ..Counts::default() })),
    ]
}

fn verbs(lines: Vec<Line>) -> Vec<&'static str> {
    fold(lines).into_iter().map(|line| line.verb).collect()
}

fn life(batches: u64, end: Line) -> Vec<Line> {
    let mut lines = vec![line("START", Weight::Notable)];
    lines.extend((0..batches).flat_map(batch));
    lines.push(end);
    lines
}

#[test]
fn the_first_batch_and_the_last_steps_before_a_crash_are_kept() {
    let told = verbs(life(9, line("CRASH", Weight::End)));
    let batch = ["ALLOCATE", "COMPLETE", "CHECKPOINT"];
    let expected = [&["START"][..], &batch, &["..."], &batch, &batch, &["CRASH"]].concat();
    assert_eq!(told, expected);
}

#[test]
fn an_orderly_end_keeps_nothing_before_it_and_a_fold_counts_all_that_it_hides() {
    let lines = fold(life(9, line("STOP", Weight::Notable)));
    assert_eq!(lines.len(), 1 + 3 + 1 + 1);
    let Weight::Routine(counts) = lines[4].weight else { panic!("{:?}", lines[4]) };
    assert_eq!((counts.completed, counts.records, counts.checkpoints), (8, 16, 8));
    assert_eq!(counts.batches, Some((BatchTime(1), BatchTime(8))));
}

#[test]
fn a_recovery_that_completes_nothing_is_told_whole() {
    let segment = || line("SEGMENT", Weight::Routine(Counts { segments: 1, ..Counts::default() }));
    let mut lines = vec![line("START", Weight::Notable)];
    lines.extend((0..8).map(|_| segment()));
    lines.push(line("CRASH", Weight::End));
    assert_eq!(verbs(lines.clone()).len(), lines.len());
}

#[test]
fn a_second_life_shows_its_first_batch_again() {
    let mut lines = life(9, line("CRASH", Weight::End));
    lines.extend(life(9, line("STOP", Weight::Notable)));
    let told = verbs(lines);
    assert_eq!(told.iter().filter(|verb| **verb == "...").count(), 2);
    assert_eq!(told[told.len() - 5..], ["ALLOCATE", "COMPLETE", "CHECKPOINT", "...", "STOP"]);
}
