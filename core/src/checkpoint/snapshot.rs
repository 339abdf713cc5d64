//! The data checkpoint: the state of every stateful operator, in one file.
//!
//! A header frame that says how many chunks follow, then a frame for each chunk. The checkpoint that names the file knows its
//! length and checksum, so a file that was cut at a record's border is found out.

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
use std::{path::Path, sync::Arc};

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
    pub chunk: Bytes,
}

impl Payload for OperatorState {
    const KIND: Kind = Kind::OperatorState;
    const SCHEMA: &'static str = "operator u32, chunk bytes";
}

/// How many bytes are encoded and written at once. A batch that waits for a thread waits no longer than this takes.
const PIECE_BYTES: usize = 1 << 20;

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
    generation: Generation,
    header: Option<SnapshotHeader>,
    chunks: std::vec::IntoIter<(OperatorId, Chunk)>,
    sequence: u64,
}

impl Encoder {
    fn new(frozen: Frozen) -> Self {
        Self {
            generation: frozen.id.generation,
            header: Some(SnapshotHeader { time: frozen.time, chunks: frozen.chunks.len() as u64 }),
            chunks: frozen.chunks.into_iter(),
            sequence: 0,
        }
    }

    fn has_more(&self) -> bool {
        self.chunks.len() > 0
    }

    /// The next bytes of the file.
    fn piece(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Some(header) = self.header.take() {
            codec::write_frame(&mut bytes, self.generation, 0, &header);
        }
        while bytes.len() < PIECE_BYTES
            && let Some((operator, chunk)) = self.chunks.next()
        {
            self.sequence += 1;
            let state = OperatorState { operator, chunk: Bytes(chunk()) };
            codec::write_frame(&mut bytes, self.generation, self.sequence, &state);
        }
        bytes
    }
}

/// Encodes the state after a batch and writes it, durably.
///
/// # Errors
/// [`Error::Fenced`], [`Error::Disk`], and [`Error::Batch`] if a state cannot be encoded.
pub(crate) async fn write_snapshot(
    env: &Env,
    directory: &CheckpointDirectory,
    frozen: Frozen,
) -> Result<SnapshotReference> {
    let (time, name) = (frozen.time, file_name(frozen.id));
    let mut encoder = Some(Encoder::new(frozen));
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
    if bytes.len() as u64 != reference.bytes {
        let (offset, expected) = (bytes.len() as u64, reference.bytes);
        return Err(Error::Damaged {
            path,
            offset,
            reason: format!("it ends here and should have {expected} bytes"),
        });
    }
    let damaged = |offset: usize, error: FrameError| Error::damaged(&path, offset as u64, &error);
    let (frame, mut at) = codec::read_frame(&bytes).map_err(|error| damaged(0, error))?;
    let header: SnapshotHeader = frame.decode().map_err(|error| damaged(0, error))?;
    let mut chunks = Vec::new();
    while at < bytes.len() {
        let (frame, length) = codec::read_frame(&bytes[at..]).map_err(|error| damaged(at, error))?;
        let state: OperatorState = frame.decode().map_err(|error| damaged(at, error))?;
        chunks.push((state.operator, state.chunk.0));
        at += length;
    }
    if chunks.len() as u64 != header.chunks
        || header.time != reference.time
        || crc32c::crc32c(&bytes) != reference.checksum
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
