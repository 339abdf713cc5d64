//! The data checkpoint: the state of every stateful operator, in one file.
//!
//! A header frame that says how many chunks follow, then the chunks. A chunk is a frame, or several where it is long: how long is the
//! author's matter, whose state for one key may be of any size. The checkpoint that names the file knows its length and checksum, so a
//! file that was cut at a record's border is found out.

use super::{CheckpointDirectory, SnapshotReference, store::file_name};
use crate::{
    codec::{self, Bytes, FrameError, Kind, Payload},
    dstream::{Chunk, Stateful},
    env::Env,
    error::{Error, Result},
    ids::{BatchTime, CheckpointId, Generation, OperatorId},
    state::KeyHasher,
};
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

#[derive(Serialize, Deserialize)]
pub(super) struct SnapshotHeader {
    pub time: BatchTime,
    pub chunks: u64,
}

impl Payload for SnapshotHeader {
    const KIND: Kind = Kind::SnapshotHeader;
    const SCHEMA: &'static str = "time u64, chunks u64";
}

#[derive(Serialize, Deserialize)]
pub(super) struct OperatorState {
    pub operator: OperatorId,
    /// Whether the chunk goes on in the next frame.
    pub goes_on: bool,
    pub chunk: Bytes,
}

impl Payload for OperatorState {
    const KIND: Kind = Kind::OperatorState;
    const SCHEMA: &'static str = "operator u32, goes on bool, bytes of a chunk of at most 1024 records";
}

/// The state after a batch as it was then, whatever becomes of it.
pub(crate) struct Frozen {
    /// Of the checkpoint of that batch: the snapshot's file has its name.
    id: CheckpointId,
    time: BatchTime,
    chunks: Vec<(OperatorId, Chunk)>,
}

impl Frozen {
    /// Freezes the state after batch `time`.
    pub fn new(id: CheckpointId, time: BatchTime, stateful: &[Arc<dyn Stateful>]) -> Self {
        let of_node = |node: &Arc<dyn Stateful>| {
            let id = node.id();
            node.freeze().into_iter().map(move |chunk| (id, chunk))
        };
        Self { id, time, chunks: stateful.iter().flat_map(of_node).collect() }
    }
}

/// Encodes a snapshot, piece by piece.
struct Encoder {
    /// How many bytes are encoded before others have their turn, and the most of a frame. A piece is up to twice as long, and encoding
    /// it takes as long as its last chunk takes: operators keep those short, as far as their records are.
    piece_bytes: usize,
    generation: Generation,
    header: Option<SnapshotHeader>,
    chunks: std::vec::IntoIter<(OperatorId, Chunk)>,
    /// A chunk that is written in part, and how much of it.
    begun: Option<(OperatorId, Vec<u8>, usize)>,
    sequence: u64,
}

impl Encoder {
    fn new(frozen: Frozen, piece_bytes: usize) -> Self {
        Self {
            piece_bytes,
            generation: frozen.id.generation,
            header: Some(SnapshotHeader { time: frozen.time, chunks: frozen.chunks.len() as u64 }),
            chunks: frozen.chunks.into_iter(),
            begun: None,
            sequence: 0,
        }
    }

    fn has_more(&self) -> bool {
        self.begun.is_some() || self.chunks.len() > 0
    }

    /// The next bytes of the file.
    fn piece(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(header) = self.header.take() {
            codec::write_frame(&mut bytes, self.generation, 0, &header);
        }
        while bytes.len() < self.piece_bytes
            && let Some((operator, chunk, from)) = self.chunk()
        {
            self.sequence += 1;
            let to = chunk.len().min(from + self.piece_bytes);
            let goes_on = to < chunk.len();
            let state = OperatorState { operator, goes_on, chunk: Bytes(chunk[from..to].to_vec()) };
            codec::write_frame(&mut bytes, self.generation, self.sequence, &state);
            self.begun = goes_on.then_some((operator, chunk, to));
        }
        bytes
    }

    /// The chunk that is begun, or the next one, and from where on it is to be written.
    fn chunk(&mut self) -> Option<(OperatorId, Vec<u8>, usize)> {
        let begun = self.begun.take();
        begun.or_else(|| self.chunks.next().map(|(operator, chunk)| (operator, chunk(), 0)))
    }
}

/// Encodes the state after a batch and writes it, durably, in pieces of about so many bytes.
///
/// # Errors
/// [`Error::Fenced`], [`Error::Disk`], and [`Error::Batch`] if a state cannot be encoded.
pub(crate) async fn write_snapshot(
    env: &Env,
    directory: &CheckpointDirectory,
    frozen: Frozen,
    piece_bytes: usize,
) -> Result<SnapshotReference> {
    let (time, name) = (frozen.time, file_name(frozen.id));
    let mut encoder = Some(Encoder::new(frozen, piece_bytes));
    let mut piece = next_piece(env, time, &mut encoder).await?;

    directory.check_fence().await?;
    let path = directory.snapshots().join(&name);
    let disk = &env.disk;
    let mut file = disk.create_new(&path).await.map_err(Error::disk("create", &path))?;
    let (mut bytes, mut checksum) = (0, 0);
    while !piece.is_empty() {
        file.append(&piece).await.map_err(Error::disk("append to", &path))?;
        bytes += piece.len() as u64;
        checksum = crc32c::crc32c_append(checksum, &piece);
        piece = next_piece(env, time, &mut encoder).await?;
    }
    file.sync().await.map_err(Error::disk("sync", &path))?;
    let snapshots = directory.snapshots();
    disk.sync_dir(&snapshots).await.map_err(Error::disk("sync the directory", &snapshots))?;
    Ok(SnapshotReference { time, name, bytes, checksum })
}

async fn next_piece(env: &Env, time: BatchTime, encoder: &mut Option<Encoder>) -> Result<Vec<u8>> {
    let (send, receive) = tokio::sync::oneshot::channel();
    let Some(mut encoding) = encoder.take() else { return Ok(Vec::new()) };
    let job = move || {
        let piece = encoding.piece();
        // The receiver is gone if the driver is stopping.
        let _ = send.send((encoding, piece));
    };
    let failed = |source| Error::Batch { time, source };
    env.executor.compute(Box::new(job)).await.map_err(failed)?;
    let (encoding, piece) = receive.await.map_err(|_| Error::TaskLost { task: "snapshot" })?;
    *encoder = encoding.has_more().then_some(encoding);
    Ok(piece)
}

/// Verifies a snapshot and returns its chunks by operator, without touching any state.
///
/// # Errors
/// [`Error::Damaged`], [`Error::Disk`].
pub(crate) async fn read_snapshot(
    env: &Env,
    snapshots: &Path,
    reference: &SnapshotReference,
) -> Result<Vec<(OperatorId, Vec<u8>)>> {
    // The name comes from a file: it must not lead out of the directory.
    let path = snapshots.join(Path::new(&reference.name).file_name().unwrap_or_default());
    let bytes = crate::journal::read_file(&*env.disk, &path).await?;
    chunks_of(path, &bytes, reference)
}

/// The chunks that these bytes of a snapshot hold.
fn chunks_of(
    path: PathBuf,
    bytes: &[u8],
    reference: &SnapshotReference,
) -> Result<Vec<(OperatorId, Vec<u8>)>> {
    if bytes.len() as u64 != reference.bytes {
        let (offset, expected) = (bytes.len() as u64, reference.bytes);
        return Err(Error::Damaged {
            path,
            offset,
            reason: format!("it ends here and should have {expected} bytes"),
        });
    }
    let damaged = |offset: usize, error: FrameError| Error::damaged(&path, offset as u64, &error);
    let (frame, mut at) = codec::read_frame(bytes).map_err(|error| damaged(0, error))?;
    let header: SnapshotHeader = frame.decode().map_err(|error| damaged(0, error))?;
    let mut chunks: Vec<(OperatorId, Vec<u8>)> = Vec::new();
    let mut goes_on = false;
    while at < bytes.len() {
        let (frame, length) = codec::read_frame(&bytes[at..]).map_err(|error| damaged(at, error))?;
        let state: OperatorState = frame.decode().map_err(|error| damaged(at, error))?;
        match chunks.last_mut().filter(|_| goes_on) {
            Some((operator, chunk)) if *operator == state.operator => chunk.extend(state.chunk.0),
            Some(_) => return Err(damaged(at, FrameError::Header { field: "operator" })),
            None => chunks.push((state.operator, state.chunk.0)),
        }
        goes_on = state.goes_on;
        at += length;
    }
    if goes_on
        || chunks.len() as u64 != header.chunks
        || header.time != reference.time
        || crc32c::crc32c(bytes) != reference.checksum
    {
        return Err(damaged(0, FrameError::Header { field: "time, number of chunks or checksum" }));
    }
    Ok(chunks)
}

/// Loads a snapshot's chunks into the operators of the graph, which must be empty.
///
/// # Errors
/// Which operator cannot take its chunk, and why.
pub(crate) fn restore(
    chunks: &[(OperatorId, Vec<u8>)],
    stateful: &[Arc<dyn Stateful>],
    hasher: KeyHasher,
) -> std::result::Result<(), String> {
    for (operator, _) in chunks {
        if stateful.iter().all(|node| node.id() != *operator) {
            return Err(format!("it has state of operator {operator}, which keeps none"));
        }
    }
    for node in stateful {
        let of_node = chunks.iter().filter(|(operator, _)| *operator == node.id());
        let of_node: Vec<&[u8]> = of_node.map(|(_, chunk)| &**chunk).collect();
        node.restore(&of_node, hasher)
            .map_err(|reason| format!("the state of operator {}: {reason}", node.id()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::CheckpointSequence;

    const PIECE_BYTES: usize = 4096;
    const TIME: BatchTime = BatchTime(2000);
    const ID: CheckpointId = CheckpointId { sequence: CheckpointSequence(4), generation: Generation(3) };

    fn chunk(operator: u32, bytes: &[u8]) -> (OperatorId, Vec<u8>) {
        (OperatorId(operator), bytes.to_vec())
    }

    /// The pieces of a snapshot of these chunks.
    fn pieces(chunks: &[(OperatorId, Vec<u8>)]) -> Vec<Vec<u8>> {
        let chunks = chunks.iter().cloned().map(|(id, bytes)| (id, Box::new(move || bytes) as Chunk));
        let mut encoder = Encoder::new(Frozen { id: ID, time: TIME, chunks: chunks.collect() }, PIECE_BYTES);
        let mut pieces = vec![encoder.piece()];
        while encoder.has_more() {
            pieces.push(encoder.piece());
        }
        pieces
    }

    fn read(bytes: &[u8]) -> Result<Vec<(OperatorId, Vec<u8>)>> {
        let (length, checksum) = (bytes.len() as u64, crc32c::crc32c(bytes));
        let reference = SnapshotReference { time: TIME, name: file_name(ID), bytes: length, checksum };
        chunks_of("snapshot".into(), bytes, &reference)
    }

    #[test]
    fn a_long_chunk_is_written_piece_by_piece_and_comes_back_whole() {
        let long: Vec<u8> = (0..5 * PIECE_BYTES / 2).map(|at| at as u8).collect();
        let chunks = [
            chunk(1, b"short"),
            chunk(1, &long),
            chunk(1, &long[..PIECE_BYTES]),
            chunk(2, &long[..2 * PIECE_BYTES]),
            chunk(2, b""),
            chunk(3, &long[1..]),
        ];
        let pieces = pieces(&chunks);
        let longest = pieces.iter().map(Vec::len).max();
        assert!(longest.is_some_and(|bytes| bytes < 2 * PIECE_BYTES + 256), "{longest:?}");
        assert_eq!(read(&pieces.concat()).unwrap(), chunks);
    }

    #[test]
    fn a_snapshot_that_ends_within_a_chunk_or_goes_on_with_another_is_damaged() {
        let mut frames = pieces(&[chunk(1, &[7; PIECE_BYTES + 1])]).concat();
        let first = {
            let (_, header) = codec::read_frame(&frames).unwrap();
            header + codec::read_frame(&frames[header..]).unwrap().1
        };
        assert!(read(&frames[..first]).is_err());
        frames.truncate(first);
        let other = OperatorState { operator: OperatorId(2), goes_on: false, chunk: Bytes(vec![7]) };
        codec::write_frame(&mut frames, ID.generation, 2, &other);
        let error = read(&frames).unwrap_err().to_string();
        assert!(error.contains("operator cannot be right"), "{error}");
    }
}
