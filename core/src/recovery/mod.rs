//! From a directory to a driver's state: which checkpoint, and what the journal says after it.
//!
//! Candidates are tried from the newest on. One that cannot be read, or whose snapshot cannot, is rejected, aloud, for the
//! next older one, which with the journal from its own start leads to the same state. The journal has no such substitute:
//! damage in it is an error. So is a directory with data and no usable checkpoint.
//!
//! Nothing is changed here: a crash anywhere in a recovery leaves the directory as it was, but for a claimed generation.
//!
//! What was read may be in the page cache alone, and a sync of an earlier life that failed may have seen to it that it never
//! reaches the disk; to sync it again proves nothing. So what is not known to be durable is written again, by the start that
//! follows and before anything follows from it: the end of the journal is carried into a new segment, and a new checkpoint is
//! published, without which the older ones lead to the same state.

mod replay;

pub(crate) use replay::{Recovered, RecoveredSource, replay};

use crate::{
    checkpoint::{
        Checkpoint, CheckpointDirectory, Retained, file_name, list_checkpoints, read_checkpoint,
        read_snapshot,
    },
    dstream::{OperatorDescription, difference},
    env::Env,
    error::{Error, Result},
    event::Event,
    ids::{CheckpointId, Interval, OperatorId},
    journal::{FoundJournal, Keep, SegmentName, list_segments, read_journal, stale_list},
    listeners::Listeners,
};
use std::{io::ErrorKind, path::Path};

/// The state's chunks, by operator.
pub(crate) type Chunks = Vec<(OperatorId, Vec<u8>)>;

/// What recovery found out about the checkpoints.
struct Candidates {
    newest: Option<CheckpointId>,
    taken: Option<(CheckpointId, Checkpoint, Chunks)>,
    rejected: Vec<(CheckpointId, String)>,
    /// All that can be read, for retention.
    readable: Vec<Retained>,
    /// Those that the newest one that can be read says are retained.
    retained: Option<Vec<CheckpointId>>,
}

/// Recovers from what the directory holds; `None` if it holds nothing.
///
/// # Errors
/// [`Error::NoUsableCheckpoint`], [`Error::OtherPipeline`], [`Error::Damaged`], [`Error::Disk`]; [`Error::Fenced`] where a newer driver
/// has started meanwhile, which may have removed what this one was about to read.
pub(crate) async fn recover(
    env: &Env,
    directory: &CheckpointDirectory,
    operators: &[OperatorDescription],
    interval: Interval,
    listeners: &Listeners,
) -> Result<Option<Recovered>> {
    let failed = match recover_alone(env, directory, operators, interval, listeners).await {
        Err(failed) => failed,
        recovered => return recovered,
    };
    Err(directory.unless_fenced(failed).await)
}

async fn recover_alone(
    env: &Env,
    directory: &CheckpointDirectory,
    operators: &[OperatorDescription],
    interval: Interval,
    listeners: &Listeners,
) -> Result<Option<Recovered>> {
    let candidates = choose(env, directory, operators, interval, listeners).await?;
    let Some((id, checkpoint, chunks)) = candidates.taken else {
        let found = data_without_checkpoint(env, directory).await?;
        if found.is_empty() && candidates.rejected.is_empty() {
            return Ok(None);
        }
        let found = if found.is_empty() { "checkpoints".into() } else { found.join(", ") };
        let (directory, rejected) = (directory.root.clone(), candidates.rejected);
        return Err(Error::NoUsableCheckpoint { directory, found, rejected });
    };
    let journal = directory.journal();
    let found = follow(env, &journal, id, &checkpoint, directory.seen.1, Keep::Everything).await?;
    let newest = candidates.newest.unwrap_or(id);
    let place = (journal, directory.generation);
    let recovered = replay::replay(place, id, newest, checkpoint, chunks, found, candidates.readable)?;
    Ok(Some(recovered))
}

/// Reads the journal that follows a checkpoint. `seen` is the newest segment that an earlier listing had.
///
/// # Errors
/// [`Error::Damaged`] if what was durable when the checkpoint was published is not there, [`Error::Disk`].
pub(crate) async fn follow(
    env: &Env,
    journal: &Path,
    id: CheckpointId,
    checkpoint: &Checkpoint,
    seen: Option<SegmentName>,
    keep: Keep,
) -> Result<FoundJournal> {
    let found = read_journal(env, journal, checkpoint.journal_from, seen, keep).await?;
    if let Some(newest) = checkpoint.journal_newest
        && found.segments.last().is_none_or(|(name, _)| name.segment < newest)
    {
        let path = journal.join(format!("{:010}-*.wal", newest.0));
        let reason = format!("the segment is missing, and checkpoint {id} needs it");
        return Err(Error::Damaged { path, offset: 0, reason });
    }
    // The marks say so too; but damage may have met them and the segment. A segment that has a successor ends where that says.
    if let Some((name, segment)) = found.segments.last()
        && (Some(name.segment), name.generation) == (checkpoint.journal_newest, id.generation)
        && segment.length < checkpoint.journal_durable
    {
        let durable = checkpoint.journal_durable;
        let reason = format!(
            "its records end here, and it was durable up to byte {durable} when checkpoint {id} was published"
        );
        return Err(Error::Damaged { path: name.wal(journal), offset: segment.length, reason });
    }
    Ok(found)
}

async fn choose(
    env: &Env,
    directory: &CheckpointDirectory,
    operators: &[OperatorDescription],
    interval: Interval,
    listeners: &Listeners,
) -> Result<Candidates> {
    let checkpoints = directory.checkpoints();
    let mut ids = list_checkpoints(env, &checkpoints).await?;
    if ids.first().copied() < directory.seen.0 {
        ids = list_checkpoints(env, &checkpoints).await?;
    }
    let newest = ids.first().copied();
    if newest < directory.seen.0 {
        return Err(stale_list(&checkpoints));
    }
    let mut candidates =
        Candidates { newest, taken: None, rejected: Vec::new(), readable: Vec::new(), retained: None };
    for id in ids.iter().copied() {
        if candidates.retained.as_ref().is_some_and(|retained| !retained.contains(&id)) {
            // It was removed, and a power loss has undone that: what it refers to may be gone.
            continue;
        }
        let read = read_checkpoint(env, &checkpoints, id).await;
        let checkpoint = match read {
            Ok(Some(checkpoint)) => checkpoint,
            // It was listed.
            Ok(None) => {
                let path = checkpoints.join(file_name(id));
                return Err(Error::changed("read", &path)(ErrorKind::NotFound.into()));
            }
            Err(error @ Error::Damaged { .. }) => {
                reject(&mut candidates, id, &error, listeners);
                continue;
            }
            Err(error) => return Err(error),
        };
        // A generation publishes a further one only if the one before is durable; its last one may be a name in the page cache.
        let is_durable =
            ids.iter().any(|other| other.generation == id.generation && other.sequence > id.sequence);
        let retained = Retained { is_durable, ..Retained::new(id, &checkpoint) };
        candidates.retained.get_or_insert_with(|| checkpoint.retained.clone());
        if candidates.taken.is_some() {
            candidates.readable.push(retained);
            continue;
        }
        check_pipeline(directory, &checkpoint, operators, interval)?;
        let chunks = match &checkpoint.snapshot {
            None => Ok(Vec::new()),
            Some(reference) => read_snapshot(env, &directory.snapshots(), reference).await,
        };
        match chunks {
            Ok(chunks) => {
                candidates.readable.push(retained);
                candidates.taken = Some((id, checkpoint, chunks));
            }
            Err(error @ Error::Damaged { .. }) => reject(&mut candidates, id, &error, listeners),
            Err(error) => return Err(error),
        }
    }
    Ok(candidates)
}

fn reject(candidates: &mut Candidates, id: CheckpointId, error: &Error, listeners: &Listeners) {
    let reason = rejection(error);
    listeners.tell(&Event::CandidateRejected { checkpoint: id, reason: reason.clone() });
    candidates.rejected.push((id, reason));
}

/// Why a checkpoint is passed over, in a line.
pub(crate) fn rejection(error: &Error) -> String {
    match error {
        Error::Damaged { path, offset, reason } => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let folder = path.parent().and_then(|parent| parent.file_name()).unwrap_or_default();
            format!("{}/{name} is damaged at byte {offset}: {reason}", folder.to_string_lossy())
        }
        other => other.to_string(),
    }
}

fn check_pipeline(
    directory: &CheckpointDirectory,
    checkpoint: &Checkpoint,
    operators: &[OperatorDescription],
    interval: Interval,
) -> Result<()> {
    let other = match difference(&checkpoint.operators, operators) {
        None if checkpoint.interval == interval => return Ok(()),
        None => format!("its batch interval is {}, this program's is {interval}", checkpoint.interval),
        Some(difference) => difference,
    };
    Err(Error::OtherPipeline { directory: directory.root.clone(), difference: other })
}

/// Names of files that only an earlier run can have written.
async fn data_without_checkpoint(env: &Env, directory: &CheckpointDirectory) -> Result<Vec<String>> {
    let journal = directory.journal();
    let (segments, marks) = list_segments(env, &journal).await?;
    let snapshots = directory.snapshots();
    let states = env.disk.list(&snapshots).await.map_err(Error::disk("list", &snapshots))?;
    let mut found = Vec::new();
    for (count, what) in
        [(segments.len(), "journal segments"), (marks.len(), "durable marks"), (states.len(), "state files")]
    {
        if count > 0 {
            found.push(format!("{count} {what}"));
        }
    }
    Ok(found)
}
