//! I5: a window's results are those of the run without failures, and the batch grid is that of the first start, without a gap.
//!
//! Verified: every checkpoint that a life found and recovered from, or that is there in the end, names the same zero time and
//! interval (one that a first start published and a power loss took back, before anybody used it, counts for nothing); the emitted batch
//! times, in the end, are every point of that grid from the first on; and where the scenario has windows, each tells of every key
//! exactly what the batches in it make by the scenario's model, which knows nothing of the engine. Not verified: windows of an
//! operator of their own, which the engine does not have yet.

use super::{Case, Findings, figures, image};
use highwater_core::event::Event;
use std::collections::BTreeSet;

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let evidence = case.evidence;
    let recovered = evidence
        .lives
        .iter()
        .filter(|life| life.events.iter().any(|(_, event)| matches!(event, Event::Recovered(_))));
    let images = recovered.map(|life| life.written()).chain([evidence.last_written()]);
    let grids: BTreeSet<_> = images
        .flat_map(|image| image::checkpoints(&image).into_values().flatten())
        .map(|checkpoint| (checkpoint.zero_time, checkpoint.interval))
        .collect();
    let mut violations = Vec::new();
    if grids.is_empty() && !evidence.emissions.is_empty() {
        violations.push("batches were emitted, and no checkpoint is left that names their grid".into());
    }
    if grids.len() > 1 {
        violations.push(format!("the checkpoints name {} different batch grids", grids.len()));
    }
    let batches = evidence.batches();
    if let Some((zero_time, interval)) = grids.first() {
        let mut expected = *zero_time;
        for batch in &batches {
            expected = expected.next(*interval);
            if batch.time != expected {
                violations.push(format!("batch {} where {expected} should be", batch.time));
                break;
            }
        }
    }
    let mut seen = format!("batches: {}, grids: {}", batches.len(), grids.len());
    if let Some(windows) = &case.scenario.windows {
        let (count, differences) = figures::compare(case, windows);
        seen.push_str(&format!(", results of windows: {count}"));
        violations.extend(differences.into_iter().map(|wrong| {
            let expected = wrong.expected.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
            format!(
                "the window of {} has {:?} for {:?}, expected {expected}",
                wrong.time, wrong.found, wrong.key
            )
        }));
    }
    Findings { seen, violations }
}
