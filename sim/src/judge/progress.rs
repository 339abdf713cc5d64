//! I11: from any crash image recovery ends, and the next batch completes.
//!
//! Verified: within the bound of virtual time after the last fault and the last line everything that was sent is acknowledged
//! and processed, and the driver stops when it is asked to; no life ends itself with an error, because none of the faults is
//! one that an engine may fail at; a life that is not cut off before completes a batch. Not verified: how fast.

use super::{Case, Findings};
use crate::run::LifeEnd;
use highwater_core::event::Event;

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let evidence = case.evidence;
    let mut violations = Vec::new();
    let mut completed = 0;
    for life in &evidence.lives {
        let batches =
            life.events.iter().filter(|(_, event)| matches!(event, Event::BatchCompleted { .. })).count();
        completed += batches;
        match &life.end {
            LifeEnd::Failed { error } => violations.push(format!("life {} ended with: {error}", life.life)),
            LifeEnd::Stopped if batches == 0 => {
                violations.push(format!("life {} was not disturbed and completed no batch", life.life));
            }
            _ => {}
        }
    }
    // A life that failed for good says why already.
    if let (Err(why), true) = (&evidence.converged, violations.is_empty()) {
        violations.push(why.clone());
    }
    let after = evidence.ended_at.0.saturating_sub(evidence.healed_at.0) as f64 / 1e9;
    Findings {
        seen: format!("completions: {completed}; done {after:.1}s after the last fault or line"),
        violations,
    }
}
