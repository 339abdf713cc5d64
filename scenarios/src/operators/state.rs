//! The operators with a state by key. `running-total` and `sessions` are programs with one, too: a state that only grows, and
//! time-outs.

use super::{
    Operator, counted,
    told::{self, Counts, counts, words},
};
use crate::pipelines::Pipeline;
use highwater_core::{BatchTime, State, StateSpec, Word};
use std::collections::BTreeMap;

/// What the states begin with: words that come, and one that never does.
const INITIAL: [(&str, u64); 3] = [("the", 100), ("whale", 5), ("of whom nothing is heard", 7)];

fn initial<T>(value: impl Fn(u64) -> T) -> Vec<(Word, T)> {
    INITIAL.iter().map(|(word, count)| (Word::from(*word), value(*count))).collect()
}

/// A word that has not come for so many batches is forgotten.
const FORGOTTEN_AFTER: u64 = 3;

pub(super) const UPDATE_STATE_BY_KEY: Operator = Operator {
    pipeline: Pipeline::new(
        "update-state-by-key",
        "counts words from where they began, and forgets one that does not come for 3 batches",
        |lines| {
            let update = |came: Vec<u64>, known: Option<(u64, u64)>| {
                let (total, idle) = known.unwrap_or_default();
                match came.is_empty() {
                    false => Some((total + came.iter().sum::<u64>(), 0)),
                    true => Some((total, idle + 1)).filter(|(_, idle)| *idle < FORGOTTEN_AFTER),
                }
            };
            let totals =
                counted(lines).update_state_by_key_with_initial_state(initial(|count| (count, 0)), update);
            totals.map_values(|(total, _)| total)
        },
    ),
    model: |batches| {
        let mut totals: Counts = INITIAL.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect();
        // How many batches ago each was heard of.
        let mut silent: BTreeMap<String, u64> = totals.keys().map(|word| (word.clone(), 0)).collect();
        told::of_each(batches, |lines| {
            silent.values_mut().for_each(|batches| *batches += 1);
            for word in words(lines) {
                silent.insert(word.to_owned(), 0);
                *totals.entry(word.to_owned()).or_default() += 1;
            }
            silent.retain(|_, batches| *batches < FORGOTTEN_AFTER);
            totals.retain(|word, _| silent.contains_key(word));
            totals.clone()
        })
    },
    slide: None,
    time_out: None,
};

/// A word that came so often is taken out of the state, and begins anew.
const ENOUGH: u64 = 8;
/// A word times out in the batch that is the how manieth in a row without it: later than two snapshots are apart.
const GONE_AFTER: u64 = 4;
/// What a word is told with that has timed out. No word has a blank in it.
const GONE: &str = "gone is ";

pub(super) const MAP_WITH_STATE: Operator = Operator {
    pipeline: Pipeline::new(
        "map-with-state",
        "counts words from where they began, tells all of them, lets one that came 8 times begin anew, and ends one that does not come \
         for 4 batches",
        |lines| {
            let count = |_: BatchTime, word: &Word, came: Option<u64>, total: &mut State<u64>| {
                let Some(came) = came else {
                    return Some((Word::from(format!("{GONE}{word}")), *total.get()));
                };
                let sum = total.get_option().copied().unwrap_or(0) + came;
                if sum < ENOUGH {
                    total.update(sum);
                    return None;
                }
                total.remove();
                Some((Word::from(format!("enough of {word}")), sum))
            };
            // A word times out in the first batch in which it was idle for longer than this.
            let idle = lines.slide() * (GONE_AFTER - 1);
            let spec = StateSpec::function(count).initial_state(initial(|count| count)).timeout(idle);
            let totals = counted(lines).map_with_state(spec);
            totals.mapped().union(totals.state_snapshots())
        },
    ),
    model: |batches| {
        let batch_ms = batches.batch_interval.millis();
        // What words began with counts as having come in the first batch.
        let first = BatchTime(batches.zero_time.0 + batch_ms);
        let began = INITIAL.iter().map(|(word, count)| ((*word).to_owned(), (*count, first)));
        let mut states: BTreeMap<String, (u64, BatchTime)> = began.collect();
        let batch = |(time, lines): &(BatchTime, Vec<String>)| {
            let mut told = Counts::new();
            for (word, count) in counts(words(lines)) {
                let sum = states.remove(&word).map_or(0, |(total, _)| total) + count;
                match sum < ENOUGH {
                    true => _ = states.insert(word, (sum, *time)),
                    false => _ = told.insert(format!("enough of {word}"), sum),
                }
            }
            states.retain(|word, (total, last)| {
                let stays = time.0 < last.0 + GONE_AFTER * batch_ms;
                if !stays {
                    told.insert(format!("{GONE}{word}"), *total);
                }
                stays
            });
            told.extend(states.iter().map(|(word, (total, _))| (word.clone(), *total)));
            Some(told)
        };
        batches.iter().map(batch).collect()
    },
    slide: None,
    time_out: Some(GONE),
};

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_core::Interval;
    use highwater_sim::scenario::Batches;

    #[test]
    fn a_word_is_gone_in_the_fourth_batch_without_it_and_what_it_began_with_came_in_the_first() {
        let lines = ["a a", "the", "whale", "a", "", "", "", "a a a a a a a a a"];
        let batch = |(second, line): (u64, &&str)| (BatchTime(second * 1000), vec![(*line).to_owned()]);
        let batches = (1..).zip(&lines).map(batch).collect();
        let batches = Batches::new(BatchTime(0), Interval::from_secs(1), batches);
        let told = (MAP_WITH_STATE.model)(&batches);
        let at = |batch: usize| {
            let told = told[batch - 1].as_ref().expect("it tells in each batch");
            told.iter().map(|(word, count)| (word.as_str(), *count)).collect::<Vec<_>>()
        };
        assert_eq!(at(1), [("a", 2), ("of whom nothing is heard", 7), ("the", 100), ("whale", 5)]);
        assert_eq!(at(2), [("a", 2), ("enough of the", 101), ("of whom nothing is heard", 7), ("whale", 5)]);
        assert_eq!(at(4), [("a", 3), ("of whom nothing is heard", 7), ("whale", 6)]);
        assert_eq!(at(5), [("a", 3), ("gone is of whom nothing is heard", 7), ("whale", 6)]);
        assert_eq!(at(7), [("a", 3), ("gone is whale", 6)]);
        assert_eq!(at(8), [("enough of a", 12)]);
    }
}
