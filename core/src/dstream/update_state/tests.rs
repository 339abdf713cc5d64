use crate::dstream::{
    DStream,
    testbed::{Bed, Output, random_batches, sorted},
};
use std::collections::BTreeMap;

fn record(key: &str, value: i64) -> (String, i64) {
    (key.to_owned(), value)
}

/// Forgets a key whose sum is a multiple of seven.
fn sums(values: &[i64], sum: Option<i64>) -> Option<i64> {
    Some(sum.unwrap_or(0) + values.iter().sum::<i64>()).filter(|sum| sum % 7 != 0)
}

fn keep_sums(records: DStream<(String, i64)>) -> DStream<(String, i64)> {
    records.update_state_by_key(|values, sum| sums(&values, sum))
}

/// What the states are, as plainly as can be.
fn plain_sums(bed: &Bed<(String, i64)>) -> Output<(String, i64)> {
    let mut states: BTreeMap<String, i64> = BTreeMap::new();
    let mut output = Output::new();
    for second in (bed.slide..=bed.until).step_by(bed.slide as usize) {
        let empty = Vec::new();
        let batch = bed.batches.get((second / bed.slide) as usize - 1).unwrap_or(&empty);
        let mut values: BTreeMap<&String, Vec<i64>> = BTreeMap::new();
        batch.iter().for_each(|(key, value)| values.entry(key).or_default().push(*value));
        let keys: Vec<String> = states.keys().chain(values.keys().copied()).cloned().collect();
        let mut next = BTreeMap::new();
        for key in keys {
            let of_key = values.get(&key).map_or(&[][..], Vec::as_slice);
            if let Some(sum) = sums(of_key, states.get(&key).copied()) {
                next.insert(key, sum);
            }
        }
        states = next;
        output.insert(second, states.clone().into_iter().collect());
    }
    output
}

#[test]
fn the_states_are_the_fold_of_all_batches_whatever_the_partitions_and_the_slide() {
    for (seed, slide, partitions) in [(1, 1, 1), (2, 1, 3), (3, 3, 2)] {
        let batches = random_batches(seed, 40);
        let bed = Bed { slide, partitions, until: 45 * slide, ..Bed::new(batches) };
        assert_eq!(sorted(&bed.run(keep_sums)), plain_sums(&bed), "seed {seed}");
    }
}

#[test]
fn a_state_that_was_restored_after_any_batch_goes_on_in_the_same_order() {
    for (seed, slide) in [(4, 1), (5, 3)] {
        let bed = Bed { slide, until: 20 * slide, ..Bed::new(random_batches(seed, 16)) };
        let expected = bed.run(keep_sums);
        for restart in 1..=bed.until {
            assert_eq!(bed.run_with_restarts(keep_sums, |second| second == restart), expected, "{restart}");
        }
        assert_eq!(bed.run_with_restarts(keep_sums, |_| true), expected);
    }
}

#[test]
fn a_key_gets_its_values_in_the_order_in_which_they_came() {
    let batches =
        vec![vec![record("a", 1), record("b", 2), record("a", 3)], vec![record("a", 4), record("a", 5)]];
    let all = |values: Vec<i64>, state: Option<Vec<i64>>| Some([state.unwrap_or_default(), values].concat());
    let bed = Bed { until: 2, ..Bed::new(batches) };
    let output = sorted(&bed.run(|records| records.update_state_by_key(all)));
    assert_eq!(output[&2], [("a".to_owned(), vec![1, 3, 4, 5]), ("b".to_owned(), vec![2])]);
}

#[test]
fn a_key_that_comes_back_has_no_state() {
    let batches = vec![vec![record("a", 1)], vec![], vec![record("a", 5)]];
    let keep_while_it_comes = |values: Vec<i64>, sum: Option<i64>| {
        (!values.is_empty()).then(|| sum.unwrap_or(0) + values.iter().sum::<i64>())
    };
    let bed = Bed { until: 3, ..Bed::new(batches) };
    let output = bed.run(|records| records.update_state_by_key(keep_while_it_comes));
    assert_eq!(output, [(1, vec![record("a", 1)]), (2, vec![]), (3, vec![record("a", 5)])].into());
}

#[test]
fn the_function_sees_an_initial_state_in_the_first_batch_and_the_first_of_two_for_a_key() {
    let bed = Bed { until: 2, ..Bed::new(vec![vec![record("a", 1)], vec![]]) };
    let output = bed.run(|records| {
        let initial = [record("a", 10), record("b", 20), record("a", 30)];
        let count = |values: Vec<i64>, sum: Option<i64>| Some(sum.unwrap_or(0) + values.len() as i64 + 100);
        records.update_state_by_key_with_initial_state(initial, count)
    });
    assert_eq!(sorted(&output)[&1], [record("a", 111), record("b", 120)]);
    assert_eq!(sorted(&output)[&2], [record("a", 211), record("b", 220)]);
}

#[test]
fn an_initial_state_is_not_put_in_again_after_a_restart() {
    let batches = vec![vec![record("a", 1)], vec![record("b", 2)], vec![record("c", 3)]];
    let make = |records: DStream<(String, i64)>| {
        let initial = [record("a", 1000), record("d", 7)];
        // Forgets everything that does not come.
        let update = |values: Vec<i64>, sum: Option<i64>| {
            (!values.is_empty()).then(|| sum.unwrap_or(0) + values.iter().sum::<i64>())
        };
        records.update_state_by_key_with_initial_state(initial, update)
    };
    let bed = Bed { slide: 2, until: 12, ..Bed::new(batches) };
    let expected = bed.run(make);
    assert_eq!(expected[&2], [record("a", 1001)]);
    // After batch 1, before the first of its slide, after batch 8, when no key is left.
    for restart in [1, 2, 8] {
        assert_eq!(bed.run_with_restarts(make, |second| second == restart), expected, "{restart}");
    }
}
