//! I5: a window's results are those of the run without failures, and the batch grid is that of the first start, without a
//! gap.
//!
//! Verified: every checkpoint that a life found and recovered from, or that is there in the end, names the same zero time
//! and interval (one that a first start published and a power loss took back, before anybody used it, counts for nothing);
//! the emitted batch times, in the end, are every point of that grid from the first on; only where more were missed than
//! the driver's options have it make up for, it may pass over the oldest, as its events say, and makes up for that many;
//! and where the scenario has windows, each tells of every key exactly what the batches in it make by the scenario's model,
//! which knows nothing of the engine.

use super::{Case, Findings, figures, image};
use crate::world::VirtualTime;
use highwater_core::{BatchTime, event::Event};
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
        // The batch times that the driver says it passed over, since it missed more than its options have it make up for.
        let skips: Vec<(BatchTime, u64, VirtualTime)> = evidence
            .events()
            .filter_map(|(at, _, event)| match event {
                Event::BatchesSkipped { from, count } => Some((*from, *count, at)),
                _ => None,
            })
            .collect();
        let mut gap: Option<(BatchTime, u64, VirtualTime)> = None;
        for batch in &batches {
            expected = expected.next(*interval);
            if batch.time != expected {
                let until = |from: BatchTime, count: u64| from.0 + count * interval.millis();
                let is_it = |(from, count, _): &&(BatchTime, u64, VirtualTime)| {
                    *from == expected && until(*from, *count) == batch.time.0
                };
                let Some((_, _, at)) = skips.iter().find(is_it) else {
                    violations.push(format!("batch {} where {expected} should be", batch.time));
                    break;
                };
                gap = Some((expected, 0, *at));
                expected = batch.time;
            }
            gap = gap.map(|(from, since, at)| (from, since + 1, at));
        }
        if let Some((from, since, at)) = gap.filter(|_| evidence.converged.is_ok()) {
            // What was due is not, once the clock was put back.
            let put_back_ms = evidence.wall_put_back_after(at).as_millis();
            let put_back = put_back_ms.div_ceil(u128::from(interval.millis()));
            let made_up_for = case.scenario.options.missed_batches_max;
            let made_up_for = made_up_for.saturating_sub(u64::try_from(put_back).unwrap_or(u64::MAX));
            if since < made_up_for {
                violations.push(format!(
                    "batches from {from} on were passed over, and only {since} of the {made_up_for} were made up for"
                ));
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
