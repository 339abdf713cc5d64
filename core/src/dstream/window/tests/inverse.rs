//! Windows by an inverse: equal to Spark's where Spark is right, and to the plain ones where it is not.

use super::{ADD, Pairs, SPANS, TAKE_OFF, by_group, grouped, sums, sums_but_zeros};
use crate::{
    dstream::in_line::{
        Calls, hasher,
        trial::{
            Input, KEYS, Output, Record, Trial, batches, each_window, random, records, run, sorted, told,
        },
    },
    state::KeyHasher,
};
use std::collections::BTreeMap;

/// What the window's keys add up to, without an inverse.
fn plain(inputs: &[Input<Record>], span: (u64, u64)) -> Output<Record> {
    each_window(inputs, span, |inside| {
        grouped(records(inside)).into_iter().map(|(key, values)| (key, values.iter().sum())).collect()
    })
}

fn overlapping() -> Vec<(u64, u64)> {
    SPANS.into_iter().filter(|(window, slide)| slide <= window).collect()
}

/// The sum of a key's values in a batch: those of each partition first.
fn batch_sum(partitions: &[Vec<(String, f64)>], key: &str) -> Option<f64> {
    let of_partition = |records: &Vec<(String, f64)>| {
        records.iter().filter(|(known, _)| known == key).map(|(_, value)| *value).reduce(|a, b| a + b)
    };
    partitions.iter().filter_map(of_partition).reduce(|a, b| a + b)
}

/// Spark's definition, key by key: the sum of the batches that left is taken off, then that of those that came is added.
fn spark(inputs: &[Input<(String, f64)>], window: u64, slide: u64) -> Vec<(u64, Vec<(String, f64)>)> {
    let mut sums: BTreeMap<String, f64> = BTreeMap::new();
    let mut order: Vec<String> = Vec::new();
    let (mut before, mut windows) = (0, Vec::new());
    for (end, _) in inputs.iter().filter(|(number, _)| number.is_multiple_of(slide)) {
        let inside = |number: u64, end: u64| number <= end && number + window > end;
        let batches_of = |was: bool, is: bool, key: &str| {
            let chosen = inputs
                .iter()
                .filter(|(number, _)| (inside(*number, before), inside(*number, *end)) == (was, is));
            chosen.filter_map(|(_, batch)| batch_sum(batch, key)).reduce(|a, b| a + b)
        };
        for key in KEYS {
            let (left, came) = (batches_of(true, false, key), batches_of(false, true, key));
            let mut sum = sums.get(key).copied();
            sum = sum.map(|sum| left.map_or(sum, |left| sum - left));
            sum = match (sum, came) {
                (Some(sum), Some(came)) => Some(sum + came),
                (sum, came) => sum.or(came),
            };
            sum.map(|sum| sums.insert(key.to_owned(), sum));
        }
        let new = inputs.iter().filter(|(number, _)| inside(*number, *end) && !inside(*number, before));
        for (key, _) in new.flat_map(|(_, partitions)| partitions.iter().flatten()) {
            if !order.contains(key) {
                order.push(key.clone());
            }
        }
        let pairs = order.iter().map(|key| (key.clone(), sums[key]));
        windows.push((*end, by_group(pairs.collect())));
        before = *end;
    }
    windows
}

#[test]
fn sums_of_floating_point_numbers_are_sparks_to_the_last_bit() {
    let bits = |windows: Vec<(u64, Vec<(String, f64)>)>| -> Vec<(u64, Vec<(String, u64)>)> {
        let bits = |(key, sum): (String, f64)| (key, sum.to_bits());
        windows.into_iter().map(|(end, pairs)| (end, pairs.into_iter().map(bits).collect())).collect()
    };
    let mut inexact = 0;
    for (seed, (window, slide)) in (0..).zip(overlapping().repeat(4)) {
        let value =
            |(key, value): &(String, i64)| (key.clone(), *value as f64 * 0.1 + 1e9 * (value % 2) as f64);
        let inputs: Vec<Input<(String, f64)>> = random(seed)
            .iter()
            .map(|(number, partitions)| {
                (*number, partitions.iter().map(|records| records.iter().map(value).collect()).collect())
            })
            .collect();
        let windows = run(&inputs, |stream| {
            let (window, slide) = (batches(window), batches(slide));
            stream.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, window, slide)
        });
        inexact += windows
            .iter()
            .flat_map(|(_, pairs)| pairs)
            .filter(|(_, sum)| *sum != 0.0 && sum.abs() < 1e-3)
            .count();
        assert_eq!(bits(windows), bits(spark(&inputs, window, slide)), "{window} every {slide}");
    }
    assert!(inexact > 10, "{inexact} sums that rounding has left near zero");
}

#[test]
fn with_a_filter_sums_that_cancel_come_back_when_they_do_not() {
    for (seed, (window, slide)) in (0..).zip(SPANS.repeat(4)) {
        let inputs = random(seed);
        let windows = run(&inputs, |stream| sums_but_zeros(stream, window, slide));
        let expected = plain(&inputs, (window, slide));
        let not_zero = |pairs: Vec<(String, i64)>| pairs.into_iter().filter(|(_, sum)| *sum != 0).collect();
        let expected: Vec<_> = expected.into_iter().map(|(end, pairs)| (end, not_zero(pairs))).collect();
        assert_eq!(sorted(windows), sorted(expected), "{window} every {slide}");
    }
}

#[test]
fn windows_that_lie_apart_are_the_plain_ones() {
    for seed in 0..5 {
        let inputs = random(seed);
        for (window, slide) in [(2, 3), (1, 5), (3, 7)] {
            let windows = run(&inputs, |stream| sums(stream, window, slide));
            assert_eq!(windows, plain(&inputs, (window, slide)), "{window} every {slide}");
        }
    }
}

#[test]
fn a_key_stays_at_its_neutral_value_and_a_filter_forgets_it() {
    let inputs = told(&[&[("a", 1)], &[("b", 2)], &[], &[], &[], &[("a", 5)], &[]]);
    let at = |windows: &[(u64, Vec<(String, i64)>)], number: u64| -> Vec<(String, i64)> {
        let mut pairs = windows[number as usize - 1].1.clone();
        pairs.sort();
        pairs
    };
    let pairs = |pairs: &[(&str, i64)]| -> Vec<(String, i64)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect()
    };
    let windows = run(&inputs, |stream| sums(stream, 2, 1));
    assert_eq!(at(&windows, 2), pairs(&[("a", 1), ("b", 2)]));
    assert_eq!(at(&windows, 5), pairs(&[("a", 0), ("b", 0)]));
    assert_eq!(at(&windows, 7), pairs(&[("a", 5), ("b", 0)]));
    let windows = run(&inputs, |stream| sums_but_zeros(stream, 2, 1));
    assert_eq!(at(&windows, 5), []);
    assert_eq!(at(&windows, 7), pairs(&[("a", 5)]));
}

#[test]
fn nothing_is_kept_of_a_key_that_is_forgotten() {
    let trial = Trial::new(|stream| sums_but_zeros(stream, 2, 1));
    let empty = trial.freeze().len();
    for input in told(&[&[("a", 1), ("b", 2), ("c", -2)], &[], &[]]) {
        trial.run(input);
    }
    assert_eq!((empty, trial.freeze().len()), (0, 0));
}

#[test]
fn a_forgotten_key_that_comes_again_comes_last_in_its_group() {
    // All keys of one group.
    let group = |key: &String| KeyHasher::group(hasher().hash(key));
    let all = || (0..).map(|number| format!("k{number}"));
    let first = group(&all().next().expect("the first"));
    let keys: Vec<String> = all().filter(|key| group(key) == first).take(3).collect();
    let [one, two, three] = [0, 1, 2].map(|key: usize| (keys[key].as_str(), 1));
    let batches: [&[_]; 5] = [&[one, two, three], &[two, three], &[two, three], &[one, three], &[two]];
    let windows = run(&told(&batches), |stream| sums_but_zeros(stream, 2, 1));
    let order = |number: usize| windows[number - 1].1.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>();
    assert_eq!(order(1), keys);
    assert_eq!(order(3), keys[1..]);
    assert_eq!(order(5), [two.0, three.0, one.0]);
}

#[test]
fn one_value_is_kept_up_to_date_by_its_inverse() {
    for (seed, (window, slide)) in (0..).zip(overlapping()) {
        let inputs = random(seed);
        let windows = run(&inputs, |stream| {
            let values = stream.map(|(_, value)| value);
            values.reduce_by_window_inverse(ADD, TAKE_OFF, batches(window), batches(slide))
        });
        let mut any = false;
        let expected = each_window(&inputs, (window, slide), |inside| {
            (!records(inside).is_empty(), records(inside).iter().map(|(_, value)| value).sum::<i64>())
        });
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(end, (some, sum))| {
                any |= some;
                (end, any.then_some(sum).into_iter().collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(windows, expected, "{window} every {slide}");
    }
}

#[test]
fn a_count_is_nothing_before_the_first_record_and_zero_when_there_are_none() {
    let inputs = told(&[&[], &[("a", 1), ("b", 1)], &[("a", 1)], &[], &[], &[]]);
    let counts = run(&inputs, |stream| stream.count_by_window(batches(2), batches(1)));
    let counts: Vec<_> = counts.into_iter().map(|(_, count)| count).collect();
    assert_eq!(counts, [vec![], vec![2], vec![3], vec![1], vec![0], vec![0]]);
}

#[test]
fn values_are_counted_while_they_are_in_the_window() {
    for (seed, (window, slide)) in (0..).zip(SPANS) {
        let inputs = random(seed);
        let counts = run(&inputs, |stream| {
            stream.map(|(key, _)| key).count_by_value_and_window(batches(window), batches(slide))
        });
        let expected = each_window(&inputs, (window, slide), |inside| {
            let groups = grouped(records(inside));
            groups.into_iter().map(|(key, values)| (key, values.len() as u64)).collect::<Vec<_>>()
        });
        assert_eq!(sorted(counts), sorted(expected), "{window} every {slide}");
    }
}

/// How often the functions are called in a window of so many batches, batch by batch: the inverse, and all.
fn calls_of_each_slide(window: u64, inputs: &[Input<Record>]) -> Vec<(u64, u64)> {
    let (added, taken_off) = (Calls::default(), Calls::default());
    let (add, take_off) = (added.clone(), taken_off.clone());
    let trial = Trial::new(move |stream: Pairs| {
        let (add, take_off) = (add.clone(), take_off.clone());
        let add = move |a, b| {
            add.count();
            a + b
        };
        let take_off = move |a, b| {
            take_off.count();
            a - b
        };
        stream.reduce_by_key_and_window_inverse(add, take_off, batches(window), batches(1))
    });
    let mut before = (0, 0);
    let calls = |input: &Input<Record>| {
        trial.run(input.clone());
        let now = (taken_off.get(), taken_off.get() + added.get());
        let of_slide = (now.0 - before.0, now.1 - before.1);
        before = now;
        of_slide
    };
    inputs.iter().map(calls).collect()
}

#[test]
fn a_slide_costs_what_came_and_what_left_however_long_the_window_is() {
    // Each batch has two records of each of some keys: one call for each key within the batch.
    let keys: Vec<String> = (0..9).map(|key| format!("k{key}")).collect();
    let batch = |number: u64| {
        let of_batch = keys.iter().take(1 + number as usize % 3 * 4);
        (number, vec![of_batch.flat_map(|key| [(key.clone(), 1), (key.clone(), 2)]).collect()])
    };
    let inputs: Vec<Input<Record>> = (1..=400).map(batch).collect();
    let keys_of = |number: u64| 1 + number % 3 * 4;
    for window in [4, 37, 250] {
        let calls = calls_of_each_slide(window, &inputs);
        // From then on all keys are in the window at all times.
        for number in window + 4..=400 {
            let (came, left) = (keys_of(number), keys_of(number - window));
            let expected = (left, came + came + left);
            assert_eq!(calls[number as usize - 1], expected, "batch {number} of windows of {window}");
        }
    }
}
