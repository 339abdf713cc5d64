//! Negative controls: promises of the seams that the world can be told to break.
//!
//! A testbed that stays green whatever is broken proves nothing. Each [`Sabotage`] takes away one promise that the
//! engine's recovery stands on, at the seam, so nothing in the engine knows of it. A sweep under a sabotage must fail;
//! the name of the sabotage is what `highwater prove` prints when it does not.
//!
//! Left out: sabotages of the engine's own steps. Whatever the engine could forget to do (a sync, an acknowledgement too
//! early) is seen from here as a promise that was not kept.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One promise that the world breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sabotage {
    /// `File::sync` reports success and makes nothing durable.
    FileSyncDoesNothing,
    /// `Disk::sync_dir` reports success and makes nothing durable.
    DirectorySyncDoesNothing,
    /// At a power loss every rename has landed, and what was renamed since the last one reads as zeros, synced or not.
    RenameLandsBeforeData,
    /// `Disk::create_new` empties a file that exists instead of refusing.
    CreateNewOverwrites,
    /// `Disk::lock` succeeds whoever holds the lock.
    LocksDoNotExclude,
    /// A truncate reports success and leaves the file as it was.
    TruncateDoesNothing,
    /// A removal reports success and leaves the file where it was.
    RemoveDoesNothing,
    /// A listing leaves out the newest of several files, as a stale cache does (claims of generations are listed truly).
    ListHidesNewest,
    /// What is appended to an output file is appended twice now and then, the second time with another byte.
    OutputWrittenTwice,
    /// The source takes every line that reached the driver for acknowledged, as if the driver acknowledged before its
    /// sync, and forgets it.
    AcknowledgeBeforeSync,
}

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::FileSyncDoesNothing,
        Self::DirectorySyncDoesNothing,
        Self::RenameLandsBeforeData,
        Self::CreateNewOverwrites,
        Self::LocksDoNotExclude,
        Self::TruncateDoesNothing,
        Self::RemoveDoesNothing,
        Self::ListHidesNewest,
        Self::OutputWrittenTwice,
        Self::AcknowledgeBeforeSync,
    ];

    /// The name in commands and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::FileSyncDoesNothing => "file-sync-does-nothing",
            Self::DirectorySyncDoesNothing => "directory-sync-does-nothing",
            Self::RenameLandsBeforeData => "rename-lands-before-data",
            Self::CreateNewOverwrites => "create-new-overwrites",
            Self::LocksDoNotExclude => "locks-do-not-exclude",
            Self::TruncateDoesNothing => "truncate-does-nothing",
            Self::RemoveDoesNothing => "remove-does-nothing",
            Self::ListHidesNewest => "list-hides-newest",
            Self::OutputWrittenTwice => "output-written-twice",
            Self::AcknowledgeBeforeSync => "acknowledge-before-sync",
        }
    }
}

impl fmt::Display for Sabotage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no sabotage has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no sabotage `{0}`; there are: {names}", names = Sabotage::ALL.map(Sabotage::name).join(", "))]
pub struct UnknownSabotage(pub String);

impl FromStr for Sabotage {
    type Err = UnknownSabotage;

    fn from_str(name: &str) -> Result<Self, UnknownSabotage> {
        Self::ALL.into_iter().find(|s| s.name() == name).ok_or_else(|| UnknownSabotage(name.to_owned()))
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
        assert!("nothing".parse::<Sabotage>().unwrap_err().to_string().contains("locks-do-not-exclude"));
    }
}
