//! Reading segments: what is there, what is torn, what is damaged.

use super::{Inherited, Location, Marks, Record, SegmentHeader, SegmentName, decode_marks, outline::outline};
use crate::{
    codec::{self, Frame, FrameError, Kind},
    env::{Disk, Env},
    error::{Error, Result},
    ids::{BlockId, SegmentId, SourceId},
    source::BlockData,
};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

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

impl Segment {
    /// Whether all records are there that were written together with its header. Where they are not, and no mark says that they
    /// were durable, its begin was cut off.
    pub fn is_begun(&self) -> bool {
        self.records.len() as u64 >= self.header.carried
    }
}

/// Decodes a segment as far as it is valid. What is behind may be torn or damaged: that is the caller's to judge.
///
/// # Errors
/// Why the file has no valid header.
pub fn decode_segment(name: SegmentName, bytes: &[u8]) -> std::result::Result<Segment, FrameError> {
    let (header, mut at) = decode_header(name, bytes)?;
    let mut records = Vec::new();
    let mut tail = None;
    while at < bytes.len() {
        match decode_next(name, records.len() as u64 + 1, &bytes[at..]) {
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

/// The header at the start of a segment, and how long it is.
pub(super) fn decode_header(
    name: SegmentName,
    bytes: &[u8],
) -> std::result::Result<(SegmentHeader, usize), FrameError> {
    let (frame, length) = codec::read_frame(bytes)?;
    let header: SegmentHeader = frame.decode()?;
    if header.name != name || frame.generation != name.generation || frame.sequence != 0 {
        return Err(FrameError::Header { field: "segment name" });
    }
    Ok((header, length))
}

/// The record of this number at the start of `bytes`, and how long it is.
pub(super) fn decode_next(
    name: SegmentName,
    sequence: u64,
    bytes: &[u8],
) -> std::result::Result<(Record, usize), FrameError> {
    let (frame, length) = codec::read_frame(bytes)?;
    if frame.generation != name.generation || frame.sequence != sequence {
        return Err(FrameError::Header { field: "generation or sequence number" });
    }
    Ok((decode_record(&frame)?, length))
}

fn decode_record(frame: &Frame<'_>) -> std::result::Result<Record, FrameError> {
    match frame.kind {
        Kind::Block => {
            let block: super::Block = frame.decode()?;
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
    /// The needed segments, oldest first, with all that can be read of the newest.
    pub segments: Vec<(SegmentName, Segment)>,
    /// What the next segment has to go on from.
    pub inherited: Inherited,
    /// Bytes dropped behind the valid end of the newest segment.
    pub torn_bytes: u64,
}

/// The segments of the directory, and the marks, by name.
pub(crate) async fn list_segments(env: &Env, journal: &Path) -> Result<(Vec<SegmentName>, Vec<SegmentName>)> {
    let files = match env.disk.list(journal).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
        files => files.map_err(Error::disk("list", journal))?,
    };
    Ok((segments_in(&files, WAL), segments_in(&files, ".durable")))
}

/// How the names of segments end.
pub(crate) const WAL: &str = ".wal";

/// The segments whose files with this ending are among `files`.
pub(crate) fn segments_in(files: &[String], ending: &str) -> Vec<SegmentName> {
    files.iter().filter_map(|name| SegmentName::parse(name.strip_suffix(ending)?)).collect()
}

/// What is kept of the records that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// All of them; the file is in memory meanwhile. For a recovery.
    Everything,
    /// All but what is in the blocks; of the file a window is in memory. For an inspection.
    Outline,
}

/// Reads all segments from number `from` on. `seen` is the newest segment that an earlier listing had.
///
/// # Errors
/// [`Error::Damaged`] for anything but a torn tail of the newest segment, [`Error::Disk`].
pub(crate) async fn read_journal(
    env: &Env,
    journal: &Path,
    from: SegmentId,
    seen: Option<SegmentName>,
    keep: Keep,
) -> Result<FoundJournal> {
    match look(env, journal, from, seen, keep).await? {
        Look::Whole(found) => Ok(found),
        // An older driver may have begun it between the listing and the reading of the marks: then it is there now.
        Look::Continued(_) => match look(env, journal, from, seen, keep).await? {
            Look::Whole(found) => Ok(found),
            Look::Continued(next) => Err(missing(&next.wal(journal))),
        },
    }
}

/// What one look at a journal finds.
enum Look {
    /// All of it.
    Whole(FoundJournal),
    /// The newest segment that was begun says that this one follows it.
    Continued(SegmentName),
}

async fn look(
    env: &Env,
    journal: &Path,
    from: SegmentId,
    seen: Option<SegmentName>,
    keep: Keep,
) -> Result<Look> {
    let (mut names, mut marks) = list_segments(env, journal).await?;
    let is_stale =
        |names: &[SegmentName]| names.iter().map(|name| name.age()).max() < seen.map(SegmentName::age);
    if is_stale(&names) {
        (names, marks) = list_segments(env, journal).await?;
    }
    if is_stale(&names) {
        return Err(stale_list(journal));
    }
    let next =
        names.iter().chain(&marks).map(|name| name.segment).max().map_or(SegmentId(0), SegmentId::next);
    let inherited = Inherited { next, ..Inherited::default() };
    let mut found = FoundJournal { segments: Vec::new(), inherited, torn_bytes: 0 };
    // The newest segment that was begun decides what holds of those before it: of the newest generation, since an older driver
    // that is still alive may begin further ones before it finds that it was replaced.
    let mut newest_first: Vec<_> =
        names.iter().chain(&marks).filter(|name| name.segment >= from).copied().collect();
    newest_first.sort_unstable_by_key(|name| std::cmp::Reverse(name.age()));
    newest_first.dedup();
    for name in newest_first {
        let path = name.wal(journal);
        let marked = read_marks(env, journal, name).await?;
        if !names.contains(&name) {
            match marked.written {
                // Begun and never finished, or removed because nothing needs it.
                0 => continue,
                _ => return Err(missing(&path)),
            }
        }
        let read = read_segment(&*env.disk, name, &path, u64::MAX, keep).await?;
        // It was listed.
        let (bytes, decoded) =
            read.ok_or_else(|| Error::changed("read", &path)(ErrorKind::NotFound.into()))?;
        if bytes < marked.length {
            let reason = format!("it ends here, but was durable up to byte {}", marked.length);
            return Err(Error::Damaged { path, offset: bytes, reason });
        }
        let segment = match decoded {
            // Begun and never finished: nothing was ever acknowledged from it.
            Err(error) if marked.written == 0 && !matches!(error, FrameError::Version { .. }) => {
                found.torn_bytes += bytes;
                continue;
            }
            segment => segment.map_err(|error| Error::damaged(&path, 0, &error))?,
        };
        if marked.written == 0 && !segment.is_begun() {
            found.torn_bytes += bytes;
            continue;
        }
        match &segment.tail {
            Some(tail) if !marked.hold_of(&segment) || matches!(tail, FrameError::Version { .. }) => {
                return Err(Error::damaged(&path, segment.length, tail));
            }
            None if !marked.hold_of(&segment) => {
                let reason = format!("it ends here, but more was durable before mark {}", marked.written);
                return Err(Error::Damaged { path, offset: segment.length, reason });
            }
            _ => {}
        }
        if marked.continued {
            return Ok(Look::Continued(SegmentName { segment: name.segment.next(), ..name }));
        }
        found.torn_bytes += bytes - segment.length;
        for (name, length) in segment.header.predecessors.iter().copied() {
            if name.segment >= from {
                let closed = read_closed(&*env.disk, name, name.wal(journal), length, keep).await?;
                found.segments.push((name, closed));
            }
            // Also one that is not needed here: an older checkpoint that is retained may need it.
            if name.segment >= from || names.contains(&name) {
                found.inherited.predecessors.push((name, length));
            }
        }
        found.inherited.take_over(name, &segment, marked.length);
        found.segments.push((name, segment));
        break;
    }
    Ok(Look::Whole(found))
}

/// Reads a segment of which a successor says how long it is valid.
async fn read_closed(
    disk: &dyn Disk,
    name: SegmentName,
    path: PathBuf,
    length: u64,
    keep: Keep,
) -> Result<Segment> {
    let read = read_segment(disk, name, &path, length, keep).await?;
    let (bytes, decoded) = read.ok_or_else(|| missing(&path))?;
    if bytes < length {
        let reason = format!("it ends here, but had {length} valid bytes when its successor was begun");
        return Err(Error::Damaged { path, offset: bytes, reason });
    }
    let segment = decoded.map_err(|error| Error::damaged(&path, 0, &error))?;
    match &segment.tail {
        Some(error) => Err(Error::damaged(&path, segment.length, error)),
        None if !segment.is_begun() => Err(Error::damaged(&path, segment.length, &FrameError::Incomplete)),
        None => Ok(segment),
    }
}

/// Reads a segment, as far as it is valid in its first `until` bytes, with the length of the whole file; `None` if it is not there.
async fn read_segment(
    disk: &dyn Disk,
    name: SegmentName,
    path: &Path,
    until: u64,
    keep: Keep,
) -> Result<Option<(u64, std::result::Result<Segment, FrameError>)>> {
    match keep {
        Keep::Everything => {
            let Some(bytes) = read_if_there(disk, path).await? else { return Ok(None) };
            let until = usize::try_from(until).unwrap_or(usize::MAX).min(bytes.len());
            Ok(Some((bytes.len() as u64, decode_segment(name, &bytes[..until]))))
        }
        Keep::Outline => outline(disk, name, path, until).await.map(Some),
    }
}

/// What is known of a segment beside its content: nothing, if there is no mark.
pub(crate) async fn read_marks(env: &Env, journal: &Path, name: SegmentName) -> Result<Marks> {
    let path = name.marks(journal);
    match read_if_there(&*env.disk, &path).await? {
        Some(bytes) => decode_marks(name, &bytes).map_err(|(at, error)| Error::damaged(&path, at, &error)),
        None => Ok(Marks::default()),
    }
}

/// The error of a file that should be there.
pub(crate) fn missing(path: &Path) -> Error {
    Error::Damaged { path: path.to_owned(), offset: 0, reason: "the file is missing".into() }
}

/// The error of a listing that twice lacks what was there before: of the moment, not of the directory.
pub(crate) fn stale_list(directory: &Path) -> Error {
    let stale = std::io::Error::other("the newest file is not in it, and was before");
    Error::disk("list", directory)(stale)
}

/// Reads a whole file that has to be there.
pub(crate) async fn read_file(disk: &dyn Disk, path: &Path) -> Result<Vec<u8>> {
    read_if_there(disk, path).await?.ok_or_else(|| missing(path))
}

/// Reads a whole file, if it is there: at least as much of it as it says that it has, if need be at the second try.
pub(crate) async fn read_if_there(disk: &dyn Disk, path: &Path) -> Result<Option<Vec<u8>>> {
    let length = match disk.length(path).await {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        length => length.map_err(Error::disk("read the length of", path))?,
    };
    let read = async {
        let mut bytes = disk.read(path, 0, usize::MAX).await?;
        if (bytes.len() as u64) < length {
            bytes = disk.read(path, 0, usize::MAX).await?;
        }
        match (bytes.len() as u64) < length {
            true => {
                let message = format!("{} of its {length} bytes were read", bytes.len());
                Err(std::io::Error::new(ErrorKind::UnexpectedEof, message))
            }
            false => Ok(bytes),
        }
    };
    read.await.map(Some).map_err(Error::changed("read", path))
}

/// The error of a file that has to be there.
pub(crate) fn cannot_read(path: &Path, error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => missing(path),
        _ => Error::disk("read", path)(error),
    }
}

/// Reads a block of a source again.
///
/// # Errors
/// [`Error::Damaged`] if it is not there any more, [`Error::Disk`].
pub(crate) async fn read_block(
    env: &Env,
    journal: &Path,
    (source, block): (SourceId, BlockId),
    at: Location,
) -> Result<Arc<BlockData>> {
    let path = at.segment.wal(journal);
    let length = usize::try_from(at.length).expect("a record is bounded");
    let bytes = env.disk.read(&path, at.offset, length).await.map_err(Error::disk("read", &path))?;
    let damaged = |error| Error::damaged(&path, at.offset, &error);
    let (frame, _) = codec::read_frame(&bytes).map_err(damaged)?;
    match decode_record(&frame).map_err(damaged)? {
        Record::Block(found) if (found.source, found.block) == (source, block) => Ok(found.data),
        _ => Err(damaged(FrameError::Header { field: "kind or number of the block" })),
    }
}
