//! The tap: which lines each batch had, as the testbed's own output of the pipeline writes them down.
//!
//! A batch is a line `TIME COUNT`, then its records, a line each.

use highwater_core::{BatchTime, Text, sink::Batch};

/// A batch as the tap tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TappedBatch {
    /// Its time.
    pub time: BatchTime,
    /// Its records.
    pub lines: Vec<String>,
}

/// A batch as the tap writes it.
pub(super) fn format(batch: &Batch<Text>) -> String {
    let mut text = format!("{} {}\n", batch.time().0, batch.records.len());
    for line in &batch.records {
        text.push_str(line);
        text.push('\n');
    }
    text
}

impl TappedBatch {
    /// Reads the whole batches at the start of `bytes`, and tells how many bytes they take.
    pub fn parse_all(mut bytes: &[u8]) -> (Vec<Self>, usize) {
        let (mut batches, length) = (Vec::new(), bytes.len());
        while let Some((batch, used)) = Self::parse(bytes) {
            batches.push(batch);
            bytes = &bytes[used..];
        }
        (batches, length - bytes.len())
    }

    /// Reads one whole batch and tells how many bytes it takes.
    pub fn parse(bytes: &[u8]) -> Option<(Self, usize)> {
        let (head, mut at) = line(bytes, 0)?;
        let (time, count) = head.split_once(' ')?;
        let (time, count) = (BatchTime(time.parse().ok()?), count.parse::<usize>().ok()?);
        let mut lines = Vec::new();
        for _ in 0..count {
            let (text, next) = line(bytes, at)?;
            lines.push(text.to_owned());
            at = next;
        }
        Some((Self { time, lines }, at))
    }
}

fn line(bytes: &[u8], from: usize) -> Option<(&str, usize)> {
    let end = from + bytes[from..].iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&bytes[from..end]).ok()?, end + 1))
}
