//! Results one by one: what a batch's output says of a key, beside what it must say.

use super::Case;
use crate::scenario::{Figure, Figures};
use highwater_core::BatchTime;
use std::collections::{BTreeMap, BTreeSet};

/// A result that is not what it must be.
pub(super) struct Difference {
    pub time: String,
    pub key: String,
    pub expected: Option<u64>,
    pub found: Vec<u64>,
}

/// How many results must be there, and where what is there differs.
pub(super) fn compare(case: &Case<'_>, figures: &Figures) -> (usize, Vec<Difference>) {
    let mut expected = (figures.expected)(&case.batches());
    let found = match case.evidence.detected() {
        None => (figures.read)(&case.evidence.output()),
        // Only what was emitted whole can be held against anything.
        Some(_) => {
            let whole = whole_emissions(case);
            let times: BTreeSet<String> = whole.keys().map(BatchTime::to_string).collect();
            expected.retain(|(time, _, _)| times.contains(time));
            (figures.read)(&whole.into_values().collect::<String>())
        }
    };
    (expected.len(), differences(expected, found))
}

fn whole_emissions(case: &Case<'_>) -> BTreeMap<BatchTime, String> {
    let emissions = case.evidence.emissions.iter().filter(|emission| !emission.tap);
    emissions
        .filter(|emission| emission.bytes.ends_with(b"\n"))
        .filter_map(|emission| Some((emission.time?, String::from_utf8_lossy(&emission.bytes).into_owned())))
        .collect()
}

fn differences(expected: Vec<Figure>, found: Vec<Figure>) -> Vec<Difference> {
    let mut all: BTreeMap<(String, String), (Option<u64>, Vec<u64>)> = BTreeMap::new();
    for (time, key, value) in expected {
        all.entry((time, key)).or_default().0 = Some(value);
    }
    for (time, key, value) in found {
        all.entry((time, key)).or_default().1.push(value);
    }
    let wrong = all.into_iter().filter(|(_, (expected, found))| found.as_slice() != expected.as_slice());
    wrong.map(|((time, key), (expected, found))| Difference { time, key, expected, found }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_wrong_twice_or_too_much_differs_and_nothing_else() {
        let figure = |key: &str, value| (String::from("t"), key.to_owned(), value);
        let expected = vec![figure("right", 1), figure("missing", 1), figure("wrong", 1), figure("twice", 1)];
        let found = vec![
            figure("right", 1),
            figure("wrong", 2),
            figure("twice", 1),
            figure("twice", 1),
            figure("more", 9),
        ];
        let keys: Vec<_> = differences(expected, found).into_iter().map(|it| (it.key, it.found)).collect();
        let expected = [("missing", vec![]), ("more", vec![9]), ("twice", vec![1, 1]), ("wrong", vec![2])];
        assert_eq!(keys, expected.map(|(key, found)| (key.to_owned(), found)));
    }
}
