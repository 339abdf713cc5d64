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

pub(crate) const TEMPORARY: &str = ".tmp";

/// The file name of a checkpoint, and of the snapshot of the state as it was then.
pub(crate) fn file_name(id: CheckpointId) -> String {
    format!("{:010}-{:010}", id.sequence.0, id.generation.0)
}

fn id_of(name: &str) -> Option<CheckpointId> {
    // The form is the segments' form: two numbers of ten digits.
    let name = SegmentName::parse(name)?;
    Some(CheckpointId { sequence: CheckpointSequence(name.segment.0), generation: name.generation })
}

/// The published checkpoints, newest first. Left out are those that an older driver published after a newer one had: they know
/// nothing of what that one did.
pub(crate) async fn list_checkpoints(env: &Env, checkpoints: &Path) -> Result<Vec<CheckpointId>> {
    let names = match env.disk.list(checkpoints).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        names => names.map_err(Error::disk("list", checkpoints))?,
    };
    Ok(checkpoints_in(&names))
}

/// The published checkpoints among `names`, as [`list_checkpoints`] has them.
pub(crate) fn checkpoints_in(names: &[String]) -> Vec<CheckpointId> {
    let mut ids: Vec<_> = names.iter().filter_map(|name| id_of(name)).collect();
    ids.sort_unstable();
    let mut newest = Generation(0);
    ids.retain(|id| {
        newest = newest.max(id.generation);
        id.generation == newest
    });
    // Of one number the newest generation's counts.
    ids.reverse();
    ids.dedup_by_key(|id| id.sequence);
    ids
}

/// Reads and verifies a checkpoint; `None` if it is not there, or not any more.
///
/// # Errors
/// [`Error::Damaged`], [`Error::Disk`].
pub(crate) async fn read_checkpoint(
    env: &Env,
    checkpoints: &Path,
    id: CheckpointId,
) -> Result<Option<Checkpoint>> {
    let path = checkpoints.join(file_name(id));
    let Some(bytes) = crate::journal::read_if_there(&*env.disk, &path).await? else { return Ok(None) };
    let damaged = |error| Error::damaged(&path, 0, &error);
    let (frame, length) = codec::read_frame(&bytes).map_err(damaged)?;
    if frame.generation != id.generation || frame.sequence != id.sequence.0 {
        return Err(damaged(codec::FrameError::Header { field: "generation or sequence number" }));
    }
    if length != bytes.len() {
        let reason = format!("{} bytes follow its end", bytes.len() - length);
        return Err(Error::Damaged { path, offset: length as u64, reason });
    }
    frame.decode().map(Some).map_err(damaged)
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
    let published = put_if_absent(env, directory, &file_name(id), &bytes).await;
    // A newer driver's start may have removed the temporary file: then that is what there is to tell. And it may have chosen another
    // checkpoint before this one had its name: then nothing may be removed because of this one.
    directory.check_fence().await?;
    published
}

/// Creates a checkpoint's file with this content, durably, unless the name is taken.
async fn put_if_absent(env: &Env, directory: &CheckpointDirectory, name: &str, bytes: &[u8]) -> Result<()> {
    let checkpoints = directory.checkpoints();
    let temporary = checkpoints.join(format!("{name}{TEMPORARY}"));
    let path = checkpoints.join(name);
    let disk = &env.disk;
    let mut file = disk.create_new(&temporary).await.map_err(Error::disk("create", &temporary))?;
    file.append(bytes).await.map_err(Error::disk("append to", &temporary))?;
    file.sync().await.map_err(Error::disk("sync", &temporary))?;
    // Writing it took a while: a newer driver may have found nothing here, and gone its own way.
    if let Err(error) = directory.check_fence().await {
        // That one has removed what it found. If this cannot be removed, the next start will.
        let _ = disk.remove(&temporary).await;
        return Err(error);
    }
    disk.rename(&temporary, &path).await.map_err(Error::changed("rename to", &path))?;
    disk.sync_dir(&checkpoints).await.map_err(Error::disk("sync the directory", &checkpoints))
}

/// Removes what older generations left behind unpublished. What a newer one is about to publish is not ours to touch.
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
    let is_left =
        |name: &String| name.strip_suffix(TEMPORARY).is_some_and(|name| is_older(name, directory.generation));
    for name in names.into_iter().filter(is_left) {
        remove(env, checkpoints.join(&name)).await?;
        listeners.tell(&Event::TemporaryRemoved { name: format!("checkpoint/{name}") });
    }
    Ok(())
}

/// Removes a file that may be gone already.
pub(crate) async fn remove(env: &Env, path: PathBuf) -> Result<()> {
    match env.disk.remove(&path).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(Error::disk("remove", &path)),
    }
}

/// The generation in a file's name, for retention.
pub(super) fn is_older(name: &str, generation: Generation) -> bool {
    id_of(name).is_some_and(|id| id.generation < generation)
}
