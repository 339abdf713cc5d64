//! Reading segments: what is there, what is torn, what is damaged.

use super::{Allocation, Block, Completion, DurableMark, Location, SegmentHeader, SegmentName};
use crate::{
    codec::{self, Frame, FrameError, Kind},
    env::{Disk, Env},
    error::{Error, Result},
    ids::SegmentId,
    source::BlockData,
};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A record of a segment, after its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Received records.
    Block(Block),
    /// The blocks of a batch.
    Allocation(Allocation),
    /// A batch is done.
    Completion(Completion),
}

/// A segment's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its header.
    pub header: SegmentHeader,
    /// Its records with their offset and length in bytes, in order.
    pub records: Vec<(u64, u64, Record)>,
    /// How many bytes of the file are valid.
    pub length: u64,
    /// What stands behind them.
    pub tail: Option<FrameError>,
}

/// Decodes a segment as far as it is valid. What is behind may be torn or damaged: that is the caller's to judge.
///
/// # Errors
/// Why the file has no valid header.
pub fn decode_segment(name: SegmentName, bytes: &[u8]) -> std::result::Result<Segment, FrameError> {
    let (frame, mut at) = codec::read_frame(bytes)?;
    let header: SegmentHeader = frame.decode()?;
    if header.name != name || frame.generation != name.generation || frame.sequence != 0 {
        return Err(FrameError::Header { field: "segment name" });
    }
    let mut records = Vec::new();
    let mut tail = None;
    while at < bytes.len() {
        let next = codec::read_frame(&bytes[at..]).and_then(|(frame, length)| {
            let sequence = records.len() as u64 + 1;
            if frame.generation != name.generation || frame.sequence != sequence {
                return Err(FrameError::Header { field: "generation or sequence number" });
            }
            Ok((decode_record(&frame)?, length))
        });
        match next {
            Ok((record, length)) => {
                records.push((at as u64, length as u64, record));
                at += length;
            }
            Err(error) => {
                tail = Some(error);
                break;
            }
        }
    }
    Ok(Segment { header, records, length: at as u64, tail })
}

fn decode_record(frame: &Frame<'_>) -> std::result::Result<Record, FrameError> {
    match frame.kind {
        Kind::Block => {
            let block: Block = frame.decode()?;
            if let BlockData::Text(text) = &*block.data
                && !text.is_sound()
            {
                return Err(FrameError::Payload("the lines' ends are out of order".into()));
            }
            Ok(Record::Block(block))
        }
        Kind::Allocation => frame.decode().map(Record::Allocation),
        Kind::Completion => frame.decode().map(Record::Completion),
        _ => Err(FrameError::Header { field: "kind" }),
    }
}

/// A journal as a recovery finds it.
pub(crate) struct FoundJournal {
    /// The needed segments, oldest first.
    pub segments: Vec<(SegmentName, Segment)>,
    /// Older ones with their valid lengths: not needed here, but an older checkpoint that is retained may need them.
    pub older: Vec<(SegmentName, u64)>,
    /// The number for the next segment.
    pub next: SegmentId,
    /// Bytes dropped behind the valid end of the newest segment.
    pub torn_bytes: u64,
}

/// The segments of the directory, and the marks, by name.
pub(crate) async fn list_segments(env: &Env, journal: &Path) -> Result<(Vec<SegmentName>, Vec<SegmentName>)> {
    let files = match env.disk.list(journal).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
        files => files.map_err(Error::disk("list", journal))?,
    };
    let with = |extension: &str| {
        files.iter().filter_map(|name| SegmentName::parse(name.strip_suffix(extension)?)).collect::<Vec<_>>()
    };
    Ok((with(".wal"), with(".durable")))
}

/// Reads all segments from number `from` on.
///
/// # Errors
/// [`Error::Damaged`] for anything but a torn tail of the newest segment, [`Error::Disk`].
pub(crate) async fn read_journal(env: &Env, journal: &Path, from: SegmentId) -> Result<FoundJournal> {
    let (names, marks) = list_segments(env, journal).await?;
    let next =
        names.iter().chain(&marks).map(|name| name.segment).max().map_or(SegmentId(0), SegmentId::next);
    let mut found = FoundJournal { segments: Vec::new(), older: Vec::new(), next, torn_bytes: 0 };
    if let Some(orphan) = marks.iter().find(|mark| mark.segment >= from && !names.contains(mark))
        && durable_length(env, journal, *orphan).await? > 0
    {
        return Err(missing(&orphan.wal(journal)));
    }
    // The newest segment that was begun decides what holds of those before it: of the newest generation, since an older driver
    // that is still alive may begin further ones before it finds that it was replaced.
    let mut newest_first: Vec<_> = names.iter().filter(|name| name.segment >= from).collect();
    newest_first.sort_unstable_by_key(|name| std::cmp::Reverse((name.generation, name.segment)));
    for name in newest_first {
        let path = name.wal(journal);
        let durable = durable_length(env, journal, *name).await?;
        let bytes = read_file(&*env.disk, &path).await?;
        if (bytes.len() as u64) < durable {
            let reason = format!("it ends here, but was durable up to byte {durable}");
            return Err(Error::Damaged { path, offset: bytes.len() as u64, reason });
        }
        match decode_segment(*name, &bytes) {
            // Begun and never finished: nothing was ever acknowledged from it.
            Err(error) if durable == 0 && !matches!(error, FrameError::Version { .. }) => {
                found.torn_bytes += bytes.len() as u64;
            }
            Err(error) => return Err(Error::damaged(&path, 0, &error)),
            Ok(segment) => {
                if let Some(tail) = &segment.tail {
                    if segment.length < durable || matches!(tail, FrameError::Version { .. }) {
                        return Err(Error::damaged(&path, segment.length, tail));
                    }
                    found.torn_bytes += bytes.len() as u64 - segment.length;
                }
                let predecessors = segment.header.predecessors.clone();
                let (older, needed): (Vec<_>, Vec<_>) =
                    predecessors.into_iter().partition(|(name, _)| name.segment < from);
                found.older = older;
                for (name, length) in needed {
                    let path = name.wal(journal);
                    found.segments.push((name, read_closed(&*env.disk, name, path, length).await?));
                }
                found.segments.push((*name, segment));
                break;
            }
        }
    }
    Ok(found)
}

/// Reads a segment of which a successor says how long it is valid.
async fn read_closed(disk: &dyn Disk, name: SegmentName, path: PathBuf, length: u64) -> Result<Segment> {
    let bytes = read_file(disk, &path).await?;
    let Some(bytes) = usize::try_from(length).ok().and_then(|length| bytes.get(..length)) else {
        let reason = format!("it ends here, but had {length} valid bytes when its successor was begun");
        return Err(Error::Damaged { path, offset: bytes.len() as u64, reason });
    };
    let segment = decode_segment(name, bytes).map_err(|error| Error::damaged(&path, 0, &error))?;
    match &segment.tail {
        Some(error) => Err(Error::damaged(&path, segment.length, error)),
        None => Ok(segment),
    }
}

/// The length up to which a segment is known to be durable; 0 if nothing is known.
async fn durable_length(env: &Env, journal: &Path, name: SegmentName) -> Result<u64> {
    let path = name.marks(journal);
    let bytes = match env.disk.length(&path).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        _ => read_file(&*env.disk, &path).await?,
    };
    // Marks only grow; one that is damaged, and what is behind it, says nothing. Each true one is a lower bound.
    let (mut at, mut durable) = (0, 0);
    loop {
        match codec::read_frame(&bytes[at..]).and_then(|(frame, length)| Ok((frame.decode()?, length))) {
            Ok((DurableMark { length: marked }, length)) => {
                durable = durable.max(marked);
                at += length;
            }
            // Not damage: another release was here, and what it says must not be left out.
            Err(error @ FrameError::Version { .. }) => return Err(Error::damaged(&path, at as u64, &error)),
            Err(_) => return Ok(durable),
        }
    }
}

fn missing(path: &Path) -> Error {
    Error::Damaged { path: path.to_owned(), offset: 0, reason: "the file is missing".into() }
}

pub(crate) async fn read_file(disk: &dyn Disk, path: &Path) -> Result<Vec<u8>> {
    let read = async {
        let length = disk.length(path).await?;
        let length = usize::try_from(length).map_err(|_| ErrorKind::FileTooLarge)?;
        disk.read(path, 0, length).await
    };
    read.await.map_err(|error| match error.kind() {
        ErrorKind::NotFound => missing(path),
        _ => Error::disk("read", path)(error),
    })
}

/// Reads one block again.
///
/// # Errors
/// [`Error::Damaged`] if it is not there any more, [`Error::Disk`].
pub(crate) async fn read_block(env: &Env, journal: &Path, at: Location) -> Result<Arc<BlockData>> {
    let path = at.segment.wal(journal);
    let length = usize::try_from(at.length).expect("a record is bounded");
    let bytes = env.disk.read(&path, at.offset, length).await.map_err(Error::disk("read", &path))?;
    let damaged = |error| Error::damaged(&path, at.offset, &error);
    let (frame, _) = codec::read_frame(&bytes).map_err(damaged)?;
    match decode_record(&frame).map_err(damaged)? {
        Record::Block(block) => Ok(block.data),
        _ => Err(damaged(FrameError::Header { field: "kind" })),
    }
}

#[cfg(all(test, feature = "os"))]
mod tests {
    use super::*;
    use crate::{
        ids::{BatchTime, Generation},
        journal::{Entry, Journal},
        listeners::Listeners,
    };

    #[test]
    fn a_segment_that_a_replaced_driver_began_late_hides_nothing() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        runtime.block_on(async {
            let env = crate::os::env_with_threads(1);
            let begin = async |generation, segment, predecessors| {
                let (directory, listeners) = (directory.path().to_owned(), Listeners::default());
                let (generation, segment) = (Generation(generation), SegmentId(segment));
                Journal::begin(&env, directory, generation, segment, predecessors, 1 << 20, listeners)
                    .await
                    .unwrap()
            };
            let (old, first) = begin(1, 0, vec![]).await;
            let entry = |time| Entry::Completion(Completion { time: BatchTime(time), sinks: Vec::new() });
            let located = old.append(vec![entry(1)], true).await.unwrap();
            let before = vec![(first, located[0].offset + located[0].length)];
            let (new, second) = begin(2, 1, before.clone()).await;
            new.append(vec![entry(2)], true).await.unwrap();
            let _late = begin(1, 2, before).await;
            let found = read_journal(&env, directory.path(), SegmentId(0)).await.unwrap();
            let names: Vec<_> = found.segments.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, [first, second]);
            assert_eq!(found.next, SegmentId(3));
        });
    }
}
