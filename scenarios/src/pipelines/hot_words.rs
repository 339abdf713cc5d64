//! `hot-words`: how often each word has stood in the lines of the last few batches, a window that slides with every batch.
//!
//! What left the window is taken off and what came is added; a word that is in none of its batches is forgotten.

use super::{Pipeline, Sliding};
use highwater_core::{DStream, Text, Word};

/// It slides with every batch.
pub const WINDOW: Sliding = Sliding { window_batches: 5, slide_batches: 1 };

pub(super) const PIPELINE: Pipeline = Pipeline {
    name: "hot-words",
    about: "counts the words of the last 5 batches, in a window that slides with every batch",
    graph,
    title: "Hot",
    sorted: true,
};

fn graph(lines: DStream<Text>) -> DStream<(Word, u64)> {
    let batch = lines.slide();
    lines.flat_map(Text::into_words).map(|word| (word, 1)).reduce_by_key_and_window_inverse_filter(
        |a, b| a + b,
        |a, b| a - b,
        batch * WINDOW.window_batches,
        batch * WINDOW.slide_batches,
        |_, count| *count > 0,
    )
}
