//! A judge's own reading of a checkpoint directory: which published checkpoints are whole, and what is durably complete.
//!
//! It uses the engine's decoder of a single file, because the format is the engine's; which file counts, and what follows
//! from it, is decided here, from the design's text.

use crate::run::{Evidence, Image};
use highwater_core::{
    BatchTime,
    checkpoint::Checkpoint,
    codec::read_frame,
    ids::{CheckpointId, CheckpointSequence, Generation, SegmentId},
    journal::{Record, Segment, SegmentName, decode_segment},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

const ROOT: &str = "/checkpoint/";

/// The published checkpoints of an image, each decoded if it is whole together with its snapshot.
pub(super) fn checkpoints(image: &Image) -> BTreeMap<CheckpointId, Option<Checkpoint>> {
    published(image)
        .map(|(id, bytes)| (id, readable(id, bytes).filter(|one| has_its_snapshot(image, one))))
        .collect()
}

/// The checkpoints that are retained, as the newest says that can be read; an older one that is there all the same was removed.
pub(super) fn retained(image: &Image) -> Vec<CheckpointId> {
    let newest =
        published(image).filter_map(|(id, bytes)| Some((id, readable(id, bytes)?))).max_by_key(|(id, _)| *id);
    newest.map_or_else(Vec::new, |(_, newest)| newest.retained)
}

fn published(image: &Image) -> impl Iterator<Item = (CheckpointId, &[u8])> {
    image.iter().filter_map(|(path, bytes)| Some((checkpoint_id(path)?, bytes.as_slice())))
}

/// Which published checkpoint a path is of.
pub(super) fn checkpoint_id(path: &str) -> Option<CheckpointId> {
    let (sequence, generation) = path.strip_prefix(ROOT)?.strip_prefix("checkpoint/")?.split_once('-')?;
    let sequence = CheckpointSequence(sequence.parse().ok()?);
    Some(CheckpointId { sequence, generation: Generation(generation.parse().ok()?) })
}

/// Where the grid of batch times begins: as the newest image says that has a checkpoint.
pub(super) fn zero_time(evidence: &Evidence) -> Option<BatchTime> {
    let last = std::iter::once_with(|| evidence.last_written());
    let images = last.chain(evidence.lives.iter().rev().map(|life| life.written()));
    images
        .filter_map(|image| checkpoints(&image).into_values().flatten().next_back())
        .map(|it| it.zero_time)
        .next()
}

/// Where a checkpoint is.
pub(super) fn checkpoint_path(id: CheckpointId) -> String {
    format!("{ROOT}checkpoint/{:010}-{:010}", id.sequence.0, id.generation.0)
}

/// Where a claim is.
pub(super) fn claim_path(generation: Generation) -> String {
    format!("{ROOT}generation/{:010}", generation.0)
}

/// Where a snapshot is.
pub(super) fn snapshot_path(name: &str) -> String {
    format!("{ROOT}state/{name}")
}

fn readable(id: CheckpointId, bytes: &[u8]) -> Option<Checkpoint> {
    let (frame, length) = read_frame(bytes).ok()?;
    // Another checkpoint that landed here is whole, too, and not this one.
    if (frame.generation, frame.sequence) != (id.generation, id.sequence.0) {
        return None;
    }
    frame.decode().ok().filter(|_| length == bytes.len())
}

fn has_its_snapshot(image: &Image, checkpoint: &Checkpoint) -> bool {
    checkpoint.snapshot.as_ref().is_none_or(|snapshot| {
        let state = image.get(&snapshot_path(&snapshot.name));
        // Another snapshot that landed here is whole, too, and not this one.
        let is_named = |state: &&Vec<u8>| {
            (state.len() as u64, crc32c::crc32c(state)) == (snapshot.bytes, snapshot.checksum)
        };
        state.filter(is_named).is_some_and(|state| frames_fill(state))
    })
}

fn frames_fill(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        match read_frame(bytes) {
            Ok((_, length)) => bytes = &bytes[length..],
            Err(_) => return false,
        }
    }
    true
}

/// The name of a journal segment, from its path.
pub(super) fn segment_name(path: &str) -> Option<SegmentName> {
    SegmentName::parse(path.strip_prefix(&format!("{ROOT}journal/"))?.strip_suffix(".wal")?)
}

/// Where the marks of a segment are.
pub(super) fn marks_path(name: SegmentName) -> String {
    format!("{ROOT}journal/{name}.durable")
}

/// The name of the journal segment whose records or marks a file holds, from its path.
pub(super) fn journal_file(path: &str) -> Option<SegmentName> {
    let stem = path.strip_prefix(&format!("{ROOT}journal/"))?;
    SegmentName::parse(stem.strip_suffix(".wal").or_else(|| stem.strip_suffix(".durable"))?)
}

/// The segments that ever were, removed ones included, of which `last` is what is there in the end.
pub(super) fn all_segments(evidence: &Evidence, last: &Image) -> Vec<(SegmentName, Segment)> {
    // A removed file is what it was when it was removed; one that is there is what it is.
    let mut files: BTreeMap<&str, &[u8]> = BTreeMap::new();
    for buried in &evidence.graveyard {
        files.insert(&buried.path, &buried.content);
    }
    for (path, bytes) in last {
        files.insert(path, bytes);
    }
    segments(files.into_iter())
}

/// A file as it was when it was removed, or is in the end.
pub(super) fn file(evidence: &Evidence, path: &str) -> Option<Vec<u8>> {
    let buried = evidence.graveyard.iter().rev().find(|buried| buried.path == path);
    evidence.last_written().get(path).or(buried.map(|buried| &buried.content)).cloned()
}

/// The records of one segment, whatever its successors say of its length: removed, or there in the end.
pub(super) fn records(evidence: &Evidence, path: &str) -> Vec<(u64, Record)> {
    let bytes = file(evidence, path);
    let segment = segment_name(path).zip(bytes).and_then(|(name, bytes)| decode_segment(name, &bytes).ok());
    let records = segment.into_iter().flat_map(|segment| segment.records);
    records.map(|(offset, _, record)| (offset, record)).collect()
}

/// The segments of an image as far as they are valid, oldest first, each at most as long as its successors say. One of whose
/// carried records some are missing was never begun.
pub(super) fn segments<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<(SegmentName, Segment)> {
    let mut segments: Vec<(SegmentName, Segment)> = files
        .filter_map(|(path, bytes)| {
            let name = segment_name(path)?;
            Some((name, decode_segment(name, bytes).ok().filter(Segment::is_begun)?))
        })
        .collect();
    segments.sort_by_key(|(name, _)| *name);
    // What an older driver began after a newer one had begun its own journal is nobody's.
    let mut begun: BTreeMap<Generation, SegmentId> = BTreeMap::new();
    for (name, _) in &segments {
        begun.entry(name.generation).or_insert(name.segment);
    }
    segments.retain(|(name, _)| {
        let newer = (Bound::Excluded(name.generation), Bound::Unbounded);
        begun.range(newer).all(|(_, first)| name.segment < *first)
    });
    let limits: BTreeMap<SegmentName, u64> =
        segments.iter().flat_map(|(_, segment)| segment.header.predecessors.iter().copied()).collect();
    for (name, segment) in &mut segments {
        if let Some(limit) = limits.get(name) {
            segment.records.retain(|(offset, _, _)| offset < limit);
        }
    }
    segments
}

/// The last batch that the image says is complete.
///
/// What an older driver still wrote when a newer one had gone its own way says nothing: a checkpoint that it published after the
/// newer one's, and a completion in a segment that the newer one's does not name, because nothing stood there when it looked.
/// Neither was durable before the newer one had claimed its generation, and the newer one runs that batch.
pub(super) fn completed(image: &Image) -> Option<BatchTime> {
    let checkpoints = checkpoints(image).into_iter().filter_map(|(id, whole)| Some((id, whole?)));
    let newest = checkpoints.max_by_key(|(id, _)| (id.generation, id.sequence));
    let of_checkpoints = newest.map(|(_, checkpoint)| checkpoint.completed);
    let files = image.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
    let segments = segments(files);
    let newest = segments.iter().map(|(name, _)| name.generation).max();
    let is_newest = |name: &SegmentName| Some(name.generation) == newest;
    let of_newest = segments.iter().filter(|(name, _)| is_newest(name));
    let named: BTreeSet<SegmentName> =
        of_newest.flat_map(|(_, segment)| &segment.header.predecessors).map(|(name, _)| *name).collect();
    let of_journal = segments
        .iter()
        .filter(|(name, _)| is_newest(name) || named.contains(name))
        .flat_map(|(_, segment)| &segment.records)
        .filter_map(|(_, _, record)| match record {
            Record::Completion(completion) => Some(completion.time),
            _ => None,
        })
        .max();
    of_checkpoints.max(of_journal)
}
