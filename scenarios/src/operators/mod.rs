//! Every operator that keeps something over batches, as a pipeline that does little beside it, with a model of what must come of
//! it: what a sweep lives through to see that the operator survives whatever fails.
//!
//! An operator is a graph from lines to words with numbers, and a plain function of the batches that says the same. Both stand beside each
//! other, and share nothing. A line in [`OPERATORS`] makes a scenario of them, under the operator's name.
//!
//! - [`told`] is what models are made of: the words of a batch, the batches of a window.
//! - `windows`, `state` and `several` have the operators; `receiver` a source of one's own.
//!
//! In a simulation a snapshot is taken in every second batch: most windows here are longer than that, and slide by a number of batches
//! that two does not divide. Words go and come back.

mod receiver;
mod several;
mod state;
pub mod told;
mod windows;

pub use receiver::ResumingLines;

use crate::pipelines::Pipeline;
use highwater_core::{DStream, Text, Word};
use highwater_sim::scenario::Batches;
use told::Told;

/// An operator as a scenario.
#[derive(Clone, Copy, Debug)]
pub struct Operator {
    /// Its graph, under the operator's name.
    pub pipeline: Pipeline,
    /// What must be told in each batch.
    pub model: fn(&Batches) -> Told,
    /// Where what is told is what windows hold, in batches how far these slide at once; the judge of windows looks at it number by number.
    pub slide: Option<u64>,
    /// Where keys time out, what the names begin with under which that is told; the judge of time-outs looks at each of them.
    pub time_out: Option<&'static str>,
}

/// All of them, by name.
pub const OPERATORS: [Operator; 15] = [
    several::CACHE,
    windows::COUNT_BY_VALUE_AND_WINDOW,
    windows::COUNT_BY_WINDOW,
    windows::GROUP_BY_KEY_AND_WINDOW,
    several::JOIN,
    state::MAP_WITH_STATE,
    windows::REDUCE_BY_KEY_AND_WINDOW,
    windows::REDUCE_BY_KEY_AND_WINDOW_INVERSE,
    windows::REDUCE_BY_KEY_AND_WINDOW_INVERSE_APART,
    windows::REDUCE_BY_KEY_AND_WINDOW_INVERSE_FILTER,
    windows::REDUCE_BY_WINDOW,
    windows::REDUCE_BY_WINDOW_INVERSE,
    several::REMEMBER,
    state::UPDATE_STATE_BY_KEY,
    windows::WINDOW,
];

fn words(lines: DStream<Text>) -> DStream<Word> {
    lines.flat_map(Text::into_words)
}

/// Each word of a batch, with how often it came.
fn counted(lines: DStream<Text>) -> DStream<(Word, u64)> {
    words(lines).map(|word| (word, 1)).reduce_by_key(|a, b| a + b)
}

/// Each word as its first letter and its length.
fn lengths(lines: DStream<Text>) -> DStream<(Word, u64)> {
    words(lines).map(|word| (word.chars().take(1).collect(), word.chars().count() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_stand_under_their_names_in_order() {
        assert!(OPERATORS.is_sorted_by_key(|operator| operator.pipeline.name));
    }
}
