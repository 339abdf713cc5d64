//! `sessions`: a word's session lasts while it keeps coming, and ends by time-out; its end is told once, in that very batch.
//!
//! Time is batch time: after an outage so long that batch times were passed over, these count as batches without the word.

use super::Pipeline;
use highwater_core::{BatchTime, DStream, Interval, State, StateSpec, Text, Word};

/// A session ends in the batch that is the how manieth in a row without the word.
pub const IDLE_BATCHES: u64 = 3;

pub(super) const PIPELINE: Pipeline = Pipeline {
    name: "sessions",
    about: "tells when a word has not come for 3 batches, and how often it came until then",
    graph,
    title: "Ended",
    sorted: true,
};

fn graph(lines: DStream<Text>) -> DStream<(Word, u64)> {
    // A word times out in the first batch in which it was idle for longer than this.
    let idle_ms = lines.slide().millis() * (IDLE_BATCHES - 1);
    let idle = Interval::from_millis(idle_ms).expect("batches are under half a year apart");
    lines
        .flat_map(Text::into_words)
        .map(|word| (word, 1))
        .reduce_by_key(|a, b| a + b)
        .map_with_state(StateSpec::function(go_on).timeout(idle))
        .mapped()
}

fn go_on(_: BatchTime, word: &Word, count: Option<u64>, session: &mut State<u64>) -> Option<(Word, u64)> {
    match count {
        Some(count) => {
            session.update(session.get_option().unwrap_or(&0) + count);
            None
        }
        None => Some((word.clone(), *session.get())),
    }
}
