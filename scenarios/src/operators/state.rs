//! The operators with a state by key. `running-total` and `sessions` are programs with one, too: a state that only grows, and
//! time-outs.

use super::{
    Operator, counted,
    told::{self, Counts, counts, words},
};
use crate::pipelines::Pipeline;
use highwater_core::{BatchTime, State, StateSpec, Word};
use std::collections::{BTreeMap, BTreeSet};

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
};

/// A word that came so often is taken out of the state, and begins anew.
const ENOUGH: u64 = 8;

pub(super) const MAP_WITH_STATE: Operator = Operator {
    pipeline: Pipeline::new(
        "map-with-state",
        "counts words from where they began, tells all of them, and lets one that came 8 times begin anew",
        |lines| {
            let count = |_: BatchTime, word: &Word, came: Option<u64>, total: &mut State<u64>| {
                let sum = total.get_option().copied().unwrap_or(0) + came?;
                if sum < ENOUGH {
                    total.update(sum);
                    return None;
                }
                total.remove();
                // No word has a blank in it.
                Some((Word::from(format!("enough of {word}")), sum))
            };
            let totals = counted(lines)
                .map_with_state(StateSpec::function(count).initial_state(initial(|count| count)));
            totals.mapped().union(totals.state_snapshots())
        },
    ),
    model: |batches| {
        let mut totals: Counts = INITIAL.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect();
        told::of_each(batches, |lines| {
            let came = counts(words(lines));
            let mut enough = BTreeSet::new();
            for (word, count) in &came {
                let total = totals.entry(word.clone()).or_default();
                *total += count;
                if *total >= ENOUGH {
                    enough.insert(word.clone());
                }
            }
            let mut told = Counts::new();
            for word in enough {
                let total = totals.remove(&word).unwrap_or_default();
                told.insert(format!("enough of {word}"), total);
            }
            told.extend(totals.clone());
            told
        })
    },
    slide: None,
};
