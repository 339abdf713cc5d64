//! The pipeline of a case: one match over its operator.

use super::{
    case::{Case, interval},
    functions::{self, Pair, unknown},
    run::Collected,
};
use highwater_core::{
    BatchTime, DStream, Interval, MapWithState, Rdd, Remembered, StateSpec, Stored, StreamingContext,
};
use serde_json::Value;

/// What can be asked of a running pipeline beside its output.
pub type Slice = Remembered<i64>;

const SORTED_VALUES: &str = "values of a key sorted";
const SORTED_ON_EACH_SIDE: &str = "values of a key sorted on each side";

/// A case's inputs as streams.
struct Inputs<'a> {
    context: &'a StreamingContext,
    case: &'a Case,
}

impl Inputs<'_> {
    fn of<T: Stored>(&self, index: usize) -> DStream<T> {
        self.context.queue_stream_partitioned(self.case.records(index), self.case.input_partitions)
    }

    fn numbers(&self, index: usize) -> DStream<i64> {
        self.of(index)
    }

    fn pairs(&self, index: usize) -> DStream<Pair> {
        self.of(index)
    }
}

fn sorted(mut values: Vec<i64>) -> Vec<i64> {
    values.sort_unstable();
    values
}

/// Builds the pipeline of a case.
pub fn build(context: &StreamingContext, case: &Case, collected: &Collected) -> Option<Slice> {
    let inputs = Inputs { context, case };
    let slice = match case.operator.as_str() {
        "slice" => {
            let remembered = inputs.numbers(0).remember(interval(case.batches() * case.batch_ms));
            collected.take(remembered.stream());
            // Asked for when the batches are there.
            let _ = (case.params.signed("from_ms"), case.params.signed("to_ms"));
            Some(remembered)
        }
        operator if operator.starts_with("comp_") => {
            composition(&inputs, collected);
            None
        }
        operator if operator.to_lowercase().contains("window") => {
            window(&inputs, collected);
            None
        }
        "updateStateByKey" | "mapWithState" => {
            state(&inputs, collected);
            None
        }
        "join" | "leftOuterJoin" | "rightOuterJoin" | "fullOuterJoin" | "cogroup" | "union"
        | "transformWith" | "ssc_union" | "ssc_transform" => {
            several(&inputs, collected);
            None
        }
        operator if operator.contains("Key") || operator.ends_with("Values") => {
            pairs(&inputs, collected);
            None
        }
        _ => {
            numbers(&inputs, collected);
            None
        }
    };
    case.params.assert_all_known();
    slice
}

/// Operators on one stream of numbers.
fn numbers(inputs: &Inputs<'_>, collected: &Collected) {
    let (stream, params) = (inputs.numbers(0), &inputs.case.params);
    let partitions = || {
        assert_eq!(params.number("input_partitions") as usize, inputs.case.input_partitions);
    };
    match inputs.case.operator.as_str() {
        "map" => collected.take(stream.map(functions::number(params.text("fn")))),
        "filter" => collected.take(stream.filter(functions::predicate(params.text("fn")))),
        "flatMap" => collected.take(stream.flat_map(functions::expansion(params.text("fn")))),
        "count" => collected.take(stream.count()),
        "countByValue" => collected.take(stream.count_by_value()),
        "reduce" => collected.take(stream.reduce(functions::combination(params.text("fn")))),
        "glom" => {
            partitions();
            params.expect_note(
                "partition i of a batch of n records holds positions [i*n/p, (i+1)*n/p) ; records = the \
                 partitions, each kept in input order, then sorted as JSON text like every other output",
            );
            collected.take(stream.glom());
        }
        "mapPartitions" => {
            partitions();
            params.expect_note("partitions as in glom; an empty partition gives [0,0]");
            match params.text("fn") {
                "partition -> [sum, count]" => collected
                    .take(stream.map_partitions(|records| [(functions::sum(&records), records.len())])),
                text => unknown(text),
            }
        }
        "repartition" => collected.take(stream.repartition(params.number("num_partitions") as usize)),
        "transform" => match params.text("fn") {
            "rdd -> distinct, then x*x" => {
                collected.take(stream.transform(|rdd| rdd.distinct().map(|x| x * x)));
            }
            "(rdd, time) -> [time_ms, x]" => {
                let collector = collected.clone();
                collected.take(
                    stream.transform_with_time(move |rdd, time| with_time(rdd, collector.since_start(time))),
                );
            }
            text => unknown(text),
        },
        operator => unknown(operator),
    }
}

fn with_time(rdd: Rdd<i64>, time_ms: u64) -> Rdd<(u64, i64)> {
    rdd.map(move |x| (time_ms, x))
}

/// Operators on one stream of pairs that keep nothing over batches.
fn pairs(inputs: &Inputs<'_>, collected: &Collected) {
    let (stream, params) = (inputs.pairs(0), &inputs.case.params);
    match inputs.case.operator.as_str() {
        "mapValues" => collected.take(stream.map_values(functions::number(params.text("fn")))),
        "flatMapValues" => collected.take(stream.flat_map_values(functions::expansion(params.text("fn")))),
        "reduceByKey" => collected.take(stream.reduce_by_key(functions::combination(params.text("fn")))),
        "groupByKey" => {
            params.expect_note(SORTED_VALUES);
            collected.take(stream.group_by_key().map_values(sorted));
        }
        "combineByKey" => match params.text("fn") {
            "create v->[v,1], mergeValue [s+v,n+1], mergeCombiners add" => {
                collected.take(stream.combine_by_key(
                    |v| (v, 1),
                    |(s, n), v| (s + v, n + 1),
                    |one: (i64, i64), other| (one.0 + other.0, one.1 + other.1),
                ))
            }
            text => unknown(text),
        },
        operator => unknown(operator),
    }
}

/// Operators on several streams.
fn several(inputs: &Inputs<'_>, collected: &Collected) {
    let params = &inputs.case.params;
    let (a, b) = (|| inputs.pairs(0), || inputs.pairs(1));
    match inputs.case.operator.as_str() {
        "join" => collected.take(a().join(b())),
        "leftOuterJoin" => collected.take(a().left_outer_join(b())),
        "rightOuterJoin" => collected.take(a().right_outer_join(b())),
        "fullOuterJoin" => collected.take(a().full_outer_join(b())),
        "cogroup" => {
            params.expect_note(SORTED_ON_EACH_SIDE);
            collected.take(a().cogroup(b()).map_values(|(one, other)| (sorted(one), sorted(other))));
        }
        "union" => collected.take(inputs.numbers(0).union(inputs.numbers(1))),
        "transformWith" => {
            let (a, b) = (inputs.numbers(0), inputs.numbers(1));
            match params.text("fn") {
                "(a, b) -> a.subtract(b)  (every copy of a value that is in b goes)" => {
                    collected.take(a.transform_with(b, Rdd::subtract));
                }
                "(a, b) -> a.intersection(b)  (distinct)" => {
                    collected.take(a.transform_with(b, Rdd::intersection));
                }
                text => unknown(text),
            }
        }
        "ssc_union" => match params.text("fn") {
            "ssc.union(a,b,c)" => {
                collected.take(inputs.context.union((0..3).map(|index| inputs.numbers(index))));
            }
            text => unknown(text),
        },
        "ssc_transform" => match params.text("fn") {
            "ssc.transform([a,b,c], (rdds, time) -> a.union(b).subtract(c), each as [time_ms, x])" => {
                let collector = collected.clone();
                let streams = (0..3).map(|index| inputs.numbers(index));
                collected.take(inputs.context.transform(streams, move |rdds, time| {
                    let [a, b, c] = <[Rdd<i64>; 3]>::try_from(rdds).expect("three streams");
                    with_time(a.union(b).subtract(c), collector.since_start(time))
                }));
            }
            text => unknown(text),
        },
        operator => unknown(operator),
    }
}

/// Operators with a state for every key.
fn state(inputs: &Inputs<'_>, collected: &Collected) {
    let (stream, params) = (inputs.pairs(0), &inputs.case.params);
    let text = params.text("fn");
    match inputs.case.operator.as_str() {
        "updateStateByKey" if text == "[calls+1, sum+sum(values)]" => {
            let update = |values: Vec<i64>, state: Option<(i64, i64)>| {
                let (calls, sum) = state.unwrap_or_default();
                Some((calls + 1, sum + functions::sum(&values)))
            };
            collected.take(stream.update_state_by_key_with_initial_state(params.initial(), update));
        }
        "updateStateByKey" => {
            let (initial, update) = (params.initial(), functions::update(text));
            collected.take(stream.update_state_by_key_with_initial_state(initial, update));
        }
        "mapWithState" => {
            if params.number_or_none("timeout_ms").is_some() {
                params.expect_note(
                    "timeouts are looked for only in batches in which the state RDD is checkpointed",
                );
            }
            let which = params.text("stream");
            map_with_state(tracked(stream, inputs.case, text), which, collected);
        }
        operator => unknown(operator),
    }
}

fn tracked(stream: DStream<Pair>, case: &Case, text: &str) -> MapWithState<String, i64, i64, Value> {
    let f = functions::tracking(text);
    let spec = StateSpec::<String, i64, i64, Value>::mapping(move |key, value, state| f(key, value, state));
    let spec = spec.initial_state(case.params.initial());
    stream.map_with_state(match case.params.number_or_none("timeout_ms") {
        Some(ms) => spec.timeout(interval(ms)),
        None => spec,
    })
}

fn map_with_state(streams: MapWithState<String, i64, i64, Value>, which: &str, collected: &Collected) {
    match which {
        "mapped" => collected.take(streams.mapped()),
        "snapshots" => collected.take(streams.state_snapshots()),
        text => unknown(text),
    }
}

/// Operators on windows.
fn window(inputs: &Inputs<'_>, collected: &Collected) {
    let params = &inputs.case.params;
    let (window, slide) = (params.interval("window_ms"), params.interval("slide_ms"));
    let (numbers, pairs) = (|| inputs.numbers(0), || inputs.pairs(0));
    let combination = || functions::combination(params.text("fn"));
    let inverse = || functions::inverse(params.text("inv"));
    match inputs.case.operator.as_str() {
        "window" => collected.take(pairs().window(window, slide)),
        "countByWindow" => collected.take(numbers().count_by_window(window, slide)),
        "countByValueAndWindow" => collected.take(numbers().count_by_value_and_window(window, slide)),
        "reduceByWindow" => collected.take(numbers().reduce_by_window(combination(), window, slide)),
        "reduceByWindow_inverse" => {
            collected.take(numbers().reduce_by_window_inverse(combination(), inverse(), window, slide))
        }
        "groupByKeyAndWindow" => {
            params.expect_note(SORTED_VALUES);
            collected.take(pairs().group_by_key_and_window(window, slide).map_values(sorted));
        }
        "reduceByKeyAndWindow" => {
            collected.take(pairs().reduce_by_key_and_window(combination(), window, slide));
        }
        "reduceByKeyAndWindow_inverse" => {
            collected.take(pairs().reduce_by_key_and_window_inverse(combination(), inverse(), window, slide))
        }
        "reduceByKeyAndWindow_inverse_filter" => {
            let prepare = functions::preparation(params.get("pre").and_then(Value::as_str));
            collected.take(pairs().map_values(prepare).reduce_by_key_and_window_inverse_filter(
                combination(),
                inverse(),
                window,
                slide,
                functions::filter(params.text("filter")),
            ));
        }
        operator => unknown(operator),
    }
}

/// Several operators in a row.
fn composition(inputs: &Inputs<'_>, collected: &Collected) {
    let params = &inputs.case.params;
    let of = |window: &str, slide: &str| (params.interval(window), params.interval(slide));
    let windowed = |index: usize| {
        let (window, slide) = of("window_ms", "slide_ms");
        inputs.pairs(index).window(window, slide)
    };
    match (inputs.case.operator.as_str(), params.text("fn")) {
        ("comp_join_of_windows", "a.window(w,s) join b.window(w,s)") => {
            collected.take(windowed(0).join(windowed(1)));
        }
        ("comp_window_of_window", "window(w1,s1), then window(w2,s2)") => {
            let (inner, outer) = (of("window1_ms", "slide1_ms"), of("window2_ms", "slide2_ms"));
            collected.take(inputs.pairs(0).window(inner.0, inner.1).window(outer.0, outer.1));
        }
        ("comp_window_then_reduceByKey", "window, then reduceByKey a+b") => {
            collected.take(windowed(0).reduce_by_key(|a, b| a + b));
        }
        ("comp_window_then_updateStateByKey", "window(w,s), then updateStateByKey state + sum(values)") => {
            collected.take(windowed(0).update_state_by_key(functions::update("state + sum(values)")));
        }
        (operator, text) => unknown(&format!("{operator}: {text}")),
    }
}

/// Builds the pipeline of a case with a restart: its operators are written otherwise.
pub fn build_restarted(context: &StreamingContext, case: &Case, collected: &Collected) {
    let stream = Inputs { context, case }.pairs(0);
    let three: Interval = interval(3 * case.batch_ms);
    let slide = case.interval();
    match (case.operator.as_str(), case.params.text("fn")) {
        ("reduceByKey", "a+b") => collected.take(stream.reduce_by_key(|a, b| a + b)),
        ("window", "window 3 batches, slide 1") => collected.take(stream.window(three, slide)),
        ("updateStateByKey", text) => collected.take(stream.update_state_by_key(functions::update(text))),
        ("reduceByKeyAndWindow_inverse_filter", "counts, window 3, slide 1, a+b, a-b, filter value != 0") => {
            let counts = stream.map_values(|_| 1_i64);
            collected.take(counts.reduce_by_key_and_window_inverse_filter(
                functions::combination("a+b"),
                functions::inverse("a-b"),
                three,
                slide,
                functions::filter("value != 0"),
            ));
        }
        ("mapWithState", text) => map_with_state(tracked(stream, case, text), "mapped", collected),
        ("mapWithState_snapshots", "s = state + v; update; snapshots") => {
            let text = "s = state + v; update; emit [k,s]";
            map_with_state(tracked(stream, case, text), "snapshots", collected);
        }
        (operator, text) => unknown(&format!("{operator}: {text}")),
    }
}

/// What a slice of a running pipeline gives, as a case has it.
pub fn slice(case: &Case, slice: &Slice, zero_time: BatchTime) -> Vec<super::case::Batch> {
    let time = |name: &str| {
        let ms = zero_time.0.checked_add_signed(case.params.signed(name));
        BatchTime(ms.expect("no case reaches back before 1970"))
    };
    let batches = slice.slice(time("from_ms"), time("to_ms")).expect("all of it is remembered");
    let batch = |(time, records): (BatchTime, Vec<i64>)| {
        super::case::Batch::new(time.0 - zero_time.0, records.into_iter().map(Value::from).collect())
    };
    batches.into_iter().map(batch).collect()
}
