//! Each thing that can happen as a line of the timeline: a verb of at most ten letters, and what a reader needs beside it.
//!
//! Consecutive steps of the same kind for consecutive batches (a driver that catches up takes many at once) are one line.
//! Every event of the engine is named below without a wildcard: one that is added does not compile until it has words.

mod events;
mod faults;

use super::{fold::Weight, moments::seconds};
use highwater_core::{BatchTime, event::Event};
use highwater_sim::{
    run::{Happening, RunReport, TimelineEntry},
    world::{Life, VirtualTime},
};
use std::{collections::BTreeSet, ops::Range};

/// A line of the timeline.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub at: VirtualTime,
    pub life: Life,
    pub verb: &'static str,
    /// Each begins a line of the report.
    pub details: Vec<String>,
    pub weight: Weight,
    /// Whether it is the first of a life.
    pub begins_life: bool,
    /// The entries of the timeline that it tells of.
    pub entries: Range<usize>,
}

/// What a line is told beside its place.
struct Told(&'static str, Vec<String>, Weight);

/// What must be remembered from earlier lines to understand a later one.
#[derive(Default)]
struct Memory {
    zero_time: Option<BatchTime>,
    /// Batches that this life took over from the one before.
    taken_over: BTreeSet<BatchTime>,
    /// When the last thing happened in the life before.
    last: VirtualTime,
}

/// The timeline as lines.
pub(crate) fn lines(report: &RunReport) -> Vec<Line> {
    let mut memory = Memory::default();
    let mut lines = Vec::new();
    let mut rest = report.timeline.as_slice();
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|entry| belongs_to(first, entry, &memory)).count().max(1);
        let from = report.timeline.len() - rest.len();
        let (these, after) = rest.split_at(same);
        rest = after;
        if is_repeated_by(first, after.first()) {
            continue;
        }
        let Told(verb, details, weight) = tell(report, these, &mut memory);
        let begins_life = matches!(first.happening, Happening::LifeBegan);
        let entries = from..from + same;
        lines.push(Line { at: first.at, life: first.life, verb, details, weight, begins_life, entries });
        memory.last = first.at;
    }
    lines
}

/// Whether an entry goes into the line of `first`.
fn belongs_to(first: &TimelineEntry, entry: &TimelineEntry, memory: &Memory) -> bool {
    let taken_over = |time: &BatchTime| memory.taken_over.contains(time);
    first.life == entry.life
        && match (&first.happening, &entry.happening) {
            (Happening::Event(first), Happening::Event(event)) => match (first, event) {
                (Event::BatchAllocated { .. }, Event::BatchAllocated { .. }) => true,
                (
                    Event::BatchEmitted { repetition: one, .. },
                    Event::BatchEmitted { repetition: other, .. },
                ) => one == other,
                (Event::BatchCompleted { time: one, .. }, Event::BatchCompleted { time: other, .. }) => {
                    taken_over(one) == taken_over(other)
                }
                _ => false,
            },
            _ => false,
        }
}

/// A driver says why it ends, and then its supervisor says it again: once is enough.
fn is_repeated_by(entry: &TimelineEntry, next: Option<&TimelineEntry>) -> bool {
    match (&entry.happening, next.map(|next| &next.happening)) {
        (Happening::Event(Event::Stopped { error: Some(one) }), Some(Happening::LifeFailed { error })) => {
            one == error
        }
        _ => false,
    }
}

fn tell(report: &RunReport, these: &[TimelineEntry], memory: &mut Memory) -> Told {
    let first = &these[0];
    match &first.happening {
        Happening::LifeBegan => {
            memory.taken_over.clear();
            let text = match first.life {
                Life::FIRST => "the driver starts for the first time".to_owned(),
                life => {
                    let down = VirtualTime(first.at.0 - memory.last.0);
                    format!("the supervisor starts life {life}, after {} of nothing", seconds(down))
                }
            };
            Told("START", vec![text], Weight::Notable)
        }
        Happening::FaultFired { fault } => {
            faults::tell(*fault, &report.plan[*fault], first.life, report.ledger.protocol == "tcp")
        }
        Happening::Event(_) => {
            let events = these.iter().filter_map(|entry| match &entry.happening {
                Happening::Event(event) => Some(event),
                _ => None,
            });
            events::tell(&events.collect::<Vec<_>>(), memory)
        }
        Happening::LifeFailed { error } => {
            Told("FAIL", vec![format!("the driver ended itself: {error}")], Weight::End)
        }
        Happening::CutOff => {
            Told("CUT OFF", vec!["out of virtual time: the run had not come to its end".into()], Weight::End)
        }
    }
}
