//! `sessions`: a word's session lasts while it keeps coming, and ends by time-out; its end is told once, in that very batch.

use super::Pipeline;
use highwater_core::{DStream, Text, Word};

/// A session ends in the batch that is the how manieth in a row without the word.
pub const IDLE_BATCHES: u64 = 3;

pub(super) const PIPELINE: Pipeline = Pipeline {
    name: "sessions",
    about: "tells when a word has not come for 3 batches, and how often it came until then",
    graph,
    title: "Ended",
};

/// Of a word's session: how often the word came, and for how many batches it has not.
type Session = (u64, u64);

fn graph(lines: DStream<Text>) -> DStream<(Word, u64)> {
    lines
        .flat_map(Text::into_words)
        .map(|word| (word, 1))
        .reduce_by_key(|a, b| a + b)
        .update_state_by_key(go_on)
        .filter(|(_, (_, idle))| *idle == IDLE_BATCHES)
        .map(|(word, (count, _))| (word, count))
}

fn go_on(counts: Vec<u64>, session: Option<Session>) -> Option<Session> {
    let came: u64 = counts.into_iter().sum();
    // One that ended in the batch before was told then.
    let open = session.filter(|(_, idle)| *idle < IDLE_BATCHES);
    match (came, open) {
        (0, None) => None,
        (0, Some((count, idle))) => Some((count, idle + 1)),
        (came, open) => Some((open.map_or(0, |(count, _)| count) + came, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_goes_on_while_the_word_comes_ends_once_and_begins_anew() {
        let mut session = go_on(vec![2], None);
        session = go_on(Vec::new(), session);
        session = go_on(vec![1], session);
        assert_eq!(session, Some((3, 0)));
        for idle in 1..=IDLE_BATCHES {
            session = go_on(Vec::new(), session);
            assert_eq!(session, Some((3, idle)));
        }
        assert_eq!(go_on(Vec::new(), session), None, "it is over");
        assert_eq!(go_on(vec![5], session), Some((5, 0)), "another one");
    }
}
