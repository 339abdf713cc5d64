//! A sync of a file or a directory fails, and what it should have made durable may be lost for good.
//!
//! What it does: the sync at the trigger returns EIO. What becomes of the dirty pages is the file system's: see [`FileSystem`]. A later
//! sync that succeeds makes nothing of it durable, and each other life that it concerns is told at its own next sync. By the moment none of the sectors were written all the same, each by a coin, or all
//! but the last. Of a directory the pending changes of names are given up in the same way: ext4 and XFS show them until a power
//! loss, btrfs shows at once the names that are durable. After "Can Applications Recover from fsync Failures?" (Rebello et al.,
//! ATC '20), which looks at files; for directories it is the same rule, carried over. Missed when the trigger is not reached by a sync.
//!
//! Left out: pages that are evicted, which shows on ext4 and XFS before a power loss what it left.

use super::super::{Aim, DiskOperation, Kind, Trigger, Words};
use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A sync that fails, as one of three file systems does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedSync {
    /// When.
    pub trigger: Trigger,
    /// Whose behaviour.
    pub file_system: FileSystem,
}

/// What becomes of the pages that a failed sync did not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileSystem {
    /// They stay readable and count as clean; on the medium the length is there and the data are not.
    Ext4,
    /// They stay readable and count as clean; on the medium neither the length nor the data are there.
    Xfs,
    /// They are gone at once: what is read is what was durable before.
    Btrfs,
}

impl fmt::Display for FileSystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
        })
    }
}

impl Kind for FailedSync {
    fn draw(rng: &mut ChaCha8Rng, aim: &Aim<'_>) -> Self {
        let file_system = *rng.pick(&[FileSystem::Ext4, FileSystem::Xfs, FileSystem::Btrfs]);
        Self { trigger: aim.disk(rng, DiskOperation::is_sync), file_system }
    }

    fn trigger(&self) -> Option<Trigger> {
        Some(self.trigger.clone())
    }

    fn on_timeline(&self, _: bool) -> Words {
        let pages = match self.file_system {
            FileSystem::Ext4 => "it stays readable until a power loss shows a length without its data",
            FileSystem::Xfs => "it stays readable until a power loss shows that it is not there",
            FileSystem::Btrfs => "it is gone at once",
        };
        Words::new("SYNC FAILS", format!("what was not synced never will be: {pages}"))
    }
}

impl fmt::Display for FailedSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed sync as on {} {}", self.file_system, self.trigger)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Moment;
    use super::*;
    use crate::world::Life;

    #[test]
    fn it_reads_as_one_line() {
        let fault = FailedSync {
            trigger: Trigger::DiskOperation { life: Life(1), number: 4, moment: Moment::Before },
            file_system: FileSystem::Xfs,
        };
        assert_eq!(fault.to_string(), "failed sync as on xfs before disk operation 4 of life 1");
    }

    #[test]
    fn the_timeline_says_what_becomes_of_the_pages() {
        let fault = FailedSync { trigger: Trigger::Time { at_ms: 10 }, file_system: FileSystem::Btrfs };
        let words = Words::new("SYNC FAILS", "what was not synced never will be: it is gone at once");
        assert_eq!(fault.on_timeline(false), words);
    }
}
