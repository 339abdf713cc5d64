//! `word-count`: how often each word stands in the lines of a batch. Without state: each batch for itself.

use super::Pipeline;
use highwater_core::{DStream, Text, Word};

pub(super) const PIPELINE: Pipeline = Pipeline {
    name: "word-count",
    about: "counts the words of each batch: what stands between white space",
    graph,
    title: "Counts",
    sorted: true,
};

fn graph(lines: DStream<Text>) -> DStream<(Word, u64)> {
    lines.flat_map(Text::into_words).map(|word| (word, 1)).reduce_by_key(|a, b| a + b)
}
