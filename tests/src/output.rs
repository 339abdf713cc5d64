//! Reads what the pipelines write, without any of their code.
//!
//! A line is `TITLE at time DATE TIME [("word", count), ..]`. Words stay as they are printed, quotes and escapes included:
//! two words are equal if and only if their printed forms are.

use jiff::{civil::DateTime, tz::Offset};
use std::collections::BTreeMap;

/// Counts by printed word.
pub type Counts = BTreeMap<String, u64>;

/// A line of a pipeline's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputLine {
    /// The batch time in milliseconds since 1970.
    pub time_ms: i64,
    /// What the batch says.
    pub counts: Counts,
    /// The line itself.
    pub text: String,
}

/// The whole lines of an output; a last line without its end is left out.
///
/// # Panics
/// If a line is not of the form.
pub fn parse(bytes: &[u8]) -> Vec<OutputLine> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let text = std::str::from_utf8(&bytes[..whole]).expect("the output is UTF-8");
    text.lines().map(|line| parse_line(line).unwrap_or_else(|| panic!("no output line: {line}"))).collect()
}

fn parse_line(line: &str) -> Option<OutputLine> {
    let (_, rest) = line.split_once(" at time ")?;
    let (time, list) = rest.split_once(" [")?;
    let time: DateTime = time.parse().ok()?;
    let time_ms = Offset::UTC.to_timestamp(time).ok()?.as_millisecond();
    let mut counts = Counts::new();
    let mut rest = list.strip_suffix(']')?;
    while !rest.is_empty() {
        let quoted = rest.strip_prefix('(')?;
        let length = quoted_length(quoted)?;
        let (word, after) = quoted.split_at(length);
        let (count, after) = after.strip_prefix(", ")?.split_once(')')?;
        if counts.insert(word.to_owned(), count.parse().ok()?).is_some() {
            return None;
        }
        rest = after.strip_prefix(", ").unwrap_or(after);
    }
    Some(OutputLine { time_ms, counts, text: line.to_owned() })
}

/// The length of the string literal that a text begins with.
fn quoted_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' if at > 0 => return Some(at + 1),
            b'"' => {}
            _ if at == 0 => return None,
            _ => {}
        }
    }
    None
}

/// The words of a text, counted in the plainest way: the expectation, independent of the engine.
pub fn count_words(text: &str) -> Counts {
    let mut counts = Counts::new();
    for word in text.split_whitespace() {
        *counts.entry(format!("{word:?}")).or_default() += 1;
    }
    counts
}

/// The sum over all lines.
pub fn sum(lines: &[OutputLine]) -> Counts {
    let mut all = Counts::new();
    for (word, count) in lines.iter().flat_map(|line| &line.counts) {
        *all.entry(word.clone()).or_default() += count;
    }
    all
}

/// Says the first difference of two counts, instead of printing both.
///
/// # Panics
/// If they differ.
pub fn assert_same(found: &Counts, expected: &Counts, what: &str) {
    let differing = expected
        .iter()
        .find(|(word, count)| found.get(*word) != Some(*count))
        .or_else(|| found.iter().find(|(word, _)| !expected.contains_key(*word)));
    if let Some((word, _)) = differing {
        let total = |counts: &Counts| counts.values().sum::<u64>();
        panic!(
            "{what}: {word} is counted {:?} times, expected {:?}; {} words in all, expected {}",
            found.get(word),
            expected.get(word),
            total(found),
            total(expected)
        );
    }
}

/// Checks that times strictly increase and lie on the grid of an interval.
///
/// # Panics
/// If not.
pub fn assert_times(lines: &[OutputLine], interval_ms: i64) {
    for pair in lines.windows(2) {
        let step = pair[1].time_ms - pair[0].time_ms;
        assert!(step > 0, "{} comes after {}", pair[1].time_ms, pair[0].time_ms);
        assert!(step % interval_ms == 0, "{} is not on the grid of {}", pair[1].time_ms, pair[0].time_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back() {
        let bytes = b"Counts at time 2018-03-02 03:29:16.2 [(\"a\", 1), (\"\\\"x\\\\\", 3)]\nCounts at time 2018-03-02 03:29:17 []\nCou";
        let lines = parse(bytes);
        assert_eq!(
            (lines.len(), lines[0].time_ms, lines[1].time_ms),
            (2, 1_519_961_356_200, 1_519_961_357_000)
        );
        assert_eq!(sum(&lines), count_words("\"x\\ \"x\\ a \"x\\"));
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for line in [
            "",
            "x",
            "C at time 2018-03-02 03:29:16 [(\"a\", 1), (\"a\", 2)]",
            "C at time now []",
            "C at time 2018-03-02 03:29:16 [(\"a\", 1",
        ] {
            assert_eq!(parse_line(line), None, "{line}");
        }
    }
}
