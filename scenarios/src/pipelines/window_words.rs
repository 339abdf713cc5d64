//! `window-words`: how often each word has stood in the lines of a window that holds more batches than a snapshot is apart, and
//! slides by several at once.

use super::{Pipeline, Sliding};
use highwater_core::{DStream, Text, Word};

/// Longer than the time between two snapshots, which the slide does not divide, in a simulation and by default.
pub const WINDOW: Sliding = Sliding { window_batches: 11, slide_batches: 3 };

pub(super) const PIPELINE: Pipeline = Pipeline {
    name: "window-words",
    about: "counts the words of the last 11 batches, in every third one",
    graph,
    title: "Window",
};

fn graph(lines: DStream<Text>) -> DStream<(Word, u64)> {
    let batch = lines.slide();
    lines
        .flat_map(Text::into_words)
        .window(batch * WINDOW.window_batches, batch * WINDOW.slide_batches)
        .map(|word| (word, 1))
        .reduce_by_key(|a, b| a + b)
}
