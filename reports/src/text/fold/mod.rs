//! Folding: what goes on undisturbed, batch after batch, becomes one line.
//!
//! Kept line by line: in each life everything up to its first checkpointed batch, which ends a recovery and shows what an
//! ordinary batch is; and the last steps before whatever ends a life or cuts a connection, since that is what a fault hits.
//! A fold begins and ends between two batches where it can.

use super::{counts::Counts, happening::Line};

/// Folding fewer lines than this hides more than it saves.
const FOLDED_LINES_MIN: usize = 5;
/// At least so many lines are kept before the end of a life.
const KEPT_BEFORE_END_MIN: usize = 4;
/// And at least so many before another disturbance.
const KEPT_BEFORE_DISTURBANCE_MIN: usize = 1;
/// No more than so many are kept only so that the fold ends between two batches.
const KEPT_MAX: usize = 12;

/// What a line means for folding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// A step of an undisturbed batch, and what it did.
    Routine(Counts),
    /// Worth its line.
    Notable,
    /// Something was done to the driver's connections.
    Disturbance,
    /// Something ended a life.
    End,
}

/// Folds the uneventful stretches.
pub(super) fn fold(lines: Vec<Line>) -> Vec<Line> {
    let mut folded = Vec::new();
    let mut settled = false;
    let mut rest = lines.as_slice();
    while let Some(line) = rest.first() {
        if counts(line).is_none() {
            settled &= !line.begins_life;
            folded.push(line.clone());
            rest = &rest[1..];
            continue;
        }
        let length = rest.iter().take_while(|line| counts(line).is_some()).count();
        let (stretch, after) = rest.split_at(length);
        let head = if settled { 0 } else { head(stretch) };
        settled |= stretch[..head].iter().any(completes);
        let tail = match after.first().map(|line| line.weight) {
            Some(Weight::End) => tail(&stretch[head..], KEPT_BEFORE_END_MIN),
            Some(Weight::Disturbance) => tail(&stretch[head..], KEPT_BEFORE_DISTURBANCE_MIN),
            _ => 0,
        };
        let (middle, kept) = stretch[head..].split_at(length - head - tail);
        folded.extend_from_slice(&stretch[..head]);
        match middle {
            [first, ..] if middle.len() >= FOLDED_LINES_MIN => folded.push(one_line(first, middle)),
            _ => folded.extend_from_slice(middle),
        }
        folded.extend_from_slice(kept);
        rest = after;
    }
    folded
}

fn counts(line: &Line) -> Option<&Counts> {
    match &line.weight {
        Weight::Routine(counts) => Some(counts),
        _ => None,
    }
}

fn completes(line: &Line) -> bool {
    counts(line).is_some_and(|counts| counts.completed > 0)
}

/// Whether what is published after a batch is over before line `at`.
fn between_batches(lines: &[Line], at: usize) -> bool {
    let closes =
        |line: &Line| counts(line).is_some_and(|counts| counts.checkpoints + counts.files_trimmed > 0);
    at > 0 && closes(&lines[at - 1]) && lines.get(at).is_none_or(|line| !closes(line))
}

/// How many lines lead to the first batch that was completed, its checkpoint included; all if none was.
fn head(stretch: &[Line]) -> usize {
    let Some(completed) = stretch.iter().position(completes) else { return stretch.len() };
    (completed..=stretch.len()).find(|at| between_batches(stretch, *at)).unwrap_or(stretch.len())
}

/// How many lines to keep at the end: at least so many, from the beginning of a batch on.
fn tail(stretch: &[Line], kept_min: usize) -> usize {
    let latest = stretch.len().saturating_sub(kept_min);
    let earliest = stretch.len().saturating_sub(KEPT_MAX);
    let start = (earliest..=latest).rev().find(|at| between_batches(stretch, *at)).unwrap_or(latest);
    stretch.len() - start
}

fn one_line(first: &Line, stretch: &[Line]) -> Line {
    let mut sum = Counts::default();
    stretch.iter().filter_map(counts).for_each(|counts| sum.add(counts));
    Line { verb: "...", details: vec![sum.in_words()], weight: Weight::Routine(sum), ..first.clone() }
}

#[cfg(test)]
mod tests;
