//! What models of operators are made of: the words of a batch, the batches of a window, and what is told of them.
//!
//! Nothing here is clever: each window is gathered anew from all batches, each result counted from the beginning.

use crate::pipelines::Sliding;
use highwater_core::BatchTime;
use highwater_sim::scenario::{Batches, Figure};
use std::collections::BTreeMap;

/// Words, each with a number.
pub type Counts = BTreeMap<String, u64>;

/// What each batch tells; `None` where the stream has no batch.
pub type Told = Vec<Option<Counts>>;

/// The words of lines.
pub fn words(lines: &[String]) -> impl Iterator<Item = &str> {
    lines.iter().flat_map(|line| line.split_whitespace())
}

/// How often each of these came.
pub fn counts<'a>(words: impl IntoIterator<Item = &'a str>) -> Counts {
    let mut counts = Counts::new();
    words.into_iter().for_each(|word| *counts.entry(word.to_owned()).or_default() += 1);
    counts
}

/// What each batch tells, one after the other.
pub fn of_each(batches: &Batches, mut tell: impl FnMut(&[String]) -> Counts) -> Told {
    batches.iter().map(|(_, lines)| Some(tell(lines))).collect()
}

/// What is told of each window, from its words batch by batch, oldest first: at every time that is so many slides after the zero time.
pub fn of_windows(batches: &Batches, span: Sliding, mut tell: impl FnMut(&[Vec<&str>]) -> Counts) -> Told {
    let batch_ms = batches.batch_interval.millis();
    let (window_ms, slide_ms) = (span.window_batches * batch_ms, span.slide_batches * batch_ms);
    let window = |(end, _): &(BatchTime, Vec<String>)| {
        let is_end = (end.0 - batches.zero_time.0).is_multiple_of(slide_ms);
        let inside = batches.iter().filter(|(time, _)| time.0 + window_ms > end.0 && time <= end);
        is_end.then(|| tell(&inside.map(|(_, lines)| words(lines).collect()).collect::<Vec<_>>()))
    };
    batches.iter().map(window).collect()
}

/// Number by number.
pub fn figures(batches: &Batches, told: &Told) -> Vec<Figure> {
    let of_batch = |((time, _), told): (&(BatchTime, Vec<String>), &Option<Counts>)| {
        let time = time.to_string();
        let counts = told.iter().flatten();
        counts.map(|(word, count)| (time.clone(), word.clone(), *count)).collect::<Vec<_>>()
    };
    batches.iter().zip(told).flat_map(of_batch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_core::Interval;

    const EVERY_SECOND: Sliding = Sliding { window_batches: 3, slide_batches: 2 };

    /// Batches of these lines, a second apart, from the second after `zero` on; those of the lines `None` were passed over.
    fn batches(zero: u64, lines: &[Option<&str>]) -> Batches {
        let batch = |(second, line): (u64, &Option<&str>)| {
            line.map(|line| (BatchTime((zero + second) * 1000), vec![line.to_owned()]))
        };
        let batches = (1..).zip(lines).filter_map(batch).collect();
        Batches::new(BatchTime(zero * 1000), Interval::from_secs(1), batches)
    }

    fn count(window: &[Vec<&str>]) -> Counts {
        counts(window.concat())
    }

    #[test]
    fn a_window_is_told_when_it_slides_and_holds_its_batches() {
        let batches = batches(7, &[Some("a"), Some("b"), Some("a"), Some(""), Some("c"), Some("")]);
        let figure =
            |second: u64, key: &str, count| (BatchTime(second * 1000).to_string(), key.into(), count);
        let expected = [
            figure(9, "a", 1),
            figure(9, "b", 1),
            figure(11, "a", 1),
            figure(11, "b", 1),
            figure(13, "c", 1),
        ];
        let told = of_windows(&batches, EVERY_SECOND, count);
        assert_eq!(figures(&batches, &told), expected);
        assert_eq!(
            told.iter().map(Option::is_none).collect::<Vec<_>>(),
            [true, false, true, false, true, false]
        );
    }

    #[test]
    fn what_was_passed_over_is_in_no_window_and_moves_none() {
        let batches = batches(0, &[None, None, None, Some("a"), Some("b"), None, Some("c"), Some("")]);
        let figures = figures(&batches, &of_windows(&batches, EVERY_SECOND, count));
        let keys: Vec<_> = figures.iter().map(|(_, key, _)| key.as_str()).collect();
        assert_eq!(keys, ["a", "c"]);
    }
}
