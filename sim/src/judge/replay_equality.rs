//! I3: a batch that is emitted again has the same time, the same input in the same order, and the same bytes.
//!
//! Verified: all emissions of a batch, to the tap and to the output, are the same bytes; one that a crash cut short is a
//! beginning of them. Not verified: what was never emitted more than once.

use super::{Case, Findings};
use std::collections::BTreeMap;

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let mut violations = Vec::new();
    let mut longest: BTreeMap<(&str, _), &[u8]> = BTreeMap::new();
    let mut compared = 0;
    for emission in &case.evidence.emissions {
        let Some(time) = emission.time else { continue };
        let bytes = emission.bytes.as_slice();
        let known = longest.entry((&emission.path, time)).or_insert(bytes);
        if std::ptr::eq(*known, bytes) {
            continue;
        }
        compared += 1;
        if !known.starts_with(bytes) && !bytes.starts_with(known) {
            let what = if emission.tap { "input" } else { "output" };
            violations
                .push(format!("the {what} of batch {time} in life {} differs from before", emission.life));
        } else if bytes.len() > known.len() {
            *known = bytes;
        }
    }
    Findings { seen: format!("{compared} emissions compared with an earlier one"), violations }
}
