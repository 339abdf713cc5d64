//! I11: from any crash image recovery ends, and the next batch completes.
//!
//! Verified: within the bound of virtual time after the last fault and the last line everything that was sent is acknowledged
//! and processed, and the driver stops when it is asked to; the life that does so completes a batch, if an interval passed before. A life may end itself with an
//! error only where the world gave it one: the error names a fault of the plan that has fired, or it is the word of a driver that
//! a newer one has replaced, or that a live one keeps out, or that is of another program, or it names a file that was damaged, or it says
//! that a file is changing of which a sync that failed for another driver took the name, or the end, away at once; and when the
//! driver is started again it goes on. Where damage fired that only a copy could mend, the driver may stop for good with an error
//! that names file and offset. Not verified: how fast; that is in the price.

use super::{Case, Findings};
use crate::{
    fault::{Fault, FaultOutcome, injected_by},
    run::{Cause, Evidence, LifeEnd, LifeEvidence},
};
use highwater_core::{event::Event, ids::Interval};

/// How the seam says that a file has not the length at which it was to be appended to.
const LENGTH_DIFFERS: &str = "somebody else has changed it";

/// How the engine says that a file was there a moment ago, or was longer, or was listed.
const CHANGED: [&str; 3] = ["another driver is changing it", "bytes were read", "and was before"];

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let evidence = case.evidence;
    let mut violations = Vec::new();
    let completed: usize = evidence.lives.iter().map(|life| life.completions().count()).sum();
    let detected = evidence.detected();
    for life in &evidence.lives {
        match &life.end {
            LifeEnd::Failed { error, cause }
                if detected != Some(error) && !is_excused(error, *cause, life, evidence) =>
            {
                violations.push(format!("life {} ended with: {error}", life.life));
            }
            _ => {}
        }
    }
    if let Some(last) = evidence.lives.last()
        && last.end == LifeEnd::Stopped
        && last.completions().next().is_none()
        && had_an_interval(last, case.scenario.options.batch_interval)
    {
        violations.push(format!("life {} was not disturbed and completed no batch", last.life));
    }
    // A life that failed for good says why already.
    if let (Err(why), None, true) = (&evidence.converged, detected, violations.is_empty()) {
        violations.push(why.clone());
    }
    let seen = match detected {
        Some(_) => format!("completions: {completed}; then it stopped for good, for damage that it named"),
        None => {
            let after = evidence.ended_at.0.saturating_sub(evidence.healed_at.0) as f64 / 1e9;
            format!("completions: {completed}; done {after:.1}s after the last fault or line")
        }
    };
    Findings { seen, violations }
}

/// Whether a life ran for more than an interval before it was asked to stop: wherever the wall clock stands, a batch is due by then.
fn had_an_interval(life: &LifeEvidence, interval: Interval) -> bool {
    let runs = |event: &Event| matches!(event, Event::Recovered(_) | Event::StartedFresh { .. });
    let from = life.events.iter().find(|(_, event)| runs(event)).map(|(at, _)| *at);
    let until = life.stop.as_ref().map(|stop| stop.at);
    from.zip(until).is_some_and(|(from, until)| until.millis() > from.millis() + interval.millis())
}

/// Whether the world gave a life the error that ended it.
fn is_excused(error: &str, cause: Cause, life: &LifeEvidence, evidence: &Evidence) -> bool {
    if let Some(fault) = injected_by(error) {
        let firing = evidence.faults.get(fault).and_then(|outcome| outcome.firing.as_ref());
        return firing.is_some_and(|firing| firing.at <= life.ended_at);
    }
    if evidence.damages_before(life).any(|damage| error.contains(&damage.path)) {
        return true;
    }
    let mut others = evidence.lives.iter().filter(|other| other.life != life.life);
    match cause {
        // By the generations: a life that stood still before its claim may have claimed after one that started later. One
        // that died right after its claim may not have told of it.
        Cause::Fenced => others.any(|other| {
            let newer =
                other.claim().is_none_or(|(_, claimed)| life.claim().is_none_or(|(_, own)| claimed > own));
            newer && other.began_at <= life.ended_at && other.ended_at >= life.began_at
        }),
        Cause::InUse => {
            others.any(|other| other.began_at <= life.ended_at && other.ended_at >= life.began_at)
        }
        // The other one's batch stands where it wanted to write its own; the next start finds out whose counts.
        Cause::Other if error.contains(LENGTH_DIFFERS) => evidence.had_company(life),
        Cause::Other => {
            CHANGED.iter().any(|changed| error.contains(changed))
                && evidence.gone_at_once(life).any(|gone| error.contains(gone))
        }
        Cause::OtherProgram => {
            let is_of = |outcome: &FaultOutcome| {
                matches!(outcome.fault, Fault::OtherProgram(_))
                    && outcome.firing.as_ref().is_some_and(|firing| firing.life == life.life)
            };
            evidence.faults.iter().any(is_of)
        }
        Cause::Damage => false,
    }
}
