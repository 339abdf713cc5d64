//! Windows in a graph: which a program may not have, and what a snapshot must be to be theirs.

use super::{batches, told};
use crate::{
    codec,
    dstream::{
        DStream, OperatorKind, SharedBuilder,
        testing::{INTERVAL, Trial, input},
    },
    error::GraphError,
    ids::{Interval, OperatorId},
};

type Pairs = DStream<(String, i64)>;

fn error(build: impl FnOnce(Pairs)) -> Option<GraphError> {
    let builder = SharedBuilder::new(INTERVAL);
    build(input(&builder).0);
    builder.lock().error()
}

#[test]
fn a_window_or_slide_that_is_no_multiple_is_an_error_of_every_operator() {
    let whole = batches(3);
    let (add, take_off) = (|a: i64, b: i64| a + b, |a: i64, b: i64| a - b);
    for part in [Interval::from_secs(1), Interval::from_secs(7)] {
        for (what, window, slide) in [("window", part, whole), ("slide", whole, part)] {
            let told =
                |operator| Some(GraphError::NoMultiple { operator, what, value: part, parent: INTERVAL });
            let errors = [
                error(|pairs| drop(pairs.window(window, slide))),
                error(|pairs| drop(pairs.map(|(_, value)| value).reduce_by_window(add, window, slide))),
                error(|pairs| drop(pairs.count_by_window(window, slide))),
                error(|pairs| drop(pairs.reduce_by_key_and_window(add, window, slide))),
                error(|pairs| drop(pairs.reduce_by_key_and_window_inverse(add, take_off, window, slide))),
                error(|pairs| drop(pairs.count_by_value_and_window(window, slide))),
                error(|pairs| drop(pairs.group_by_key_and_window(window, slide))),
            ];
            use OperatorKind::*;
            let kinds = [
                Window,
                ReduceByWindow,
                ReduceByWindow,
                ReduceByKeyAndWindow,
                ReduceByKeyAndWindow,
                ReduceByKeyAndWindow,
                GroupByKeyAndWindow,
            ];
            assert_eq!(errors, kinds.map(told));
        }
    }
}

#[test]
fn a_window_over_windows_must_fit_their_slide() {
    let windows = |pairs: Pairs| pairs.window(batches(4), batches(2));
    assert_eq!(error(|pairs| drop(windows(pairs).window(batches(4), batches(4)))), None);
    let three = batches(3);
    let expected = GraphError::NoMultiple {
        operator: OperatorKind::Window,
        what: "window",
        value: three,
        parent: batches(2),
    };
    assert_eq!(error(|pairs| drop(windows(pairs).trailing_window(three))), Some(expected));
}

#[test]
fn a_snapshot_of_something_else_is_refused() {
    let pairs = || Trial::new(|stream: Pairs| stream.window(batches(2), batches(1)));
    let by_inverse = || {
        Trial::new(|stream: Pairs| {
            stream.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, batches(3), batches(1))
        })
    };
    let node = OperatorId(1);
    assert!(pairs().restore(&[(node, vec![1, 2, 3])]).is_err());
    assert!(by_inverse().restore(&[(node, codec::encode(&9u8))]).is_err());

    let trial = pairs();
    told(&[&[("a", 1)], &[("b", 2)]]).into_iter().for_each(|input| drop(trial.run(input)));
    let mut snapshot = trial.freeze();
    snapshot.swap(0, 1);
    assert!(pairs().restore(&snapshot).is_err_and(|error| error.contains("out of order")));

    let trial = by_inverse();
    told(&[&[("a", 1)], &[("b", 2)]]).into_iter().for_each(|input| drop(trial.run(input)));
    let snapshot = trial.freeze();
    assert!(by_inverse().restore(&snapshot[1..]).is_err_and(|error| error.contains("not of its batches")));
    assert_eq!(by_inverse().restore(&snapshot), Ok(()));
}
