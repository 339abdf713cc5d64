//! `running-total`: how often each word has stood in the lines of all batches so far, told in every batch.

use super::Pipeline;
use highwater_core::{DStream, Text, Word};

pub(super) const PIPELINE: Pipeline = Pipeline {
    name: "running-total",
    about: "counts the words of all batches so far, in a state that survives the driver",
    graph,
    title: "Totals",
    sorted: true,
};

fn graph(lines: DStream<Text>) -> DStream<(Word, u64)> {
    lines
        .flat_map(Text::into_words)
        .map(|word| (word, 1))
        // Counted before it reaches the state, which then gathers one number a word and not one an occurrence.
        .reduce_by_key(|a, b| a + b)
        .update_state_by_key(|counts: Vec<u64>, total| {
            Some(total.unwrap_or(0) + counts.into_iter().sum::<u64>())
        })
}
