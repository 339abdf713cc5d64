//! The pipeline: how often each word has stood in the lines so far, told in every batch.
//!
//! Make it yours: change the operators here, and in `tests/recovery.rs` the model that says what they must write.

use highwater_core::{BatchTime, DStream, Text, Word};
use std::path::Path;

/// Adds the operators and the output to a stream of lines. It knows neither where these come from nor whether the world is a simulated one.
pub fn build(lines: DStream<Text>, output: &Path) {
    lines
        .flat_map(Text::into_words)
        .map(|word| (word, 1u64))
        .reduce_by_key(|a, b| a + b)
        // What is kept here survives the driver: it is in the checkpoints.
        .update_state_by_key(|counts: Vec<u64>, total| {
            Some(total.unwrap_or(0) + counts.iter().sum::<u64>())
        })
        .write_text(output, |batch| line(batch.time(), &batch.records));
}

/// `2018-03-02 03:29:16 a=1 the=3`
fn line(time: BatchTime, totals: &[(Word, u64)]) -> String {
    let mut words: Vec<_> = totals
        .iter()
        .map(|(word, total)| format!("{word}={total}"))
        .collect();
    words.sort_unstable();
    format!("{time} {}\n", words.join(" "))
}
