//! A snapshot without its state: every byte is read and every checksum looked at, in bounded memory.

use super::{
    SnapshotReference,
    snapshot::{OperatorState, SnapshotHeader},
};
use crate::{
    codec::{FrameError, Payload, read_frame},
    env::Disk,
    error::{Error, Result},
    ids::{BatchTime, OperatorId},
    window::Window,
};
use std::{collections::BTreeMap, path::Path};

/// What is in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SnapshotOutline {
    pub time: BatchTime,
    pub bytes: u64,
    /// Of each operator the number of its chunks, and their bytes.
    pub operators: BTreeMap<OperatorId, (u64, u64)>,
}

/// Verifies a snapshot, also against the checkpoint that names it, if one does.
///
/// # Errors
/// [`Error::Damaged`], [`Error::Disk`].
pub(crate) async fn outline_snapshot(
    disk: &dyn Disk,
    path: &Path,
    reference: Option<&SnapshotReference>,
) -> Result<SnapshotOutline> {
    let mut window = Window::open(disk, path, u64::MAX).await?;
    let bytes = window.file_bytes();
    if let Some(reference) = reference.filter(|reference| reference.bytes != bytes) {
        let reason = format!("it ends here and should have {} bytes", reference.bytes);
        return Err(Error::Damaged { path: path.to_owned(), offset: bytes, reason });
    }
    let damaged = |offset: u64, error: FrameError| Error::damaged(path, offset, &error);
    let header: SnapshotHeader = window.decode(decode).await?.map_err(|error| damaged(0, error))?;
    let (mut chunks, mut operators) = (0, BTreeMap::<OperatorId, (u64, u64)>::new());
    let mut going_on = None;
    while !window.is_at_end() {
        let at = window.offset();
        let state: OperatorState = window.decode(decode).await?.map_err(|error| damaged(at, error))?;
        let size = operators.entry(state.operator).or_default();
        size.1 += state.chunk.0.len() as u64;
        match going_on {
            None => {
                size.0 += 1;
                chunks += 1;
            }
            Some(operator) if operator == state.operator => {}
            Some(_) => return Err(damaged(at, FrameError::Header { field: "operator" })),
        }
        going_on = state.goes_on.then_some(state.operator);
    }
    let is_named = |reference: &SnapshotReference| {
        reference.time == header.time && reference.checksum == window.checksum()
    };
    if going_on.is_some() || chunks != header.chunks || !reference.is_none_or(is_named) {
        return Err(damaged(0, FrameError::Header { field: "time, number of chunks or checksum" }));
    }
    Ok(SnapshotOutline { time: header.time, bytes, operators })
}

fn decode<T: Payload>(bytes: &[u8]) -> std::result::Result<(T, usize), FrameError> {
    let (frame, length) = read_frame(bytes)?;
    Ok((frame.decode()?, length))
}
