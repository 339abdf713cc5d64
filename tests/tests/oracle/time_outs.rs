//! A model of `mapWithState` with a time-out, plain enough to be seen right, for any number of batches between two of Spark's
//! checkpoints.
//!
//! Spark looks for time-outs only in batches in which it checkpoints the state; Highwater in every batch. So the recording of a case
//! whose checkpoints are rarer is held against the model of Spark's way, and the engine against the same model with a checkpoint in
//! every batch, the way in which both agree. That the model has the right idea of that one, the cases with a checkpoint in every
//! batch show.

use super::{
    case::{Batch, Case},
    functions::{Pair, unknown},
};
use serde_json::json;
use std::collections::BTreeMap;

/// What the model gives for a case, with a checkpoint every so many batches.
pub fn model(case: &Case, checkpoint_every: u64) -> Vec<Batch> {
    let text = "if timing out: emit [k,state,timeout]; else s = state + v; update; emit [k,s,data]";
    if case.params.text("fn") != text {
        unknown(case.params.text("fn"));
    }
    let time_out_ms = case.params.number("timeout_ms");
    // A key's state, and the time of its last record; that of a state that was there at the beginning is the first batch's.
    let mut states: BTreeMap<String, (i64, u64)> = BTreeMap::new();
    states.extend(case.params.initial().into_iter().map(|(key, state)| (key, (state, case.batch_ms))));
    let mut output = Vec::new();
    for (index, records) in case.records::<Pair>(0).into_iter().enumerate() {
        let number = index as u64 + 1;
        let time_ms = number * case.batch_ms;
        let mut mapped = Vec::new();
        for (key, value) in records {
            let (state, last_ms) = states.entry(key.clone()).or_default();
            *state += value;
            *last_ms = time_ms;
            mapped.push(json!([key, *state, "data"]));
        }
        if number.is_multiple_of(checkpoint_every) {
            states.retain(|key, (state, last_ms)| {
                let stays = *last_ms + time_out_ms >= time_ms;
                if !stays {
                    mapped.push(json!([key, *state, "timeout"]));
                }
                stays
            });
        }
        let records = match case.params.text("stream") {
            "mapped" => mapped,
            "snapshots" => states.iter().map(|(key, (state, _))| json!([key, state])).collect(),
            text => unknown(text),
        };
        output.push(Batch::new(time_ms, records));
    }
    output
}
