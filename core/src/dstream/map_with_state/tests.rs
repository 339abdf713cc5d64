use super::{State, StateSpec};
use crate::{
    dstream::{
        DStream,
        testbed::{Bed, Output, random_batches, second, sorted},
    },
    ids::{BatchTime, Interval},
};
use std::collections::BTreeMap;

type Record = (String, i64);
/// When, which key, with which value if any, what the state was.
type Call = (u64, String, Option<i64>, Option<i64>);

fn record(key: &str, value: i64) -> Record {
    (key.to_owned(), value)
}

/// What the function does with a value and a state: `None` leaves the state alone, `Some(None)` removes it.
fn change(value: i64, state: Option<i64>) -> Option<Option<i64>> {
    match value {
        ..=-3 => Some(None),
        -2..=0 => None,
        _ => Some(Some(state.unwrap_or(0) + value)),
    }
}

#[expect(clippy::ptr_arg, reason = "a function of a specification gets a reference to the key as it is")]
fn tell(time: BatchTime, key: &String, value: Option<i64>, state: &mut State<i64>) -> Option<Call> {
    let before = state.get_option().copied();
    match value.and_then(|value| change(value, before)) {
        None => {}
        Some(None) => state.remove(),
        Some(Some(after)) => state.update(after),
    }
    assert_eq!(state.is_timing_out(), value.is_none());
    Some((second(time), key.clone(), value, before))
}

fn spec(timeout: Option<u64>) -> StateSpec<String, i64, i64, Call> {
    let spec =
        StateSpec::function(tell).initial_state([record("k0", 100), record("old", 1), record("k0", 200)]);
    match timeout {
        Some(seconds) => spec.timeout(Interval::from_secs(seconds)),
        None => spec,
    }
}

fn calls(timeout: Option<u64>) -> impl Fn(DStream<Record>) -> DStream<Call> {
    move |records| records.map_with_state(spec(timeout)).mapped()
}

fn states(timeout: Option<u64>) -> impl Fn(DStream<Record>) -> DStream<Record> {
    move |records| records.map_with_state(spec(timeout)).state_snapshots()
}

/// What the calls and the states are, as plainly as can be: a look at every key in every batch.
fn plain(bed: &Bed<Record>, timeout: Option<u64>) -> (Output<Call>, Output<Record>) {
    let mut states: BTreeMap<String, (i64, u64)> = BTreeMap::new();
    states.extend([("k0".to_owned(), (200, bed.slide)), ("old".to_owned(), (1, bed.slide))]);
    let (mut calls, mut snapshots) = (Output::new(), Output::new());
    for second in (bed.slide..=bed.until).step_by(bed.slide as usize) {
        let mut of_batch = Vec::new();
        let empty = Vec::new();
        for (key, value) in bed.batches.get((second / bed.slide) as usize - 1).unwrap_or(&empty) {
            let before = states.get(key).map(|(state, _)| *state);
            of_batch.push((second, key.clone(), Some(*value), before));
            match change(*value, before).unwrap_or(before) {
                Some(after) => _ = states.insert(key.clone(), (after, second)),
                None => _ = states.remove(key),
            }
        }
        if let Some(timeout) = timeout {
            states.retain(|key, (state, touched)| {
                let is_kept = *touched + timeout >= second;
                if !is_kept {
                    of_batch.push((second, key.clone(), None, Some(*state)));
                }
                is_kept
            });
        }
        calls.insert(second, of_batch);
        let all = states.iter().map(|(key, (state, _))| (key.clone(), *state)).collect();
        snapshots.insert(second, all);
    }
    (calls, snapshots)
}

#[test]
fn calls_and_states_are_the_plain_ones_whatever_the_partitions_the_slide_and_the_timeout() {
    for (seed, slide, partitions, timeout) in
        [(1, 1, 1, None), (2, 1, 3, Some(2)), (3, 1, 2, Some(5)), (4, 3, 2, Some(4)), (5, 2, 1, Some(1))]
    {
        let bed = Bed { slide, partitions, until: 65 * slide, ..Bed::new(random_batches(seed, 60)) };
        let (expected_calls, expected_states) = plain(&bed, timeout);
        // Stable: calls of one key stay in their order.
        let mut made = bed.run(calls(timeout));
        let mut expected = expected_calls;
        for of_batch in made.values_mut().chain(expected.values_mut()) {
            of_batch.sort_by(|(_, one, ..), (_, other, ..)| one.cmp(other));
        }
        assert_eq!(made, expected, "seed {seed}");
        assert_eq!(sorted(&bed.run(states(timeout))), expected_states, "seed {seed}");
    }
}

#[test]
fn a_state_that_was_restored_after_any_batch_goes_on_in_the_same_order() {
    for (seed, slide, timeout) in [(6, 1, None), (7, 1, Some(3)), (8, 3, Some(4))] {
        let bed = Bed { slide, until: 20 * slide, ..Bed::new(random_batches(seed, 16)) };
        let (expected_calls, expected_states) = (bed.run(calls(timeout)), bed.run(states(timeout)));
        for restart in 1..=bed.until {
            let is_restart = |second| second == restart;
            assert_eq!(bed.run_with_restarts(calls(timeout), is_restart), expected_calls, "{seed} {restart}");
            assert_eq!(
                bed.run_with_restarts(states(timeout), is_restart),
                expected_states,
                "{seed} {restart}"
            );
        }
        assert_eq!(bed.run_with_restarts(calls(timeout), |_| true), expected_calls, "{seed}");
    }
}

/// What Spark 3.5 says, with its state checkpointed in every batch.
#[test]
fn a_key_times_out_in_the_first_batch_in_which_it_was_idle_for_longer() {
    let batch = |records: &[(&str, i64)]| records.iter().map(|(key, value)| record(key, *value)).collect();
    let batches: Vec<Vec<Record>> = [
        &[("b", 1), ("f", 3), ("b", 0), ("d", 8), ("f", 1), ("c", 15)][..],
        &[("d", 4), ("e", 5), ("d", 11)],
        &[("c", 9), ("a", 5)],
        &[("e", 3), ("c", 3), ("e", 10)],
        &[("c", 5), ("d", 4), ("c", 3)],
    ]
    .map(batch)
    .to_vec();
    let timed_out = |records: DStream<Record>| {
        let told = |time, key: &String, value: Option<i64>, state: &mut State<i64>| match value {
            Some(value) => {
                state.update(state.get_option().map_or(value, |sum| sum + value));
                None
            }
            None => Some((second(time), key.clone(), *state.get())),
        };
        records.map_with_state(StateSpec::function(told).timeout(Interval::from_secs(3))).mapped()
    };
    let bed = Bed { until: 12, ..Bed::new(batches) };
    let told: Vec<_> = sorted(&bed.run(timed_out)).into_values().flatten().collect();
    let expected = [(5, "b", 1), (5, "f", 4), (7, "a", 5), (8, "e", 18), (9, "c", 35), (9, "d", 27)];
    assert_eq!(told, expected.map(|(second, key, sum)| (second, key.to_owned(), sum)));
}

#[test]
fn a_record_keeps_its_key_from_timing_out_even_if_the_function_does_nothing() {
    let batches = vec![vec![record("a", 5)], vec![], vec![], vec![record("a", 0)], vec![]];
    let ends = |timeout| {
        let output = Bed { until: 12, ..Bed::new(batches.clone()) }.run(calls(Some(timeout)));
        let ends = output.into_values().flatten().filter(|(_, key, value, _)| key == "a" && value.is_none());
        ends.map(|(second, ..)| second).collect::<Vec<_>>()
    };
    assert_eq!(ends(2), [7], "its record comes in the batch in which it would have timed out");
    assert_eq!(ends(1), [3], "without a state there is nothing to keep");
}

#[test]
fn one_record_after_another_sees_what_the_one_before_has_left() {
    let batches = vec![vec![record("x", 1), record("x", -5), record("x", 0), record("x", 4), record("x", 2)]];
    let output = Bed { until: 1, ..Bed::new(batches) }.run(calls(None));
    let states: Vec<_> = output[&1].iter().map(|(.., state)| *state).collect();
    assert_eq!(states, [None, Some(1), None, None, Some(4)]);
}

#[test]
fn the_last_of_two_initial_states_counts_and_they_time_out_from_the_first_batch_on() {
    let bed = Bed { slide: 2, until: 8, ..Bed::new(Vec::<Vec<Record>>::new()) };
    let output = sorted(&bed.run(calls(Some(3))));
    let told: Vec<_> = output.into_values().flatten().collect();
    let end = |key: &str, state| (6, key.to_owned(), None, Some(state));
    assert_eq!(told, [end("k0", 200), end("old", 1)]);
}

#[test]
fn a_function_of_the_short_form_maps_every_record() {
    let bed = Bed { until: 2, ..Bed::new(vec![vec![record("a", 1)], vec![record("a", 2), record("a", 3)]]) };
    let output = bed.run(|records| {
        let sum = |key: &String, value: Option<i64>, sum: &mut State<i64>| {
            sum.update(sum.get_option().unwrap_or(&0) + value.expect("nothing times out"));
            (key.clone(), *sum.get())
        };
        records.map_with_state(StateSpec::mapping(sum)).mapped()
    });
    assert_eq!(output, [(1, vec![record("a", 1)]), (2, vec![record("a", 3), record("a", 6)])].into());
}
