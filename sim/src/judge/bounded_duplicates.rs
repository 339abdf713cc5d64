//! I2: after a recovery only batches without a durable completion are emitted again.
//!
//! Verified: no life emits a batch that the disk which it found says is complete, in a published checkpoint or the journal,
//! by the judge's own reading (of what was written, unless a fault has damaged it); and within a life no batch is emitted twice.
//! That is more than the durable completions: one in the page cache counts too. Not verified: what is done outside the recorded
//! output files. Excused: a batch that an older driver completes when a newer one has fixed where its journal ends. That completion
//! came after the newer one's claim and is synced by nobody; the newer one has to emit the batch, and if it does not come to
//! that, the next life has to. So what the newest generation's journal and checkpoints do not take over says nothing
//! (`image::completed`); a life that found the completion is held to it, whatever its successors find.

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
