//! `hot-words`: how often each word has stood in the lines of the last few batches, a window that slides with every batch.
//!
//! The window is kept in the state: a word's counts of the last batches, the newest first. A word that is in none of them is forgotten.

use super::Pipeline;
use highwater_core::{DStream, Text, Word};

/// How many batches the window is long.
pub const WINDOW_BATCHES: usize = 5;

pub(super) const PIPELINE: Pipeline = Pipeline {
    name: "hot-words",
    about: "counts the words of the last 5 batches, in a window that slides with every batch",
    graph,
    title: "Hot",
};

fn graph(lines: DStream<Text>) -> DStream<(Word, u64)> {
    lines
        .flat_map(Text::into_words)
        .map(|word| (word, 1))
        .reduce_by_key(|a, b| a + b)
        .update_state_by_key(slide)
        .map(|(word, window)| (word, window.iter().sum()))
}

fn slide(counts: Vec<u64>, window: Option<[u64; WINDOW_BATCHES]>) -> Option<[u64; WINDOW_BATCHES]> {
    let mut window = window.unwrap_or_default();
    window.rotate_right(1);
    window[0] = counts.into_iter().sum();
    (window != [0; WINDOW_BATCHES]).then_some(window)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_forgotten_when_it_is_in_no_batch_of_the_window() {
        let mut window = slide(vec![2, 1], None);
        assert_eq!(window, Some([3, 0, 0, 0, 0]));
        for _ in 1..WINDOW_BATCHES {
            window = slide(Vec::new(), window);
            assert_eq!(window.map(|window| window.iter().sum()), Some(3));
        }
        assert_eq!(slide(Vec::new(), window), None);
    }
}
