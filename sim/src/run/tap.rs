//! The tap: which lines each batch had, as the testbed's own output of the pipeline writes them down.
//!
//! A batch is a line `TIME COUNT`, then its records, a line each. Where a scenario has a queue, it is `TIME COUNT QUEUED`, and the
//! records of the queue's element follow.

use highwater_core::{BatchTime, Text, sink::Batch};

/// A batch as the tap tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TappedBatch {
    /// Its time.
    pub time: BatchTime,
    /// Its records from the source.
    pub lines: Vec<String>,
    /// Its records from the scenario's queue.
    pub queued: Vec<String>,
}

/// A line, and whether it is the queue's.
pub(super) type Tagged = (bool, Text);

/// A batch as the tap writes it.
pub(super) fn format(batch: &Batch<Text>) -> String {
    let mut text = format!("{} {}\n", batch.time().0, batch.records.len());
    for line in &batch.records {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// A batch of the source's lines and the queue's as the tap writes it.
pub(super) fn format_tagged(batch: &Batch<Tagged>) -> String {
    let (queued, lines): (Vec<&Tagged>, Vec<&Tagged>) = batch.records.iter().partition(|(queued, _)| *queued);
    let mut text = format!("{} {} {}\n", batch.time().0, lines.len(), queued.len());
    for (_, line) in lines.into_iter().chain(queued) {
        text.push_str(line);
        text.push('\n');
    }
    text
}

impl TappedBatch {
    /// All its records, in the order in which the pipeline has them.
    pub fn records(&self) -> impl Iterator<Item = &String> {
        self.lines.iter().chain(&self.queued)
    }

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
        let (time, counts) = head.split_once(' ')?;
        let time = BatchTime(time.parse().ok()?);
        let (count, queued) = counts.split_once(' ').unwrap_or((counts, "0"));
        let mut take = |count: &str| -> Option<Vec<String>> {
            let mut lines = Vec::new();
            for _ in 0..count.parse::<usize>().ok()? {
                let (text, next) = line(bytes, at)?;
                lines.push(text.to_owned());
                at = next;
            }
            Some(lines)
        };
        let (lines, queued) = (take(count)?, take(queued)?);
        Some((Self { time, lines, queued }, at))
    }
}

fn line(bytes: &[u8], from: usize) -> Option<(&str, usize)> {
    let end = from + bytes[from..].iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&bytes[from..end]).ok()?, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use highwater_core::{ids::Generation, sink::BatchInfo};

    #[test]
    fn the_sources_lines_and_the_queues_are_told_apart_and_a_part_of_a_batch_is_none() {
        let info = BatchInfo { time: BatchTime(2000), generation: Generation(1), repetition: false };
        let record = |queued: bool, line: &str| (queued, Text::from(line));
        let records = vec![record(false, "a 1"), record(false, ""), record(true, "b"), record(true, "a 1")];
        let text = format_tagged(&Batch { info, records: records.into_iter().collect() });
        let own = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        let batch =
            TappedBatch { time: BatchTime(2000), lines: own(&["a 1", ""]), queued: own(&["b", "a 1"]) };
        assert_eq!(TappedBatch::parse(text.as_bytes()), Some((batch.clone(), text.len())));
        assert!((0..text.len()).all(|end| TappedBatch::parse(&text.as_bytes()[..end]).is_none()));
        let (batches, used) = TappedBatch::parse_all(format!("{text}3000 1\nc\n").as_bytes());
        assert_eq!((batches.len(), used), (2, text.len() + 9));
        assert_eq!(batches[0].records().count(), 4);
        assert_eq!((batches[1].lines.as_slice(), batches[1].queued.is_empty()), (&own(&["c"])[..], true));
    }
}
