//! What a checkpoint directory holds, told without touching it.
//!
//! Nothing is written, no lock is taken, no generation claimed. What a start would do is found out with the code of a start: the same
//! decoders, the same choice of the journal's newest segment, the same replay; only that no state is kept, and of the blocks only
//! their numbers. So it takes memory by the number of records, and not by their bytes.
//!
//! A live driver may work in the directory meanwhile: it removes what it does not need any more. Where something looks wrong and the
//! directory has changed, all is looked at again; after [`LOOKS_MAX`] times it is told with that remark.
//!
//! - `found` is what is told; `listing` the names and lengths; `checkpoints` what a start would make of them; `journal` the segments;
//!   `verify` reads the bytes that no start would look at.

mod checkpoints;
mod found;
mod journal;
mod listing;
mod verify;

pub use found::{
    Claimed, Damage, FoundCheckpoint, FoundSegment, FoundSnapshot, Inspection, OperatorState, PendingBatch,
    SourceState, Start,
};

use crate::{
    checkpoint::{Checkpoint, file_name, read_checkpoint},
    env::Env,
    error::{Error, Result},
    ids::CheckpointId,
    journal::missing,
};
use listing::Listing;
use std::{path::Path, time::Duration};

/// How often a directory that changes is looked at.
pub const LOOKS_MAX: u32 = 5;
const PAUSE: Duration = Duration::from_millis(50);

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What a start would read, and all older checkpoints.
    Start,
    /// Every byte.
    Everything,
}

/// Looks into a checkpoint directory.
///
/// # Errors
/// [`Error::NotACheckpointDirectory`], [`Error::Disk`]. What is damaged is no error: it is told.
///
/// ```no_run
/// # async fn look() -> Result<(), highwater_core::Error> {
/// use highwater_core::inspect::{Depth, inspect};
///
/// let inspection = inspect(&highwater_core::os::env(), "checkpoint".as_ref(), Depth::Start).await?;
/// println!("{} checkpoints, {:?}", inspection.checkpoints.len(), inspection.start);
/// # Ok(())
/// # }
/// ```
pub async fn inspect(env: &Env, directory: &Path, depth: Depth) -> Result<Inspection> {
    let mut looks = 0;
    loop {
        looks += 1;
        let listing = Listing::read(env, directory).await?;
        let looked = look(env, directory, &listing, depth).await;
        let is_quiet = Listing::read(env, directory).await.is_ok_and(|now| now == listing);
        let is_last = is_quiet || looks == LOOKS_MAX;
        match looked {
            Ok(mut inspection) if is_last || inspection.is_sound() => {
                if !is_quiet && !inspection.is_sound() {
                    inspection.notes.push(format!(
                        "the directory changed whenever it was looked at, {looks} times: what is missing may have been \
                         removed by a live driver meanwhile"
                    ));
                }
                return Ok(inspection);
            }
            Err(error) if is_last => return Err(error),
            _ => env.clock.sleep(PAUSE).await,
        }
    }
}

async fn look(env: &Env, directory: &Path, listing: &Listing, depth: Depth) -> Result<Inspection> {
    let mut inspection = Inspection {
        directory: directory.to_owned(),
        verified: depth == Depth::Everything,
        ..Inspection::default()
    };
    inspection.generations = listing.claims(env, directory).await?;
    let read = checkpoints::look(env, directory, listing, &mut inspection).await?;
    journal::look(env, directory, listing, &read, &mut inspection).await?;
    if depth == Depth::Everything {
        verify::look(env, directory, listing, &read, &mut inspection).await?;
    }
    let unknown = listing.unknown();
    if !unknown.is_empty() {
        inspection.notes.push(format!("not of a driver: {}", unknown.join(", ")));
    }
    inspection.damage.sort();
    inspection.damage.dedup();
    Ok(inspection)
}

/// Reads and verifies a checkpoint that was listed. One that is gone counts as damage until the directory is looked at again.
async fn checkpoint_of(env: &Env, directory: &Path, id: CheckpointId) -> Result<Checkpoint> {
    let checkpoints = directory.join("checkpoint");
    let read = read_checkpoint(env, &checkpoints, id).await?;
    read.ok_or_else(|| missing(&checkpoints.join(file_name(id))))
}

/// Keeps damage to tell of it; any other error is the caller's.
fn damage_of(error: Error) -> Result<Damage> {
    match error {
        Error::Damaged { path, offset, reason } => Ok(Damage { file: path, offset, reason }),
        Error::OtherVersion { ref path, .. } => {
            Ok(Damage { file: path.clone(), offset: 0, reason: error.to_string() })
        }
        other => Err(other),
    }
}
