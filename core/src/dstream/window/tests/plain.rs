//! Windows that are a function of what is in them.

use super::{SPANS, batches, each_window, grouped, random, records};
use crate::dstream::testing::{Trial, run};

#[test]
fn a_window_holds_what_came_in_it_in_its_order() {
    for (seed, (window, slide)) in (0..).zip(SPANS.repeat(3)) {
        let inputs = random(seed);
        let windows = run(&inputs, |stream| stream.window(batches(window), batches(slide)));
        assert_eq!(windows, each_window(&inputs, (window, slide), records), "{window} every {slide}");
    }
}

#[test]
fn a_trailing_window_slides_with_every_batch() {
    let inputs = random(1);
    let windows = run(&inputs, |stream| stream.trailing_window(batches(4)));
    assert_eq!(windows, each_window(&inputs, (4, 1), records));
}

#[test]
fn a_window_has_the_partitions_of_its_batches() {
    let inputs = random(2);
    let counts = run(&inputs, |stream| {
        stream.window(batches(5), batches(2)).part(|rdd| {
            let count = rdd.num_partitions();
            rdd.map(move |_| count)
        })
    });
    let expected = each_window(&inputs, (5, 2), |inside| {
        let count = inside.iter().map(|partitions| partitions.len()).sum::<usize>();
        vec![count; records(inside).len()]
    });
    assert_eq!(counts, expected);
}

#[test]
fn a_window_over_windows_takes_each_of_them_at_its_time() {
    for (seed, (first, second)) in
        (0..).zip([((2, 1), (4, 2)), ((3, 2), (4, 2)), ((3, 2), (8, 4)), ((5, 2), (4, 6)), ((2, 3), (9, 3))])
    {
        let inputs = random(seed);
        let windows = run(&inputs, |stream| {
            let inner = stream.window(batches(first.0), batches(first.1));
            assert_eq!(inner.slide(), batches(first.1));
            inner.window(batches(second.0), batches(second.1))
        });
        let inner = each_window(&inputs, first, records);
        let inner: Vec<_> = inner.into_iter().map(|(number, records)| (number, vec![records])).collect();
        assert_eq!(windows, each_window(&inner, second, records), "{first:?}, then {second:?}");
    }
}

#[test]
fn a_windows_keys_are_reduced_in_the_order_in_which_values_came() {
    for (seed, (window, slide)) in (0..).zip(SPANS.repeat(3)) {
        let inputs = random(seed);
        let windows = run(&inputs, |stream| {
            let texts = stream.map(|(key, value)| (key, value.to_string()));
            texts.reduce_by_key_and_window(|a, b| format!("{a} {b}"), batches(window), batches(slide))
        });
        let expected = each_window(&inputs, (window, slide), |inside| {
            let texts = records(inside).into_iter().map(|(key, value)| (key, value.to_string()));
            let groups = grouped(texts.collect());
            groups.into_iter().map(|(key, values)| (key, values.join(" "))).collect::<Vec<_>>()
        });
        assert_eq!(windows, expected, "{window} every {slide}");
    }
}

#[test]
fn a_windows_keys_are_grouped_in_the_order_in_which_values_came() {
    for (seed, (window, slide)) in (0..).zip(SPANS) {
        let inputs = random(seed);
        let windows = run(&inputs, |stream| stream.group_by_key_and_window(batches(window), batches(slide)));
        let expected = each_window(&inputs, (window, slide), |inside| grouped(records(inside)));
        assert_eq!(windows, expected, "{window} every {slide}");
    }
}

#[test]
fn a_window_is_reduced_to_one_record_or_to_nothing() {
    for (seed, (window, slide)) in (0..).zip(SPANS) {
        let inputs = random(seed);
        let windows = run(&inputs, |stream| {
            let texts = stream.map(|(_, value)| value.to_string());
            texts.reduce_by_window(|a, b| format!("{a} {b}"), batches(window), batches(slide))
        });
        let expected = each_window(&inputs, (window, slide), |inside| {
            let texts: Vec<_> = records(inside).into_iter().map(|(_, value)| value.to_string()).collect();
            (!texts.is_empty()).then(|| texts.join(" ")).into_iter().collect::<Vec<_>>()
        });
        assert_eq!(windows, expected, "{window} every {slide}");
    }
}

#[test]
fn a_batch_that_no_window_will_cover_is_not_kept() {
    for (window, slide) in SPANS {
        let trial = Trial::new(|stream| stream.window(batches(window), batches(slide)));
        for number in 1..=60 {
            trial.run((number, vec![vec![("a".to_owned(), 1)]]));
            let next = number.next_multiple_of(slide);
            // What the window after this batch will hold, as far as it is there.
            let needed = (1..=number).filter(|kept| kept + window > next).count() as u64;
            let kept = trial.freeze().len() as u64;
            let window_now = (1..=number).filter(|kept| kept + window > number).count() as u64;
            assert!((needed..=window_now).contains(&kept), "{window} every {slide} at {number}: {kept}");
        }
    }
}
