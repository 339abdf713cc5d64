//! What a wrong program is told, and when: each recorded case has its counterpart here, which checks Highwater's answer. Where that
//! is another one on purpose, the reason stands beside it, and docs/coming-from-spark.md has the same words.

use super::{
    case::{folder, interval, read},
    wrong_programs::{
        added_after_start, batch_fails, different_contexts, different_slides, directory_after_start,
        empty_directory, map_panics, no_directory, no_multiple, no_output, none_as_a_key,
        short_checkpoint_interval, slice_before_start, start_after_stop, stop_before_start, update_panics,
        updated_to_none,
    },
};
use serde::Deserialize;
use serde_json::Value;
use std::fs;

/// What Spark does in a case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    case: String,
    /// The exception, if there is one; `top` is the one that it is wrapped in.
    raised: Option<String>,
    #[serde(rename = "top")]
    _top: Option<String>,
    /// What came out otherwise.
    #[serde(rename = "value")]
    _value: Option<Value>,
}

/// Does what the case does, checks what comes out, and returns the error, if there is one.
type Counterpart = fn() -> Option<String>;

struct Known {
    case: &'static str,
    counterpart: Counterpart,
    /// Why Highwater's answer is another one.
    difference: Option<&'static str>,
}

const fn same(case: &'static str, counterpart: Counterpart) -> Known {
    Known { case, counterpart, difference: None }
}

const fn other(case: &'static str, counterpart: Counterpart, difference: &'static str) -> Known {
    Known { case, counterpart, difference: Some(difference) }
}

const KNOWN: &[Known] = &[
    same("window duration not a multiple of the batch", || {
        no_multiple(1500, |numbers| numbers.window(interval(1500), interval(1000)))
    }),
    same("reduceByKeyAndWindow inverse: window not a multiple", || {
        no_multiple(2500, |numbers| {
            let pairs = numbers.map(|n| (n, n));
            let (window, slide) = (interval(2500), interval(1000));
            pairs.reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, window, slide)
        })
    }),
    same("window shorter than the batch (500 ms of 1000 ms)", || {
        no_multiple(500, |numbers| numbers.window(interval(500), interval(1000)))
    }),
    other(
        "updateStateByKey, no checkpoint folder",
        || no_directory(|numbers| numbers.map(|n| (n, n)).update_state_by_key(|_, state: Option<i64>| state)),
        "every program needs a checkpoint directory, not only one with a state: received records are kept in it",
    ),
    other(
        "countByWindow, no checkpoint folder",
        || no_directory(|numbers| numbers.count_by_window(interval(2000), interval(1000))),
        "every program needs a checkpoint directory, not only one with a state: received records are kept in it",
    ),
    same("checkpoint interval shorter than the slide", short_checkpoint_interval),
    same("no output operation", no_output),
    other(
        "transformation added after start",
        added_after_start,
        "a call that makes a stream returns the stream, so the error is told by await_termination",
    ),
    same("start after stop", start_after_stop),
    same("stop before start", stop_before_start),
    same("union of streams with different slides", different_slides),
    same("union of streams of two contexts", different_contexts),
    same("slice before start", slice_before_start),
    same("set the checkpoint folder after start", directory_after_start),
    other(
        "map throws in batch 3: outputs of the 6 batches when nobody calls awaitTermination",
        map_panics,
        "a batch that fails ends the driver, whoever waits: no later batch is emitted before it, and the next start runs it again",
    ),
    other(
        "updateStateByKey function throws in batch 3: outputs of the 6 batches",
        update_panics,
        "the same batches are emitted, and the driver ends with the error instead of failing batch after batch",
    ),
    other(
        "closure not serializable without checkpointing",
        || None,
        "functions are not sent anywhere: what they capture must be Send and Sync, which the compiler checks",
    ),
    same("mapWithState: get() of a state that is not set", || {
        batch_fails("State is not set", |_, _, state| *state.get())
    }),
    same("mapWithState: remove() then update()", || {
        batch_fails("Cannot update the state after it has been removed", |_, value, state| {
            state.update(1);
            state.remove();
            state.update(2);
            value.unwrap_or(0)
        })
    }),
    same("mapWithState: update(null)", updated_to_none),
    same("mapWithState: null key in the input", none_as_a_key),
    other(
        "new StreamingContext(path) of a folder without checkpoints",
        empty_directory,
        "there is no constructor that only recovers: get_or_create begins afresh in an empty directory, and fails with \
         NoUsableCheckpoint in one that has data and no checkpoint",
    ),
];

/// Checks every recorded case, and that the document tells of each.
pub fn check_all() {
    let document = folder().join("../../docs/coming-from-spark.md");
    let document = fs::read_to_string(&document).expect("the document is there");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let document = words(&document.replace(['`', '|'], ""));
    for record in read::<Record>("errors") {
        let name = &record.case;
        let known = KNOWN.iter().find(|known| known.case == name).unwrap_or_else(|| {
            panic!("'{name}' is not known to this test: add its counterpart to oracle/errors.rs")
        });
        println!("{name}");
        let error = (known.counterpart)();
        match known.difference {
            Some(reason) => {
                assert!(document.contains(&words(reason)), "the document does not say of '{name}': {reason}");
            }
            None => assert_eq!(error.is_some(), record.raised.is_some(), "{name}: {error:?}"),
        }
        assert!(document.contains(&words(name)), "the document does not tell of '{name}'");
    }
}
