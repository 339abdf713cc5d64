//! I14: a crash anywhere in recovery, then recovery, equals recovery once.
//!
//! Verified: where a life crashed after it had recovered, and it emitted nothing, and the disk that the next one finds has
//! no journal record of it, the next life recovers to the same state: the same batch is the last completed one, the same batches
//! wait, as many records are in none, and the digest in the driver's event is the same, of everything that decides what happens
//! next; and no other life was there at the time. That the state itself is the same follows from
//! I4, which holds over all lives. Not verified: lives that crashed before they told what they recovered.

use super::{Case, Findings, image};
use crate::{fault::Class, run::Image};
use highwater_core::{
    event::{Event, Recovery},
    ids::{BatchTime, Generation},
};

/// Whether the journal has a record of this generation that it did not carry over from an earlier one.
fn has_records_of(image: &Image, generation: Option<Generation>) -> bool {
    let files = image.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
    image::segments(files).into_iter().any(|(name, segment)| {
        Some(name.generation) == generation && segment.records.len() as u64 > segment.header.carried
    })
}

/// What a recovery leads to, whatever led to it.
#[derive(PartialEq)]
struct State {
    completed: BatchTime,
    pending: Vec<BatchTime>,
    unallocated_records: u64,
    digest: u64,
}

impl State {
    fn of(recovery: &Recovery) -> Self {
        Self {
            completed: recovery.completed,
            pending: recovery.pending.clone(),
            unallocated_records: recovery.unallocated_records,
            digest: recovery.digest,
        }
    }
}

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let mut violations = Vec::new();
    let mut compared = 0;
    let mut expected = None;
    let lives = &case.evidence.lives;
    let found_next = lives.iter().skip(1).map(|life| life.written()).chain([case.evidence.last_written()]);
    // Damage in between makes another image of it.
    let damages: Vec<_> = case
        .evidence
        .faults
        .iter()
        .filter(|outcome| outcome.fault.kind().class() != Class::Tolerated)
        .filter_map(|outcome| Some(outcome.firing.as_ref()?.at))
        .collect();
    for (life, found_next) in lives.iter().zip(found_next) {
        let (mut recovered, mut generation, mut fresh) = (None, None, false);
        for (_, event) in &life.events {
            match event {
                Event::GenerationClaimed { generation: claimed } => generation = Some(*claimed),
                Event::Recovered(recovery) => recovered = Some(State::of(recovery)),
                Event::StartedFresh { .. } => fresh = true,
                _ => {}
            }
        }
        let emitted = case.evidence.emissions.iter().any(|emission| emission.life == life.life);
        let went_on = fresh || emitted || has_records_of(&found_next, generation);
        // An older driver may have written in between.
        let alone = !case.evidence.had_company(life);
        if let (Some(state), Some((before, since, expected))) = (&recovered, &expected)
            && alone
            && !damages.iter().any(|at| (*since..=life.ended_at).contains(at))
        {
            compared += 1;
            if state != expected {
                violations.push(format!(
                    "lives {before} and {} recovered from one image to different states",
                    life.life
                ));
            }
        }
        expected = match recovered {
            _ if !alone => None,
            Some(state) if !went_on => Some((life.life, life.began_at, state)),
            // It crashed before it had recovered, and changed nothing.
            None if !went_on => expected,
            _ => None,
        };
    }
    Findings { seen: format!("recoveries compared with one that crashed: {compared}"), violations }
}
