use super::{State, StateSpec};
use crate::{
    dstream::{
        DStream,
        in_line::trial::{
            Input, Output, Record, Trial, batches, each_window, number, random, random_of_many_keys, records,
            run_of_table, run_through, sorted, told,
        },
    },
    ids::BatchTime,
    state::looks,
};
use std::collections::BTreeMap;

type Pairs = DStream<Record>;
/// In which batch, which key, with which value if any, what the state was.
type Call = (u64, String, Option<i64>, Option<i64>);
/// What most functions of this file are, so that the operator is compiled for one of them.
type Function = fn(BatchTime, &String, Option<i64>, &mut State<i64>) -> Option<Call>;

fn record(key: &str, value: i64) -> Record {
    (key.to_owned(), value)
}

/// What the function does with a value and a state: `None` leaves the state alone, `Some(None)` removes it.
fn change(value: i64, state: Option<i64>) -> Option<Option<i64>> {
    match value {
        ..=-2 => Some(None),
        -1..=0 => None,
        _ => Some(Some(state.unwrap_or(0) + value)),
    }
}

const TELL: Function = |time, key, value, state| {
    let before = state.get_option().copied();
    match value.and_then(|value| change(value, before)) {
        None => {}
        Some(None) => state.remove(),
        Some(Some(after)) => state.update(after),
    }
    assert_eq!(state.is_timing_out(), value.is_none());
    Some((number(time), key.clone(), value, before))
};

/// A time-out of so many batches.
fn spec(timeout: Option<u64>) -> StateSpec<String, i64, i64, Call> {
    let initial = [record("a", 100), record("old", 1), record("a", 200)];
    let spec = StateSpec::function(TELL).initial_state(initial);
    match timeout {
        Some(count) => spec.timeout(batches(count)),
        None => spec,
    }
}

/// A stream that has a batch in so many intervals.
fn slower(records: Pairs, slide: u64) -> Pairs {
    if slide == 1 { records } else { records.window(batches(slide), batches(slide)) }
}

fn calls(slide: u64, timeout: Option<u64>) -> impl Fn(Pairs) -> DStream<Call> {
    move |records| slower(records, slide).map_with_state(spec(timeout)).mapped()
}

fn states(slide: u64, timeout: Option<u64>) -> impl Fn(Pairs) -> Pairs {
    move |records| slower(records, slide).map_with_state(spec(timeout)).state_snapshots()
}

/// What the calls and the states are, as plainly as can be: a look at every key in every batch.
fn plain(inputs: &[Input<Record>], slide: u64, timeout: Option<u64>) -> (Output<Call>, Output<Record>) {
    let mut states: BTreeMap<String, (i64, u64)> = BTreeMap::new();
    states.extend([("a".to_owned(), (200, slide)), ("old".to_owned(), (1, slide))]);
    let mut snapshots = Output::new();
    let batches = each_window(inputs, (slide, slide), records);
    let calls = |(now, records): (u64, Vec<Record>)| {
        let mut of_batch = Vec::new();
        for (key, value) in records {
            let before = states.get(&key).map(|(state, _)| *state);
            of_batch.push((now, key.clone(), Some(value), before));
            match change(value, before).unwrap_or(before) {
                Some(after) => _ = states.insert(key, (after, now)),
                None => _ = states.remove(&key),
            }
        }
        if let Some(timeout) = timeout {
            states.retain(|key, (state, touched)| {
                let is_kept = *touched + timeout >= now;
                if !is_kept {
                    of_batch.push((now, key.clone(), None, Some(*state)));
                }
                is_kept
            });
        }
        let all = states.iter().map(|(key, (state, _))| (key.clone(), *state)).collect();
        snapshots.push((now, all));
        (now, of_batch)
    };
    (batches.into_iter().map(calls).collect(), snapshots)
}

/// Calls of one key stay in their order.
fn by_key(mut calls: Output<Call>) -> Output<Call> {
    let sort = |(_, of_batch): &mut (u64, Vec<Call>)| of_batch.sort_by(|one, other| one.1.cmp(&other.1));
    calls.iter_mut().for_each(sort);
    calls
}

#[test]
fn calls_and_states_are_the_plain_ones_whatever_the_partitions_the_slide_and_the_timeout() {
    for (seed, slide, timeout) in
        [(1, 1, None), (2, 1, Some(2)), (3, 1, Some(5)), (4, 3, Some(4)), (5, 2, Some(1))]
    {
        let inputs = random_of_many_keys(seed, 60);
        let (expected_calls, expected_states) = plain(&inputs, slide, timeout);
        assert_eq!(
            by_key(run_through(&inputs, calls(slide, timeout))),
            by_key(expected_calls),
            "seed {seed}"
        );
        assert_eq!(sorted(run_through(&inputs, states(slide, timeout))), expected_states, "seed {seed}");
    }
}

#[test]
fn a_state_that_was_restored_after_any_batch_goes_on_in_the_same_order() {
    for (seed, slide, timeout) in [(6, 1, None), (7, 1, Some(3)), (8, 3, Some(4))] {
        for inputs in [random(seed), random_of_many_keys(seed, 12)] {
            let (expected_calls, expected_states) = plain(&inputs, slide, timeout);
            let made = run_of_table(&inputs, calls(slide, timeout));
            assert_eq!(by_key(made), by_key(expected_calls), "seed {seed}");
            assert_eq!(sorted(run_of_table(&inputs, states(slide, timeout))), expected_states, "seed {seed}");
        }
    }
}

/// What Spark 3.5 says, with its state checkpointed in every batch.
#[test]
fn a_key_times_out_in_the_first_batch_in_which_it_was_idle_for_longer() {
    let inputs = told(&[
        &[("b", 1), ("f", 3), ("b", 0), ("d", 8), ("f", 1), ("c", 15)],
        &[("d", 4), ("e", 5), ("d", 11)],
        &[("c", 9), ("a", 5)],
        &[("e", 3), ("c", 3), ("e", 10)],
        &[("c", 5), ("d", 4), ("c", 3)],
        &[],
        &[],
        &[],
        &[],
        &[],
        &[],
        &[],
    ]);
    let sum: Function = |time, key, value, state| match value {
        Some(value) => {
            state.update(state.get_option().map_or(value, |sum| sum + value));
            None
        }
        None => Some((number(time), key.clone(), None, Some(*state.get()))),
    };
    let timed_out =
        |records: Pairs| records.map_with_state(StateSpec::function(sum).timeout(batches(3))).mapped();
    let told: Vec<Call> =
        sorted(run_of_table(&inputs, timed_out)).into_iter().flat_map(|(_, calls)| calls).collect();
    let expected = [(5, "b", 1), (5, "f", 4), (7, "a", 5), (8, "e", 18), (9, "c", 35), (9, "d", 27)];
    assert_eq!(told, expected.map(|(number, key, sum)| (number, key.to_owned(), None, Some(sum))));
}

#[test]
fn a_record_keeps_its_key_from_timing_out_even_if_the_function_does_nothing() {
    let inputs = told(&[&[("k", 5)], &[], &[], &[("k", 0)], &[], &[], &[], &[], &[], &[], &[], &[]]);
    let ends = |timeout| {
        let output = run_of_table(&inputs, calls(1, Some(timeout)));
        let of_key = output.into_iter().flat_map(|(_, calls)| calls);
        let ends = of_key.filter(|(_, key, value, _)| key == "k" && value.is_none());
        ends.map(|(number, ..)| number).collect::<Vec<_>>()
    };
    assert_eq!(ends(2), [7], "its record comes in the batch in which it would have timed out");
    assert_eq!(ends(1), [3], "without a state there is nothing to keep");
}

#[test]
fn a_batch_costs_the_keys_that_came_however_many_are_kept() {
    const BATCHES: u64 = 600;
    const RECORDS: u64 = 40;
    for (keys, timeout) in
        [(1_000, None), (100_000, None), (1_000, Some(700)), (10_000, Some(700)), (100_000, Some(700))]
    {
        let trial = Trial::new(|records: Pairs| {
            let spec = StateSpec::function(TELL).initial_state((0..keys).map(|key| (format!("k{key}"), 1)));
            records
                .map_with_state(match timeout {
                    Some(count) => spec.timeout(batches(count)),
                    None => spec,
                })
                .mapped()
        });
        let before = looks();
        trial.run((1, Vec::new()));
        assert!(looks() - before >= keys, "the first batch puts them in, and that is seen: {keys} keys");
        let before = looks();
        for number in 2..2 + BATCHES {
            let key = |record| format!("k{}", (number * RECORDS + record) * 7_919 % keys);
            trial.run((number, vec![(0..RECORDS).map(|record| (key(record), 1)).collect()]));
        }
        // Some for each record: its key is found, its state taken and put back. And where states time out, one for each note of a
        // record, when those that do not hold any more are cleared away.
        let for_each_record = (looks() - before) / (BATCHES * RECORDS);
        assert!(
            (1..=6).contains(&for_each_record),
            "{for_each_record} for each record of {keys} keys, {timeout:?}"
        );
    }
}

#[test]
fn one_record_after_another_sees_what_the_one_before_has_left() {
    let inputs = told(&[&[("x", 1), ("x", -5), ("x", 0), ("x", 4), ("x", 2)]]);
    let output = run_of_table(&inputs, calls(1, None));
    let states: Vec<_> = output[0].1.iter().map(|(.., state)| *state).collect();
    assert_eq!(states, [None, Some(1), None, None, Some(4)]);
}

#[test]
fn the_last_of_two_initial_states_counts_and_they_time_out_from_the_first_batch_on() {
    let empty: [&[(&str, i64)]; 8] = [&[]; 8];
    let output = sorted(run_of_table(&told(&empty), calls(2, Some(3))));
    let told: Vec<Call> = output.into_iter().flat_map(|(_, calls)| calls).collect();
    let end = |key: &str, state| (6, key.to_owned(), None, Some(state));
    assert_eq!(told, [end("a", 200), end("old", 1)]);
}

#[test]
fn a_function_of_the_short_form_maps_every_record() {
    let output = run_of_table(&told(&[&[("a", 1)], &[("a", 2), ("a", 3)]]), |records: Pairs| {
        let sum = |key: &String, value: Option<i64>, sum: &mut State<i64>| {
            sum.update(sum.get_option().unwrap_or(&0) + value.expect("nothing times out"));
            (key.clone(), *sum.get())
        };
        records.map_with_state(StateSpec::mapping(sum)).mapped()
    });
    assert_eq!(output, [(1, vec![record("a", 1)]), (2, vec![record("a", 3), record("a", 6)])]);
}
