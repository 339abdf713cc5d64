//! I1: what was acknowledged is in the input of exactly one batch, and that batch's output is there.
//!
//! Verified: the lines of the tap's file, in the end, are exactly the acknowledged ones, in the order in which they were
//! sent; lost, duplicated, reordered and phantom lines are told apart. The expectation comes from the source's ledger. A
//! source that cannot resume hears of no acknowledgement: there it is what the journal held, read from the journal files
//! that ever were; and what was delivered on the connections bounds it from above. What was damaged before a mark said that it is durable
//! counts if it is in a batch alone: no start can tell it from a torn write.
//!
//! A line that the source repeats is a record each time. Where damage stopped the driver for good, it is what was emitted
//! that is held against that: it must be a beginning of the lines, and what was durably complete must be in the file still.
//!
//! Of a line the record is what the scenario's options let the driver take of it. What a queue owes is in `queue`.
//!
//! What an orderly stop owes beyond this is in `orderly_stop`, what is owed to a connection that ended in order in `orderly_end`.
//!
//! Not verified: what a `tcp` source lost on the way otherwise; that is counted in the ledger, not judged.

use super::{Case, Findings, image, orderly_end, orderly_stop, queue};
use crate::{
    network::SeenEnd,
    run::{Evidence, LifeEvidence, TappedBatch},
    scenario::Scenario,
    source::{Mode, Script},
};
use highwater_core::{
    event::Event,
    ids::{BlockId, Generation, SourceId},
    journal::{Record, Segment, SegmentName, decode_marks},
    source::BlockData,
};
use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

pub(super) fn judge(case: &Case<'_>) -> Findings {
    let evidence = case.evidence;
    let batches = evidence.batches();
    let found: Vec<&str> = batches.iter().flat_map(|batch| &batch.lines).map(String::as_str).collect();
    let mut violations = Vec::new();
    let (in_the_file, garbage) = evidence.tapped();
    if evidence.detected().is_some() {
        violations.extend(not_kept(evidence, &in_the_file));
    } else if garbage > 0 {
        violations.push(format!("{garbage} bytes at the end of the tap's file are no batch"));
    }
    violations.extend(
        evidence
            .source
            .violations
            .iter()
            .map(|violation| format!("the driver broke the protocol: {violation}")),
    );
    let sent_lines = |count| sent_lines(case.scenario, case.script, count);
    let acknowledged = acknowledged_lines(case.scenario, case.script, evidence);
    let mut expected = acknowledged.unwrap_or_else(|error| {
        violations.push(error);
        Vec::new()
    });
    if case.scenario.mode == Mode::Tcp {
        violations.extend(undelivered(case, &expected));
        violations.extend(orderly_end::violations(case, &expected));
    }
    let seen = format!("{} records acknowledged, {} in the output", expected.len(), found.len());
    if evidence.detected().is_some() {
        // It may have stopped before it emitted them all, or before it acknowledged what it emitted.
        expected = match case.scenario.mode {
            Mode::Resume => sent_lines(evidence.source.sent),
            Mode::Tcp => expected,
        };
        expected.truncate(found.len());
    }
    let sent = sent_lines(evidence.source.sent);
    violations.extend(differences(&expected, &found, &sent));
    violations.extend(queue::violations(&case.scenario.queue, &batches, evidence.class()));
    violations.extend(orderly_stop::violations(case));
    Findings { seen, violations }
}

/// A batch that is durably complete and not in the output file any more: also a driver that stops for good keeps what it
/// finished.
fn not_kept(evidence: &Evidence, in_the_file: &[TappedBatch]) -> Option<String> {
    let completed = image::completed(&evidence.last_written())?;
    let emitted = evidence.emitted().into_iter().filter(|batch| batch.time <= completed);
    let mut kept = in_the_file.iter();
    emitted
        .map(|batch| (batch.time, kept.next() == Some(&batch)))
        .find(|(_, is_kept)| !is_kept)
        .map(|(time, _)| format!("batch {time} was complete and is not in the output as it was emitted"))
}

/// The differences of two sequences, in which a line may come several times: told once for each line, and that the order of those
/// differs that are there as often as expected. What is found and not expected is invented, unless it was sent.
fn differences(expected: &[String], found: &[&str], sent: &[String]) -> Vec<String> {
    if expected.iter().map(String::as_str).eq(found.iter().copied()) {
        return Vec::new();
    }
    /// How often a line comes, and the number of the record that it is first.
    #[derive(Default)]
    struct Count {
        expected: usize,
        found: usize,
        first: usize,
    }
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    for (number, line) in expected.iter().enumerate() {
        let count = counts.entry(line).or_insert_with(|| Count { first: number, ..Count::default() });
        count.expected += 1;
    }
    for line in found {
        counts.entry(line).or_default().found += 1;
    }
    let is_equal = |line: &str| counts.get(line).is_some_and(|count| count.expected == count.found);
    let mut in_order = expected.iter().enumerate().filter(|(_, line)| is_equal(line));
    let mut as_found = found.iter().filter(|line| is_equal(line));
    let reordered = in_order.find(|(_, line)| as_found.next() != Some(&line.as_str()));
    let reordered = reordered.map(|(at, _)| format!("the records are reordered from record {at} on"));
    let mut unequal: Vec<_> = counts.into_iter().filter(|(_, count)| count.expected != count.found).collect();
    // What was not to be there comes last.
    unequal.sort_by_key(|(_, count)| (count.expected == 0, count.first));
    let tell = |(line, Count { expected, found, first }): (&str, Count)| match (expected, found) {
        (0, _) if sent.iter().any(|sent| sent == line) => {
            format!("this record was never acknowledged, and is there: {line:?}")
        }
        (0, _) => format!("nobody sent this record: {line:?}"),
        (1, 0) => format!("record {first} is lost: {line:?}"),
        (1, _) => format!("record {first} is there {found} times: {line:?}"),
        _ => format!(
            "record {first} and its repetitions, {expected} in all, are there {found} times: {line:?}"
        ),
    };
    unequal.into_iter().map(tell).chain(reordered).collect()
}

/// The lines that the driver may not lose, in their order.
///
/// # Errors
/// Two blocks of one number that differ.
pub(crate) fn acknowledged_lines(
    scenario: &Scenario,
    script: &Script,
    evidence: &Evidence,
) -> Result<Vec<String>, String> {
    match evidence.source.mode {
        Mode::Resume => Ok(sent_lines(scenario, script, evidence.source.acknowledged as usize)),
        Mode::Tcp => journalled_lines(evidence),
    }
}

/// What the driver has to make of the first lines of the script.
fn sent_lines(scenario: &Scenario, script: &Script, count: usize) -> Vec<String> {
    let text = |line: &crate::source::Line| script.received(&line.text, scenario.options.line_bytes_max);
    script.lines.iter().take(count).map(text).collect()
}

/// The lines of all blocks that the journal ever held, in the order of their blocks.
fn journalled_lines(evidence: &Evidence) -> Result<Vec<String>, String> {
    let last = evidence.last_written();
    let segments = image::all_segments(evidence, &last);
    let stored = stored_blocks(evidence);
    let allocated = allocated_blocks(&segments);
    let ever_stored: BTreeSet<Key> = stored.iter().map(|(_, block)| *block).collect();
    let two_drivers = evidence.had_two_drivers();
    let (mut blocks, mut doubtful) = (BTreeMap::new(), Vec::new());
    for (name, segment) in segments {
        let damaged_from = damaged_from(evidence, name);
        let marked_until = marked_until(evidence, name);
        for (offset, length, record) in segment.records {
            let Record::Block(block) = record else { continue };
            let key = (block.source, block.block);
            // Of an older driver, which found out that it was replaced before it acknowledged it.
            if two_drivers && !ever_stored.contains(&key) && !allocated.contains(&key) {
                continue;
            }
            let end = offset + length;
            let is_stored = end <= marked_until || stored.contains(&(name.generation, key));
            if damaged_from.is_some_and(|from| from < end) && !is_stored {
                doubtful.push((key, (name.generation, block.data)));
                continue;
            }
            match blocks.entry(key) {
                Entry::Vacant(entry) => drop(entry.insert((name.generation, block.data))),
                // Of two drivers at once the older one's is what it never acknowledged.
                Entry::Occupied(mut entry) if two_drivers && entry.get().0 != name.generation => {
                    if entry.get().0 < name.generation {
                        entry.insert((name.generation, block.data));
                    }
                }
                Entry::Occupied(entry) if entry.get().1 == block.data => {}
                Entry::Occupied(_) => {
                    return Err(format!("the journal held two blocks {} of source {}", key.1, key.0));
                }
            }
        }
    }
    // A start may have read one before it was damaged: then it is in a batch, and no other has its number.
    for (key, block) in doubtful.into_iter().filter(|(key, _)| allocated.contains(key)) {
        blocks.entry(key).or_insert(block);
    }
    let lines = blocks.into_values().flat_map(|(_, data)| match &*data {
        BlockData::Text(text) => text.lines().map(str::to_owned).collect(),
        _ => Vec::new(),
    });
    Ok(lines.collect())
}

/// A block, by its source and its number there. Where a record never counted, its number is another one's.
type Key = (SourceId, BlockId);

/// The blocks of which a driver said that they are stored, with the generation that said so.
fn stored_blocks(evidence: &Evidence) -> BTreeSet<(Generation, Key)> {
    let of_life = |life: &LifeEvidence| {
        let generation = life.claim().map(|(_, generation)| generation);
        let stored = life.events.iter().filter_map(move |(_, event)| match event {
            Event::BlockStored { source, block, .. } => Some((generation?, (*source, *block))),
            _ => None,
        });
        stored.collect::<Vec<_>>()
    };
    evidence.lives.iter().flat_map(of_life).collect()
}

/// Up to which byte the marks of a segment say that it is durable.
fn marked_until(evidence: &Evidence, name: SegmentName) -> u64 {
    let marks = image::file(evidence, &image::marks_path(name));
    marks.and_then(|bytes| decode_marks(name, &bytes).ok()).map_or(0, |marks| marks.length)
}

/// Where the damage of a segment begins, if it has any.
fn damaged_from(evidence: &Evidence, name: SegmentName) -> Option<u64> {
    let of_it = |path: &str| image::segment_name(path) == Some(name);
    let damages = evidence.damages.iter().filter(|damage| of_it(&damage.path));
    damages.map(|damage| damage.bytes.start).min()
}

/// The blocks that are in a batch.
fn allocated_blocks(segments: &[(SegmentName, Segment)]) -> BTreeSet<Key> {
    let records = segments.iter().flat_map(|(_, segment)| &segment.records);
    let ranges = records.flat_map(|(_, _, record)| match record {
        Record::Allocation(allocation) => allocation.blocks.as_slice(),
        _ => &[],
    });
    let blocks =
        ranges.flat_map(|range| (range.from.0..range.until.0).map(|block| (range.source, BlockId(block))));
    blocks.collect()
}

/// Journalled lines that were never delivered, or in another order: each connection gives whole lines, and what was
/// unterminated when it ended in order.
fn undelivered(case: &Case<'_>, journalled: &[String]) -> Vec<String> {
    let mut delivered = Vec::new();
    for connection in &case.evidence.connections {
        let bytes = &connection.written[..connection.delivered as usize];
        let mut lines: Vec<_> = bytes.split(|byte| *byte == b'\n').map(|line| case.received(line)).collect();
        let rest = lines.pop().filter(|rest| !rest.is_empty());
        delivered.extend(lines);
        if matches!(connection.seen_end, Some(SeenEnd::Orderly)) {
            delivered.extend(rest);
        }
    }
    let mut ahead = delivered.iter();
    let strange = journalled.iter().filter(|line| !ahead.any(|delivered| delivered == line.as_str()));
    strange
        .take(1)
        .map(|line| format!("journalled and not delivered, or not in this order: {line:?}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(expected: &[&str], found: &[&str]) -> Vec<String> {
        let own = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        differences(&own(expected), found, &own(&["a", "b", "c", "late"]))
    }

    #[test]
    fn a_repeated_line_is_a_record_each_time() {
        let expected = ["a", "b", "a", "c"];
        assert!(told(&expected, &expected).is_empty());
        assert_eq!(
            told(&expected, &["a", "b", "c"]),
            ["record 0 and its repetitions, 2 in all, are there 1 times: \"a\""]
        );
        assert_eq!(told(&expected, &["a", "a", "b", "c"]), ["the records are reordered from record 1 on"]);
        assert_eq!(
            told(&expected, &["x", "a", "a", "c", "c"]),
            ["record 1 is lost: \"b\"", "record 3 is there 2 times: \"c\"", "nobody sent this record: \"x\""]
        );
        assert_eq!(
            told(&expected, &["c", "b", "a"]),
            [
                "record 0 and its repetitions, 2 in all, are there 1 times: \"a\"",
                "the records are reordered from record 1 on"
            ]
        );
        let never_acknowledged = ["this record was never acknowledged, and is there: \"late\""];
        assert_eq!(told(&expected, &["a", "b", "a", "c", "late"]), never_acknowledged);
    }
}
