use crate::dstream::{
    DStream,
    in_line::trial::{
        Input, Output, Record, batches, each_window, random, random_of_many_keys, records, run_of_table,
        run_through, sorted, told,
    },
};
use std::collections::BTreeMap;

type Pairs = DStream<Record>;
type Update = fn(Vec<i64>, Option<i64>) -> Option<i64>;

fn record(key: &str, value: i64) -> Record {
    (key.to_owned(), value)
}

/// Forgets a key whose sum is a multiple of seven.
const SUMS: Update =
    |values, sum| Some(sum.unwrap_or(0) + values.iter().sum::<i64>()).filter(|sum| sum % 7 != 0);

/// Forgets a key that does not come.
const SUMS_WHILE_THEY_COME: Update =
    |values, sum| (!values.is_empty()).then(|| sum.unwrap_or(0) + values.iter().sum::<i64>());

/// The sums of a stream that has a batch in so many intervals.
fn keep_sums(slide: u64) -> impl Fn(Pairs) -> Pairs {
    move |records| {
        let slower = if slide == 1 { records } else { records.window(batches(slide), batches(slide)) };
        slower.update_state_by_key(SUMS)
    }
}

/// What the states are, as plainly as can be.
fn plain_sums(inputs: &[Input<Record>], slide: u64) -> Output<Record> {
    let mut states: BTreeMap<String, i64> = BTreeMap::new();
    each_window(inputs, (slide, slide), |inside| {
        let mut values: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (key, value) in records(inside) {
            values.entry(key).or_default().push(value);
        }
        let keys: Vec<String> = states.keys().chain(values.keys()).cloned().collect();
        let mut next = BTreeMap::new();
        for key in keys {
            let of_key = values.get(&key).cloned().unwrap_or_default();
            if let Some(sum) = SUMS(of_key, states.get(&key).copied()) {
                next.insert(key, sum);
            }
        }
        states = next;
        states.clone().into_iter().collect()
    })
}

#[test]
fn the_states_are_the_fold_of_all_batches_whatever_the_partitions_and_the_slide() {
    for (seed, slide) in [(1, 1), (2, 1), (3, 3)] {
        let inputs = random_of_many_keys(seed, 40);
        let output = run_through(&inputs, keep_sums(slide));
        assert_eq!(sorted(output), plain_sums(&inputs, slide), "seed {seed}");
    }
}

#[test]
fn a_state_that_was_restored_after_any_batch_goes_on_in_the_same_order() {
    for (seed, slide) in [(4, 1), (5, 3)] {
        for inputs in [random(seed), random_of_many_keys(seed, 12)] {
            let output = run_of_table(&inputs, keep_sums(slide));
            assert_eq!(sorted(output), plain_sums(&inputs, slide), "seed {seed}");
        }
    }
}

#[test]
fn a_key_gets_its_values_in_the_order_in_which_they_came() {
    let inputs = told(&[&[("a", 1), ("b", 2), ("a", 3)], &[("a", 4), ("a", 5)]]);
    let all = |values: Vec<i64>, state: Option<Vec<i64>>| Some([state.unwrap_or_default(), values].concat());
    let output = sorted(run_of_table(&inputs, |records: Pairs| records.update_state_by_key(all)));
    assert_eq!(output[1].1, [("a".to_owned(), vec![1, 3, 4, 5]), ("b".to_owned(), vec![2])]);
}

#[test]
fn a_key_that_comes_back_has_no_state() {
    let inputs = told(&[&[("a", 1)], &[], &[("a", 5)]]);
    let output = run_of_table(&inputs, |records| records.update_state_by_key(SUMS_WHILE_THEY_COME));
    assert_eq!(output, [(1, vec![record("a", 1)]), (2, vec![]), (3, vec![record("a", 5)])]);
}

#[test]
fn the_function_sees_an_initial_state_in_the_first_batch_and_the_first_of_two_for_a_key() {
    let output = run_of_table(&told(&[&[("a", 1)], &[]]), |records| {
        let initial = [record("a", 10), record("b", 20), record("a", 30)];
        let count: Update = |values, sum| Some(sum.unwrap_or(0) + values.len() as i64 + 100);
        records.update_state_by_key_with_initial_state(initial, count)
    });
    let output = sorted(output);
    assert_eq!(output[0].1, [record("a", 111), record("b", 120)]);
    assert_eq!(output[1].1, [record("a", 211), record("b", 220)]);
}

/// Also where no key is left, and before the first batch of a slower stream.
#[test]
fn an_initial_state_is_not_put_in_again_after_a_restart() {
    for slide in [1, 2] {
        let inputs = told(&[&[("a", 1)], &[], &[("b", 2)], &[], &[], &[]]);
        let output = run_of_table(&inputs, |records| {
            let records = records.window(batches(slide), batches(slide));
            let initial = [record("a", 1000), record("d", 7)];
            records.update_state_by_key_with_initial_state(initial, SUMS_WHILE_THEY_COME)
        });
        assert_eq!(output[0], (slide, vec![record("a", 1001)]));
        assert_eq!(output.last(), Some(&(6, vec![])));
    }
}
