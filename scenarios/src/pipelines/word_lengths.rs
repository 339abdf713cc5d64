//! `word-lengths`: how many words of each length the last few batches had, told in every third one: the batches between wait
//! until the window slides over them.

use super::{Pipeline, Sliding};
use highwater_core::{DStream, Text, Word};

/// It slides by three batches and is no multiple of that.
pub const WINDOW: Sliding = Sliding { window_batches: 8, slide_batches: 3 };

pub(super) const PIPELINE: Pipeline = Pipeline {
    name: "word-lengths",
    about: "counts the words of the last 8 batches by their length, in every third one",
    graph,
    title: "Lengths",
};

fn graph(lines: DStream<Text>) -> DStream<(Word, u64)> {
    let batch = lines.slide();
    lines
        .flat_map(Text::into_words)
        .map(|word| word.chars().count())
        .count_by_value_and_window(batch * WINDOW.window_batches, batch * WINDOW.slide_batches)
        .map(|(length, count)| (Word::from(length.to_string()), count))
}
