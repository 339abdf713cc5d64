//! I6: a time-out fires in the batch in which it fires without a crash: no earlier, no later, not twice, not never.
//!
//! Verified, where the scenario has time-outs: each that the scenario's model finds in the tapped batches is told in the output of exactly
//! the batch in which the model has it, with what it must tell, and no other is told. The model knows nothing of the
//! engine. Not verified: what the state of a key was when it timed out, beyond what the output tells of it.

use super::{Case, Findings, figures};
use std::collections::BTreeMap;

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let Some(time_outs) = &case.scenario.time_outs else {
        return Findings { seen: "the pipeline has no time-outs".into(), violations: Vec::new() };
    };
    let (count, differences) = figures::compare(case, time_outs);
    // Of a key that fired in the wrong batch both batches differ: it is told once.
    let mut elsewhere: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for wrong in differences.iter().filter(|wrong| wrong.expected.is_none()) {
        elsewhere.entry(&wrong.key).or_default().push(&wrong.time);
    }
    let mut violations = Vec::new();
    for wrong in &differences {
        let key = &wrong.key;
        match (wrong.expected, wrong.found.as_slice()) {
            (Some(_), []) => match elsewhere.get_mut(key.as_str()).and_then(Vec::pop) {
                Some(other) => {
                    let word = if other < wrong.time.as_str() { "early" } else { "late" };
                    violations
                        .push(format!("{key:?} timed out {word}, in {other} and not in {}", wrong.time));
                }
                None => violations.push(format!("{key:?} did not time out in {}", wrong.time)),
            },
            (Some(expected), [found]) => violations
                .push(format!("{key:?} timed out in {} with {found}, not with {expected}", wrong.time)),
            (Some(_), _) => violations.push(format!("{key:?} timed out in {} more than once", wrong.time)),
            (None, _) => {}
        }
    }
    for (key, times) in elsewhere {
        violations.extend(
            times.into_iter().map(|time| format!("{key:?} timed out in {time}, and had no reason to")),
        );
    }
    Findings { seen: format!("{count} time-outs, each in its batch"), violations }
}
