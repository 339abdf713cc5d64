//! I14: a crash anywhere in recovery, then recovery, equals recovery once.
//!
//! Verified: where a life crashed after it had recovered and before it stored or allocated anything, the next life recovers to
//! the same state, by the digest in the driver's event, of everything that decides what happens next. That the state itself is
//! the same follows from I4, which holds over all lives. Not verified: lives that crashed before they told what they recovered.

use super::{Case, Findings};
use highwater_core::event::Event;

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let mut violations = Vec::new();
    let mut compared = 0;
    let mut expected = None;
    for life in &case.evidence.lives {
        let mut recovered = None;
        let mut went_on = false;
        for (_, event) in &life.events {
            match event {
                Event::Recovered(recovery) => recovered = Some(recovery.digest),
                Event::StartedFresh { .. }
                | Event::BlockStored { .. }
                | Event::BatchAllocated { .. }
                | Event::BatchEmitted { .. }
                | Event::SourceConnected { .. } => went_on = true,
                _ => {}
            }
        }
        if let (Some(digest), Some((before, expected))) = (recovered, expected) {
            compared += 1;
            if digest != expected {
                violations.push(format!("lives {before} and {} recovered from one image to different states", life.life));
            }
        }
        expected = match recovered {
            Some(digest) if !went_on => Some((life.life, digest)),
            // It crashed before it had recovered, and changed nothing.
            None if !went_on => expected,
            _ => None,
        };
    }
    Findings { seen: format!("{compared} recoveries compared with one that crashed"), violations }
}
