//! Negative controls: promises of the seams that the world can be told to break.
//!
//! A testbed that stays green whatever is broken proves nothing. Each [`Sabotage`] takes away one promise that the
//! engine's recovery stands on, at the seam, so nothing in the engine knows of it. A sweep under a sabotage must fail;
//! the name of the sabotage is what `highwater prove` prints when it does not.
//!
//! Twelve of them break a promise everywhere; the others break it for one durable step or one check: whatever the engine could forget to
//! do (a sync, a check of a checksum, an acknowledgement too early) is seen from here as a promise that was not kept. They are written
//! as `skip:sync:journal`, that is, what is done, the operation, the place.

use crate::fault::{DiskOperation, Place, Step};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One promise that the world breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Sabotage {
    /// `File::sync` reports success and makes nothing durable.
    FileSyncDoesNothing,
    /// `Disk::sync_dir` reports success and makes nothing durable.
    DirectorySyncDoesNothing,
    /// At a power loss every rename has landed, and what was renamed since the last one, and was not empty then,
    /// reads as zeros, synced or not.
    RenameLandsBeforeData,
    /// `Disk::create_new` empties a file that exists instead of refusing.
    CreateNewOverwrites,
    /// `Disk::lock` succeeds whoever holds the lock.
    LocksDoNotExclude,
    /// A write lands at the end of its file, whatever place and length it names, as `pwrite` does in Linux's append mode.
    WritesLandAtTheEnd,
    /// A removal reports success and leaves the file where it was.
    RemoveDoesNothing,
    /// A listing leaves out the newest of several files, as a stale cache does (claims of generations are listed truly).
    ListHidesNewest,
    /// What is appended to an output file is appended twice now and then, the second time with another byte.
    OutputWrittenTwice,
    /// The source takes every line that reached the driver for acknowledged, as if the driver acknowledged before its
    /// sync, and forgets it.
    AcknowledgeBeforeSync,
    /// An append or a sync that a fault of the plan lets fail reports success, as to a program that does not look at its errors.
    ErrorsAreSwallowed,
    /// A sync that fails is told to whoever asked for it alone, as where a directory is opened only to be synced.
    FailedSyncsAreToldOnce,
    /// `skip:OPERATION:PLACE`: the step (a sync, a sync of a directory, a truncate, a removal, an append) reports success and does
    /// nothing.
    Skip(Step),
    /// `late:OPERATION:PLACE:OPERATION:PLACE`: a sync reports success and takes effect after the next second step alone, right
    /// before the durable step after that, or never.
    Late(Step, Step),
    /// `overwrite:PLACE`: what must not be there yet, and is, is replaced: by a creation and by a rename.
    Overwrite(Place),
    /// `forge:PLACE`: before each life but the first a bit of the newest file's last record flips and every checksum is right all the
    /// same: what the checksums guard. For the journal it is the last block; for the state the checkpoint's checksum is right, too.
    /// Elsewhere it is the newest input file that a block in the journal names, and its checksum there.
    Forge(Place),
    /// `shorten:PLACE`: before each life but the first the newest file has lost its last record, and every length that is kept
    /// elsewhere agrees: what the lengths guard. For the journal and the state.
    Shorten(Place),
    /// `misname:PLACE`: before each life but the first something whole of the same kind stands where something newer belongs, and says
    /// that it belongs there: what a generation and a number guard, or a batch time.
    /// - In the journal the newest segment's last record is an earlier one of its kind and length. A block or an allocation that stands
    ///   twice is told by the recovery itself; a completion is not.
    /// - In the marks the newest segment's last mark is the last one of the segment before.
    /// - The newest checkpoint is one that was removed. The one before it would do no harm: it leads to the same state.
    /// - The newest snapshot is the one before it, and says that it is of the newest one's batch; the checkpoint's length and checksum
    ///   are right, too.
    Misname(Place),
    /// `hide-claims`: a listing of the claims shows the lister's own one and older ones: what the fence guards.
    HideClaims,
    /// `hide-completions`: before each life but the first every completion in the journal says that it is of a batch long ago: what
    /// keeps completed batches from being emitted again.
    HideCompletions,
}

impl Sabotage {
    /// Those that break a promise everywhere.
    pub const ALL: [Self; 12] = [
        Self::FileSyncDoesNothing,
        Self::DirectorySyncDoesNothing,
        Self::RenameLandsBeforeData,
        Self::CreateNewOverwrites,
        Self::LocksDoNotExclude,
        Self::WritesLandAtTheEnd,
        Self::RemoveDoesNothing,
        Self::ListHidesNewest,
        Self::OutputWrittenTwice,
        Self::AcknowledgeBeforeSync,
        Self::ErrorsAreSwallowed,
        Self::FailedSyncsAreToldOnce,
    ];

    /// A sabotage that makes sense: one that a step or a place of this kind can suffer.
    pub(crate) fn checked(self) -> Option<Self> {
        use DiskOperation::{Append, Remove, Sync, SyncDir, Truncate};
        let makes_sense = match self {
            Self::Skip(step) => matches!(step.operation, Sync | SyncDir | Truncate | Remove | Append),
            Self::Late(first, _) => first.operation.is_sync(),
            Self::Forge(place) => {
                use Place::{Checkpoint, Elsewhere, Journal, Marks, State};
                matches!(place, Journal | State | Checkpoint | Marks | Elsewhere)
            }
            Self::Misname(place) => {
                matches!(place, Place::Journal | Place::State | Place::Checkpoint | Place::Marks)
            }
            Self::Shorten(place) => matches!(place, Place::Journal | Place::State),
            _ => true,
        };
        makes_sense.then_some(self)
    }
}

/// The names of operations in the names of sabotages.
const OPERATIONS: [(DiskOperation, &str); 8] = [
    (DiskOperation::CreateNew, "create"),
    (DiskOperation::Truncate, "truncate"),
    (DiskOperation::Rename, "rename"),
    (DiskOperation::Remove, "remove"),
    (DiskOperation::List, "list"),
    (DiskOperation::SyncDir, "sync-dir"),
    (DiskOperation::Append, "append"),
    (DiskOperation::Sync, "sync"),
];

struct Named(Step);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = OPERATIONS.iter().find(|(operation, _)| *operation == self.0.operation);
        write!(f, "{}:{}", name.map_or("other", |(_, name)| name), self.0.place)
    }
}

fn place(name: &str) -> Option<Place> {
    Place::ALL.into_iter().find(|place| place.to_string() == name)
}

fn step(operation: &str, at: &str) -> Option<Step> {
    let (operation, _) = OPERATIONS.iter().find(|(_, name)| *name == operation)?;
    Some(Step { operation: *operation, place: place(at)? })
}

impl fmt::Display for Sabotage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::FileSyncDoesNothing => "file-sync-does-nothing",
            Self::DirectorySyncDoesNothing => "directory-sync-does-nothing",
            Self::RenameLandsBeforeData => "rename-lands-before-data",
            Self::CreateNewOverwrites => "create-new-overwrites",
            Self::LocksDoNotExclude => "locks-do-not-exclude",
            Self::WritesLandAtTheEnd => "writes-land-at-the-end",
            Self::RemoveDoesNothing => "remove-does-nothing",
            Self::ListHidesNewest => "list-hides-newest",
            Self::OutputWrittenTwice => "output-written-twice",
            Self::AcknowledgeBeforeSync => "acknowledge-before-sync",
            Self::ErrorsAreSwallowed => "errors-are-swallowed",
            Self::FailedSyncsAreToldOnce => "failed-syncs-are-told-once",
            Self::HideClaims => "hide-claims",
            Self::HideCompletions => "hide-completions",
            Self::Skip(step) => return write!(f, "skip:{}", Named(*step)),
            Self::Late(first, second) => return write!(f, "late:{}:{}", Named(*first), Named(*second)),
            Self::Overwrite(place) => return write!(f, "overwrite:{place}"),
            Self::Forge(place) => return write!(f, "forge:{place}"),
            Self::Shorten(place) => return write!(f, "shorten:{place}"),
            Self::Misname(place) => return write!(f, "misname:{place}"),
        };
        f.write_str(name)
    }
}

/// A name that no sabotage has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no sabotage `{0}`; there are: {names}, hide-claims, hide-completions, skip:OPERATION:PLACE, \
     late:OPERATION:PLACE:OPERATION:PLACE, overwrite:PLACE, forge:PLACE, shorten:PLACE, misname:PLACE",
    names = Sabotage::ALL.map(|sabotage| sabotage.to_string()).join(", ")
)]
pub struct UnknownSabotage(pub String);

impl FromStr for Sabotage {
    type Err = UnknownSabotage;

    fn from_str(name: &str) -> Result<Self, UnknownSabotage> {
        let parts: Vec<&str> = name.split(':').collect();
        let sabotage = match parts[..] {
            ["hide-claims"] => Some(Self::HideClaims),
            ["hide-completions"] => Some(Self::HideCompletions),
            ["skip", operation, at] => step(operation, at).map(Self::Skip),
            ["late", first, at, second, then] => {
                step(first, at).zip(step(second, then)).map(|(first, second)| Self::Late(first, second))
            }
            ["overwrite", at] => place(at).map(Self::Overwrite),
            ["forge", at] => place(at).map(Self::Forge),
            ["shorten", at] => place(at).map(Self::Shorten),
            ["misname", at] => place(at).map(Self::Misname),
            _ => Self::ALL.into_iter().find(|sabotage| sabotage.to_string() == name),
        };
        sabotage.and_then(Self::checked).ok_or_else(|| UnknownSabotage(name.to_owned()))
    }
}

impl TryFrom<String> for Sabotage {
    type Error = UnknownSabotage;

    fn try_from(name: String) -> Result<Self, UnknownSabotage> {
        name.parse()
    }
}

impl From<Sabotage> for String {
    fn from(sabotage: Sabotage) -> Self {
        sabotage.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sabotage_is_found_by_its_name() {
        for sabotage in Sabotage::ALL {
            assert_eq!(sabotage.to_string().parse(), Ok(sabotage));
        }
        for name in [
            "skip:sync:journal",
            "skip:sync-dir:checkpoint",
            "skip:remove:state",
            "skip:truncate:output",
            "skip:sync:marks",
            "skip:append:marks",
            "late:sync:checkpoint:rename:checkpoint",
            "late:sync-dir:checkpoint:remove:journal",
            "late:sync:journal:append:marks",
            "overwrite:generation",
            "forge:state",
            "forge:marks",
            "forge:elsewhere",
            "shorten:journal",
            "misname:journal",
            "misname:marks",
            "misname:checkpoint",
            "misname:state",
            "hide-claims",
            "hide-completions",
        ] {
            assert_eq!(name.parse::<Sabotage>().map(|sabotage| sabotage.to_string()).as_deref(), Ok(name));
        }
        for name in [
            "skip:list:journal",
            "late:append:marks:sync:journal",
            "forge:output",
            "misname:generation",
            "skip:sync",
            "",
        ] {
            assert_eq!(name.parse::<Sabotage>(), Err(UnknownSabotage(name.to_owned())));
        }
        assert!("nothing".parse::<Sabotage>().unwrap_err().to_string().contains("locks-do-not-exclude"));
    }
}
