//! I4: the output after batch t is what the inputs of all batches up to t make, each once; and a run that lost nothing comes
//! to the same result as the run without faults.
//!
//! Verified: the pipeline's output file holds, whole and in order, exactly what the scenario's model makes of the tapped
//! batches; where every line was acknowledged, its outcome equals the failure-free run's. The model knows nothing of the
//! engine; it leaves the order of a batch's records open where the scenario says how to bring them into the model's. Of an output in
//! directories each batch that calls itself whole is so at every start. Where damage stopped the driver for good, every single emission
//! is held against the model, for the file is as the last crash left it. Not verified: which lines the batches had; that is I1's; and, where the order of
//! records is open and damage stopped the driver, an emission that a crash cut short.

use super::{Case, Findings, marked_whole};
use crate::{
    run::{TappedBatch, output_heading},
    scenario::Batches,
};
use highwater_core::BatchTime;
use std::{borrow::Cow, collections::BTreeMap};

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let batches = case.batches();
    let mut findings = match case.evidence.detected() {
        Some(_) => judge_emissions(case, &batches),
        None => judge_output(case, &batches),
    };
    findings.violations.extend(marked_whole::false_marks(case.evidence));
    findings
}

fn judge_output(case: &Case<'_>, batches: &Batches) -> Findings {
    let mut violations = Vec::new();
    let output = case.evidence.output();
    let output =
        case.scenario.normalize.as_ref().map_or_else(|| output.clone(), |normalize| normalize(&output));
    let mut rest = output.as_str();
    for ((time, _), expected) in batches.iter().zip((case.scenario.model)(batches)) {
        match rest.strip_prefix(expected.as_str()) {
            Some(after) => rest = after,
            None => {
                let found: String = rest.chars().take(expected.chars().count().min(120)).collect();
                let expected: String = expected.chars().take(120).collect();
                violations.push(format!("batch {time}: expected {expected:?}, found {found:?}"));
                break;
            }
        }
    }
    if violations.is_empty() && !rest.is_empty() {
        violations.push(format!("{} bytes follow the last batch's output", rest.len()));
    }
    let mut seen = format!("{} batches against the model", batches.len());
    if let (Some(reference), Some(outcome)) = (&case.reference, &case.scenario.outcome) {
        let of_reference = reference.tapped().0;
        let of_reference = of_reference.iter().flat_map(TappedBatch::records);
        if batches.iter().flat_map(|(_, lines)| lines).eq(of_reference) {
            seen.push_str(", the outcome against the failure-free run");
            if outcome(&output) != outcome(&reference.output()) {
                violations.push("the outcome differs from the failure-free run's".into());
            }
        }
    }
    Findings { seen, violations }
}

fn judge_emissions(case: &Case<'_>, batches: &Batches) -> Findings {
    let times = batches.iter().map(|(time, _)| *time);
    let expected: BTreeMap<BatchTime, String> = times.zip((case.scenario.model)(batches)).collect();
    let (mut violations, mut compared) = (Vec::new(), 0);
    for emission in case.evidence.emissions.iter().filter(|emission| !emission.tap) {
        let expected = emission.time.and_then(|time| expected.get(&time));
        let heading = output_heading(&emission.path);
        let expected = expected.and_then(|text| text.split_once(&heading).map(|(_, text)| text));
        let bytes = match &case.scenario.normalize {
            None => Cow::Borrowed(&emission.bytes),
            Some(normalize) if emission.bytes.ends_with(b"\n") => {
                Cow::Owned(normalize(&String::from_utf8_lossy(&emission.bytes)).into_bytes())
            }
            // There is no bringing a part into order.
            Some(_) => continue,
        };
        compared += 1;
        // A crash may have cut it short.
        if !expected.is_some_and(|text| text.as_bytes().starts_with(&bytes)) {
            let time = emission.time.map_or_else(|| "that nobody knows".to_owned(), |time| time.to_string());
            violations
                .push(format!("life {} emitted for batch {time} what the model does not", emission.life));
        }
    }
    Findings { seen: format!("{compared} emissions against the model"), violations }
}
