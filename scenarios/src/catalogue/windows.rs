//! What windows hold, in two ways that have nothing in common: as figures, one by one, by which batches are in a window; as a
//! text, by which windows a batch is in.

use super::rendered;
use crate::pipelines::Sliding;
use highwater_core::BatchTime;
use highwater_sim::scenario::{Batches, Figure, Model, simulated_options};
use std::{collections::BTreeMap, sync::Arc};

/// What the words of a window are counted by.
pub(super) type KeyOf = fn(&str) -> String;

/// The lengths of a window and of its slide, in milliseconds.
fn millis(span: Sliding) -> (u64, u64) {
    let batch_ms = simulated_options().batch_interval.millis();
    (span.window_batches * batch_ms, span.slide_batches * batch_ms)
}

fn words(lines: &[String]) -> impl Iterator<Item = &str> {
    lines.iter().flat_map(|line| line.split_whitespace())
}

/// What a window is: at every time that is so many slides after the zero time, the batches of the last while.
pub(super) fn figures(batches: &Batches, span: Sliding, key_of: KeyOf) -> Vec<Figure> {
    let (window_ms, slide_ms) = millis(span);
    let is_end = |time: &BatchTime| (time.0 - batches.zero_time.0).is_multiple_of(slide_ms);
    let window = |end: BatchTime| {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        let inside = batches.iter().filter(|(time, _)| time.0 + window_ms > end.0 && *time <= end);
        for word in inside.flat_map(|(_, lines)| words(lines)) {
            *counts.entry(key_of(word)).or_default() += 1;
        }
        counts.into_iter().map(move |(key, count)| (end.to_string(), key, count))
    };
    batches.iter().map(|(time, _)| *time).filter(is_end).flat_map(window).collect()
}

/// Every word is counted in each window that ends in its batch or, before the window's length is over, later.
pub(super) fn model(title: &'static str, span: Sliding, key_of: KeyOf) -> Model {
    let (window_ms, slide_ms) = millis(span);
    Arc::new(move |batches| {
        let mut windows: BTreeMap<u64, BTreeMap<String, u64>> = BTreeMap::new();
        for (time, lines) in batches.iter() {
            let time_ms = time.0 - batches.zero_time.0;
            let first_end = time_ms.next_multiple_of(slide_ms);
            for end in (first_end..time_ms + window_ms).step_by(slide_ms as usize) {
                let counts = windows.entry(end).or_default();
                words(lines).for_each(|word| *counts.entry(key_of(word)).or_default() += 1);
            }
        }
        let text = |(time, _): &(BatchTime, Vec<String>)| {
            let time_ms = time.0 - batches.zero_time.0;
            match time_ms % slide_ms {
                0 => format!("{title} at time {time} {}\n", rendered(&windows[&time_ms])),
                _ => String::new(),
            }
        };
        batches.iter().map(text).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::{super::read, *};

    const EVERY_SECOND: Sliding = Sliding { window_batches: 3, slide_batches: 2 };

    /// Batches of these lines, a second apart, from the second after `zero` on; those of the lines `None` were passed over.
    fn batches(zero: u64, lines: &[Option<&str>]) -> Batches {
        let batch = |(second, line): (u64, &Option<&str>)| {
            line.map(|line| (BatchTime((zero + second) * 1000), vec![line.to_owned()]))
        };
        Batches::new(BatchTime(zero * 1000), (1..).zip(lines).filter_map(batch).collect())
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
        assert_eq!(figures(&batches, EVERY_SECOND, str::to_owned), expected);
        let texts = model("Window", EVERY_SECOND, str::to_owned)(&batches);
        assert_eq!(
            texts.iter().map(String::is_empty).collect::<Vec<_>>(),
            [true, false, true, false, true, false]
        );
        assert_eq!(read(&texts.concat()), expected);
    }

    #[test]
    fn what_was_passed_over_is_in_no_window_and_moves_none() {
        let batches = batches(0, &[None, None, None, Some("a"), Some("b"), None, Some("c"), Some("")]);
        let figures = figures(&batches, EVERY_SECOND, str::to_owned);
        let keys: Vec<_> = figures.iter().map(|(_, key, _)| key.as_str()).collect();
        assert_eq!(keys, ["a", "c"]);
        assert_eq!(read(&model("Window", EVERY_SECOND, str::to_owned)(&batches).concat()), figures);
    }

    #[test]
    fn words_are_counted_by_what_they_are_asked_for() {
        let batches = batches(0, &[Some("a bb"), Some("cc")]);
        let counts = figures(&batches, EVERY_SECOND, |word| word.chars().count().to_string());
        let counts: Vec<_> = counts.into_iter().map(|(_, key, count)| (key, count)).collect();
        assert_eq!(counts, [("1".to_owned(), 1), ("2".to_owned(), 2)]);
    }
}
