//! The operators on windows.
//!
//! Windows are longer than the time between two snapshots, and their slides are no divisor or multiple of it, but where a name says otherwise.

use super::{
    Operator, lengths,
    told::{self, Counts, Told, counts},
    words,
};
use crate::pipelines::{Pipeline, Sliding};
use highwater_core::{DStream, Interval, Text, Word};
use highwater_sim::scenario::Batches;

const fn operator(
    name: &'static str,
    about: &'static str,
    span: Sliding,
    graph: fn(DStream<Text>) -> DStream<(Word, u64)>,
    model: fn(&Batches) -> Told,
) -> Operator {
    Operator {
        pipeline: Pipeline::new(name, about, graph),
        model,
        slide: Some(span.slide_batches),
        time_out: None,
    }
}

const fn span(window_batches: u64, slide_batches: u64) -> Sliding {
    Sliding { window_batches, slide_batches }
}

impl Sliding {
    /// The lengths of the window and of its slide over a stream.
    pub(super) fn over<T: highwater_core::Data>(self, stream: &DStream<T>) -> (Interval, Interval) {
        (stream.slide() * self.window_batches, stream.slide() * self.slide_batches)
    }
}

/// Longer than ten seconds, the default time between two snapshots, too.
const LONG: Sliding = span(11, 3);

pub(super) const WINDOW: Operator = operator(
    "window",
    "counts the words of the last 11 batches, in every third one",
    LONG,
    |lines| {
        let (window, slide) = LONG.over(&lines);
        words(lines).window(window, slide).map(|word| (word, 1)).reduce_by_key(|a, b| a + b)
    },
    |batches| told::of_windows(batches, LONG, |window| counts(window.concat())),
);

const VALUES: Sliding = span(8, 3);

pub(super) const COUNT_BY_VALUE_AND_WINDOW: Operator = operator(
    "count-by-value-and-window",
    "counts the lengths of the words of the last 8 batches, in every third one",
    VALUES,
    |lines| {
        let (window, slide) = VALUES.over(&lines);
        let lengths = words(lines).map(|word| word.chars().count());
        let counted = lengths.count_by_value_and_window(window, slide);
        counted.map(|(length, count)| (Word::from(length.to_string()), count))
    },
    |batches| {
        told::of_windows(batches, VALUES, |window| {
            let lengths: Vec<_> =
                window.concat().iter().map(|word| word.chars().count().to_string()).collect();
            counts(lengths.iter().map(String::as_str))
        })
    },
);

const COUNTED: Sliding = span(7, 2);

pub(super) const COUNT_BY_WINDOW: Operator = operator(
    "count-by-window",
    "tells how many words the last 7 batches had, in every second one: the slide of the snapshots",
    COUNTED,
    |lines| {
        let (window, slide) = COUNTED.over(&lines);
        words(lines).count_by_window(window, slide).map(|count| (Word::from("words"), count))
    },
    |batches| total_once_there_was_one(batches, COUNTED, "words", |_| 1),
);

const SUMMED: Sliding = span(9, 5);

pub(super) const REDUCE_BY_WINDOW_INVERSE: Operator = operator(
    "reduce-by-window-inverse",
    "adds up the lengths of the words of the last 9 batches, in every fifth one",
    SUMMED,
    |lines| {
        let (window, slide) = SUMMED.over(&lines);
        let lengths = words(lines).map(|word| word.chars().count() as u64);
        let sum = lengths.reduce_by_window_inverse(|a, b| a + b, |a, b| a - b, window, slide);
        sum.map(|sum| (Word::from("letters"), sum))
    },
    |batches| total_once_there_was_one(batches, SUMMED, "letters", |word| word.chars().count() as u64),
);

/// What the words of a window make together: told, be it 0, from the first window on that had any.
fn total_once_there_was_one(
    batches: &Batches,
    span: Sliding,
    name: &str,
    worth: impl Fn(&str) -> u64,
) -> Told {
    let mut was_one = false;
    told::of_windows(batches, span, |window| {
        let words = window.concat();
        was_one |= !words.is_empty();
        let total = words.into_iter().map(&worth).sum();
        was_one.then(|| (name.to_owned(), total)).into_iter().collect()
    })
}

const LONGEST: Sliding = span(5, 3);

pub(super) const REDUCE_BY_WINDOW: Operator = operator(
    "reduce-by-window",
    "tells the longest word of the last 5 batches, of those the last in the alphabet, in every third one",
    LONGEST,
    |lines| {
        let (window, slide) = LONGEST.over(&lines);
        let longer = |a: Word, b: Word| if (a.len(), &a) < (b.len(), &b) { b } else { a };
        words(lines).reduce_by_window(longer, window, slide).map(|word| {
            let length = word.len() as u64;
            (word, length)
        })
    },
    |batches| {
        told::of_windows(batches, LONGEST, |window| {
            let longest = window.concat().into_iter().max_by_key(|word| (word.len(), *word));
            longest.map(|word| (word.to_owned(), word.len() as u64)).into_iter().collect()
        })
    },
);

fn first_letter(word: &str) -> String {
    word.chars().take(1).collect()
}

const BY_LETTER: Sliding = span(8, 3);

pub(super) const REDUCE_BY_KEY_AND_WINDOW: Operator = operator(
    "reduce-by-key-and-window",
    "tells for each letter how long the longest word is that began with it in the last 8 batches, in every third one",
    BY_LETTER,
    |lines| {
        let (window, slide) = BY_LETTER.over(&lines);
        lengths(lines).reduce_by_key_and_window(u64::max, window, slide)
    },
    |batches| {
        told::of_windows(batches, BY_LETTER, |window| {
            let mut longest = Counts::new();
            for word in window.concat() {
                let length = longest.entry(first_letter(word)).or_default();
                *length = (*length).max(word.chars().count() as u64);
            }
            longest
        })
    },
);

/// The lengths of the words of a window together, by their first letter.
fn letters(window: &[Vec<&str>]) -> Counts {
    let mut sums = Counts::new();
    for word in window.concat() {
        *sums.entry(first_letter(word)).or_default() += word.chars().count() as u64;
    }
    sums
}

pub(super) const REDUCE_BY_KEY_AND_WINDOW_INVERSE: Operator = operator(
    "reduce-by-key-and-window-inverse",
    "adds up the lengths of the words of the last 8 batches by their first letter, in every third one; a letter stays for ever, at 0",
    BY_LETTER,
    |lines| {
        let (window, slide) = BY_LETTER.over(&lines);
        lengths(lines).reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, window, slide)
    },
    |batches| {
        let mut known = Counts::new();
        told::of_windows(batches, BY_LETTER, |window| {
            known.values_mut().for_each(|sum| *sum = 0);
            known.extend(letters(window));
            known.clone()
        })
    },
);

const APART: Sliding = span(2, 5);

pub(super) const REDUCE_BY_KEY_AND_WINDOW_INVERSE_APART: Operator = operator(
    "reduce-by-key-and-window-inverse-apart",
    "adds up the lengths of the words of the last 2 batches by their first letter, in every fifth one: three are in no window",
    APART,
    |lines| {
        let (window, slide) = APART.over(&lines);
        lengths(lines).reduce_by_key_and_window_inverse(|a, b| a + b, |a, b| a - b, window, slide)
    },
    |batches| told::of_windows(batches, APART, letters),
);

pub(super) const REDUCE_BY_KEY_AND_WINDOW_INVERSE_FILTER: Operator = operator(
    "reduce-by-key-and-window-inverse-filter",
    "counts the words of the last 8 batches that came more than once in them, in every third one",
    BY_LETTER,
    |lines| {
        let (window, slide) = BY_LETTER.over(&lines);
        let ones = words(lines).map(|word| (word, 1u64));
        let often = |_: &Word, count: &u64| *count > 1;
        ones.reduce_by_key_and_window_inverse_filter(|a, b| a + b, |a, b| a - b, window, slide, often)
    },
    |batches| {
        told::of_windows(batches, BY_LETTER, |window| {
            counts(window.concat()).into_iter().filter(|(_, count)| *count > 1).collect()
        })
    },
);

pub(super) const GROUP_BY_KEY_AND_WINDOW: Operator = operator(
    "group-by-key-and-window",
    "makes a number of the lengths of the words of the last 8 batches, in their order, by their first letter, in every third one",
    BY_LETTER,
    |lines| {
        let (window, slide) = BY_LETTER.over(&lines);
        // Another one for every order.
        let number = |lengths: Vec<u64>| {
            lengths.iter().fold(7, |number: u64, length| number.wrapping_mul(31).wrapping_add(*length))
        };
        lengths(lines).group_by_key_and_window(window, slide).map_values(number)
    },
    |batches| {
        told::of_windows(batches, BY_LETTER, |window| {
            let mut numbers = Counts::new();
            for word in window.concat() {
                let number = numbers.entry(first_letter(word)).or_insert(7);
                *number = number.wrapping_mul(31).wrapping_add(word.chars().count() as u64);
            }
            numbers
        })
    },
);
