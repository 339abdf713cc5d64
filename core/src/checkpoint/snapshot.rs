//! The data checkpoint: the state of every stateful operator, in one file.
//!
//! A header frame that says how many chunks follow, then a frame for each chunk. The checkpoint that names the file knows its
//! length and checksum, so a file that was cut at a record's border is found out.

use super::{CheckpointDirectory, SnapshotReference, store::file_name};
use crate::{
    codec::{self, FrameError, Kind, Payload},
    dstream::Stateful,
    env::Env,
    error::{Error, Result},
    ids::{BatchTime, CheckpointId, OperatorId},
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
    pub chunk: Vec<u8>,
}

impl Payload for OperatorState {
    const KIND: Kind = Kind::OperatorState;
    const SCHEMA: &'static str = "operator u32, chunk bytes";
}

/// Encodes the state after batch `time` and writes it, durably, under the name of the checkpoint that will name it.
///
/// # Errors
/// [`Error::Fenced`], [`Error::Disk`].
pub(crate) async fn write_snapshot(
    env: &Env,
    directory: &CheckpointDirectory,
    id: CheckpointId,
    time: BatchTime,
    stateful: &[Arc<dyn Stateful>],
) -> Result<SnapshotReference> {
    let (send, receive) = tokio::sync::oneshot::channel();
    let nodes = stateful.to_vec();
    let job = move || {
        let _ = send.send(encode(id, time, &nodes));
    };
    let failed = |source| Error::Batch { time, source };
    env.executor.compute(Box::new(job)).await.map_err(failed)?;
    let bytes = receive.await.map_err(|_| Error::TaskLost { task: "snapshot" })?;

    directory.check_fence().await?;
    let name = file_name(id);
    let path = directory.snapshots().join(&name);
    let disk = &env.disk;
    let mut file = disk.create_new(&path).await.map_err(Error::disk("create", &path))?;
    file.append(&bytes).await.map_err(Error::disk("append to", &path))?;
    file.sync().await.map_err(Error::disk("sync", &path))?;
    let snapshots = directory.snapshots();
    disk.sync_dir(&snapshots).await.map_err(Error::disk("sync the directory", &snapshots))?;
    Ok(SnapshotReference { time, name, bytes: bytes.len() as u64, checksum: crc32c::crc32c(&bytes) })
}

fn encode(id: CheckpointId, time: BatchTime, nodes: &[Arc<dyn Stateful>]) -> Vec<u8> {
    let chunks: Vec<_> = nodes
        .iter()
        .flat_map(|node| {
            node.freeze().into_iter().map(|chunk| OperatorState { operator: node.id(), chunk: chunk() })
        })
        .collect();
    let mut bytes = Vec::new();
    let header = SnapshotHeader { time, chunks: chunks.len() as u64 };
    codec::write_frame(&mut bytes, id.generation, 0, &header);
    for (sequence, chunk) in (1..).zip(&chunks) {
        codec::write_frame(&mut bytes, id.generation, sequence, chunk);
    }
    bytes
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
        chunks.push((state.operator, state.chunk));
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
