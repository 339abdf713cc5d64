//! I2: after a recovery only batches without a durable completion are emitted again.
//!
//! Verified: no life emits a batch that the disk which it found says is complete, in a published checkpoint or the journal,
//! by the judge's own reading (of what was written, unless a fault has damaged it); and within a life no batch is emitted twice. Not verified: what is done outside the recorded
//! output files.

use super::{Case, Findings, image};
use crate::fault::Class;
use std::collections::BTreeSet;

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let mut violations = Vec::new();
    let mut again = BTreeSet::new();
    let mut before = BTreeSet::new();
    for life in &case.evidence.lives {
        let completed = match case.evidence.class() {
            Class::Tolerated => image::completed(&life.written()),
            _ => image::completed(&life.image),
        };
        let mut own = BTreeSet::new();
        let emissions =
            case.evidence.emissions.iter().filter(|emission| emission.tap && emission.life == life.life);
        for time in emissions.filter_map(|emission| emission.time) {
            if completed.is_some_and(|completed| time <= completed) {
                violations.push(format!("life {} emitted batch {time} again, which was complete", life.life));
            }
            if !own.insert(time) {
                violations.push(format!("life {} emitted batch {time} twice", life.life));
            }
            if before.contains(&time) {
                again.insert(time);
            }
        }
        before.extend(own);
    }
    Findings { seen: format!("{} batches, {} of them emitted again", before.len(), again.len()), violations }
}
