//! Publishing and reading checkpoints. Above the disk this needs create-if-absent, get, list and delete alone.

use super::{Checkpoint, CheckpointDirectory};
use crate::{
    codec,
    env::Env,
    error::{Error, Result},
    event::Event,
    ids::{CheckpointId, CheckpointSequence, Generation},
    journal::SegmentName,
    listeners::Listeners,
};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

pub(super) const TEMPORARY: &str = ".tmp";

/// The file name of a checkpoint, and of the snapshot that it was the first to name.
pub(super) fn file_name(id: CheckpointId) -> String {
    format!("{:010}-{:010}", id.sequence.0, id.generation.0)
}

fn id_of(name: &str) -> Option<CheckpointId> {
    // The form is the segments' form: two numbers of ten digits.
    let name = SegmentName::parse(name)?;
    Some(CheckpointId { sequence: CheckpointSequence(name.segment.0), generation: name.generation })
}

/// The published checkpoints, newest first.
pub(crate) async fn list_checkpoints(env: &Env, checkpoints: &Path) -> Result<Vec<CheckpointId>> {
    let names = match env.disk.list(checkpoints).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        names => names.map_err(Error::disk("list", checkpoints))?,
    };
    let mut ids: Vec<_> = names.iter().filter_map(|name| id_of(name)).collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    Ok(ids)
}

/// Reads and verifies a checkpoint.
///
/// # Errors
/// [`Error::Damaged`], [`Error::Disk`].
pub(crate) async fn read_checkpoint(env: &Env, checkpoints: &Path, id: CheckpointId) -> Result<Checkpoint> {
    let path = checkpoints.join(file_name(id));
    let bytes = crate::journal::read_file(&*env.disk, &path).await?;
    let damaged = |error| Error::damaged(&path, 0, &error);
    let (frame, length) = codec::read_frame(&bytes).map_err(damaged)?;
    if frame.generation != id.generation || frame.sequence != id.sequence.0 {
        return Err(damaged(codec::FrameError::Header { field: "generation or sequence number" }));
    }
    if length != bytes.len() {
        let reason = format!("{} bytes follow its end", bytes.len() - length);
        return Err(Error::Damaged { path, offset: length as u64, reason });
    }
    frame.decode().map_err(damaged)
}

/// Publishes a checkpoint: in one step, and durably. One that exists is an error, never replaced.
///
/// # Errors
/// [`Error::Fenced`], [`Error::Disk`].
pub(crate) async fn publish(
    env: &Env,
    directory: &CheckpointDirectory,
    id: CheckpointId,
    checkpoint: &Checkpoint,
) -> Result<()> {
    let mut bytes = Vec::new();
    codec::write_frame(&mut bytes, id.generation, id.sequence.0, checkpoint);
    directory.check_fence().await?;
    put_if_absent(env, &directory.checkpoints(), &file_name(id), &bytes).await
}

/// Creates a file with this content, durably, unless the name is taken.
async fn put_if_absent(env: &Env, directory: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let temporary = directory.join(format!("{name}{TEMPORARY}"));
    let path = directory.join(name);
    let disk = &env.disk;
    let mut file = disk.create_new(&temporary).await.map_err(Error::disk("create", &temporary))?;
    file.append(bytes).await.map_err(Error::disk("append to", &temporary))?;
    file.sync().await.map_err(Error::disk("sync", &temporary))?;
    disk.rename(&temporary, &path).await.map_err(Error::disk("rename to", &path))?;
    disk.sync_dir(directory).await.map_err(Error::disk("sync the directory", directory))
}

/// Removes what earlier starts left behind unpublished.
///
/// # Errors
/// [`Error::Disk`].
pub(crate) async fn remove_temporaries(
    env: &Env,
    directory: &CheckpointDirectory,
    listeners: &Listeners,
) -> Result<()> {
    let checkpoints = directory.checkpoints();
    let names = env.disk.list(&checkpoints).await.map_err(Error::disk("list", &checkpoints))?;
    for name in names.into_iter().filter(|name| name.ends_with(TEMPORARY)) {
        remove(env, checkpoints.join(&name)).await?;
        listeners.tell(&Event::TemporaryRemoved { name: format!("checkpoint/{name}") });
    }
    Ok(())
}

/// Removes a file that may be gone already.
pub(super) async fn remove(env: &Env, path: PathBuf) -> Result<()> {
    match env.disk.remove(&path).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(Error::disk("remove", &path)),
    }
}

/// The generation in a file's name, for retention.
pub(super) fn is_older(name: &str, generation: Generation) -> bool {
    id_of(name).is_some_and(|id| id.generation < generation)
}
