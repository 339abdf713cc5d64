//! What is used twice, put together, or asked for later: `cache`, a join of two windows, `remember` and `slice`.

use super::{
    Operator, counted,
    told::{self, Counts, Told, counts},
};
use crate::pipelines::{Pipeline, Sliding};
use highwater_core::{BatchTime, DStream, Text, Word};
use highwater_sim::scenario::Batches;
use std::sync::Arc;

/// Two numbers as one that can be told apart: no word comes a million times.
fn both((one, other): (u64, u64)) -> u64 {
    one * 1_000_000 + other
}

const SHORT: Sliding = Sliding { window_batches: 3, slide_batches: 1 };

pub(super) const CACHE: Operator = Operator {
    pipeline: Pipeline::new(
        "cache",
        "tells of each word of a batch how often it came in it and in the last 3: a stream that is used twice, computed once",
        |lines| {
            let (window, slide) = SHORT.over(&lines);
            let counts = counted(lines).cache();
            let lately = counts.clone().reduce_by_key_and_window(|a, b| a + b, window, slide);
            counts.join(lately).map_values(both)
        },
    ),
    model: |batches| joined(batches, Sliding { window_batches: 1, slide_batches: 1 }, SHORT),
    slide: Some(SHORT.slide_batches),
    time_out: None,
};

const FEW: Sliding = Sliding { window_batches: 4, slide_batches: 3 };
const MANY: Sliding = Sliding { window_batches: 10, slide_batches: 3 };

pub(super) const JOIN: Operator = Operator {
    pipeline: Pipeline::new(
        "join",
        "tells of each word of the last 4 batches how often it came in them and in the last 10, in every third one",
        |lines| {
            let window = |lines: DStream<Text>, span: Sliding| {
                let (window, slide) = span.over(&lines);
                counted(lines).reduce_by_key_and_window(|a, b| a + b, window, slide)
            };
            window(lines.clone(), FEW).join(window(lines, MANY)).map_values(both)
        },
    ),
    model: |batches| joined(batches, FEW, MANY),
    slide: Some(FEW.slide_batches),
    time_out: None,
};

/// The words that are in a window and in a longer one, with how often they are in each.
fn joined(batches: &Batches, few: Sliding, many: Sliding) -> Told {
    let count = |window: &[Vec<&str>]| counts(window.concat());
    let few = told::of_windows(batches, few, count);
    let many = told::of_windows(batches, many, count);
    let join = |(few, many): (Option<Counts>, Option<Counts>)| {
        let (few, many) = few.zip(many)?;
        Some(few.into_iter().map(|(word, count)| (word.clone(), both((count, many[&word])))).collect())
    };
    few.into_iter().zip(many).map(join).collect()
}

/// For so many batches they are remembered, and sliced.
const REMEMBERED: u64 = 5;

pub(super) const REMEMBER: Operator = Operator {
    pipeline: Pipeline::new(
        "remember",
        "counts the words of the last 5 batches, by slicing what is remembered of them; nothing where some were passed over",
        |lines| {
            let batch_ms = lines.slide().millis();
            let remembered = counted(lines.clone()).remember(lines.slide() * REMEMBERED);
            let sliced = remembered.stream().transform_with_time(move |rdd, time| {
                let from = BatchTime(time.0 - (REMEMBERED - 1) * batch_ms);
                let slice = remembered.slice(from, time).unwrap_or_default();
                let records: Vec<(Word, u64)> = slice.into_iter().flat_map(|(_, batch)| batch).collect();
                rdd.parallelize(&Arc::new(records))
            });
            sliced.reduce_by_key(|a, b| a + b)
        },
    ),
    model: |batches| {
        let batch_ms = batches.batch_interval.millis();
        let span = Sliding { window_batches: REMEMBERED, slide_batches: 1 };
        let first = |time: BatchTime| {
            let before = BatchTime(time.0 - (REMEMBERED - 1) * batch_ms);
            before.max(batches.zero_time.next(batches.batch_interval))
        };
        let counted = told::of_windows(batches, span, |window| counts(window.concat()));
        let is_whole = |time: BatchTime| batches.iter().any(|(batch, _)| *batch == first(time));
        let told = batches.iter().zip(counted).map(|((time, _), counted)| {
            counted.map(|counted| if is_whole(*time) { counted } else { Counts::new() })
        });
        told.collect()
    },
    slide: Some(1),
    time_out: None,
};
