//! What a fault can hit: the operations of the seams, and the places of a checkpoint directory.
//!
//! A [`Step`] is what coverage counts: which durable step was hit by which fault.

use crate::world::{Life, VirtualTime};
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! operations {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant),*
        }

        impl $name {
            /// All of them.
            pub const ALL: [Self; [$($text),*].len()] = [$(Self::$variant),*];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => $text),*
                })
            }
        }
    };
}

operations! {
    /// An operation of the disk seam.
    DiskOperation {
        /// `Disk::create_dir`
        CreateDir = "create directory",
        /// `Disk::create_new`
        CreateNew = "create",
        /// `Disk::open_append`
        OpenAppend = "open",
        /// `Disk::read`
        Read = "read",
        /// `Disk::length`
        Length = "length",
        /// `Disk::truncate`
        Truncate = "truncate",
        /// `Disk::rename`
        Rename = "rename",
        /// `Disk::remove`
        Remove = "remove",
        /// `Disk::list`
        List = "list",
        /// `Disk::sync_dir`
        SyncDir = "sync directory",
        /// `Disk::lock`
        Lock = "lock",
        /// `File::append`
        Append = "append",
        /// `File::sync`
        Sync = "sync",
    }
}

impl DiskOperation {
    /// Whether it changes what is on the disk or what of it is durable; a crash at any other is a crash between two.
    pub fn is_durable_step(self) -> bool {
        !matches!(self, Self::OpenAppend | Self::Read | Self::Length | Self::List | Self::Lock)
    }

    /// Whether it makes something durable: the content of a file, or the names of a directory.
    pub fn is_sync(self) -> bool {
        matches!(self, Self::Sync | Self::SyncDir)
    }
}

operations! {
    /// An operation of the network seam.
    NetworkOperation {
        /// `Network::connect`
        Connect = "connect",
        /// `Network::listen`
        Listen = "listen",
        /// `Listener::accept`
        Accept = "accept",
        /// `Reader::read`
        Read = "read",
        /// `Writer::write_all`
        Write = "write",
        /// `Writer::finish`
        Finish = "finish",
    }
}

operations! {
    /// A part of the disk, by what is kept there. The place of a directory is what it holds.
    Place {
        /// The checkpoint directory itself, with the lock.
        Root = "root",
        /// Checkpoints, published and about to be.
        Checkpoint = "checkpoint",
        /// Claims of generations.
        Generation = "generation",
        /// Journal segments.
        Journal = "journal",
        /// The durable marks beside them.
        Marks = "marks",
        /// Snapshots of the state.
        State = "state",
        /// Recorded output files.
        Output = "output",
        /// Anything else.
        Elsewhere = "elsewhere",
    }
}

impl Place {
    /// The place of `path`, given the checkpoint directory.
    pub(crate) fn of(path: &str, checkpoint_dir: &str) -> Self {
        let Some(below) = path.strip_prefix(checkpoint_dir) else { return Self::Elsewhere };
        let Some(below) = below.strip_prefix('/') else {
            return if below.is_empty() { Self::Root } else { Self::Elsewhere };
        };
        let (directory, name) = below.split_once('/').unwrap_or((below, ""));
        match directory {
            "checkpoint" => Self::Checkpoint,
            "generation" => Self::Generation,
            "journal" if name.ends_with(".durable") => Self::Marks,
            "journal" => Self::Journal,
            "state" => Self::State,
            _ => Self::Root,
        }
    }
}

/// A step that a fault can hit: an operation at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Step {
    /// What.
    pub operation: DiskOperation,
    /// Where.
    pub place: Place,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operation, self.place)
    }
}

/// A set of steps, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepSet(u128);

impl StepSet {
    /// Adds one.
    pub fn insert(&mut self, step: Step) {
        self.0 |= 1 << (step.operation as u32 * Place::ALL.len() as u32 + step.place as u32);
    }

    /// The steps, by operation and place.
    pub fn iter(self) -> impl Iterator<Item = Step> {
        let steps = DiskOperation::ALL
            .into_iter()
            .flat_map(|operation| Place::ALL.map(|place| Step { operation, place }));
        steps.enumerate().filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, step)| step)
    }
}

/// A step that a life of the driver made: where a crash could have hit it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepMade {
    /// In which life.
    pub life: Life,
    /// Which disk operation of that life it was, from 1.
    pub number: u64,
    /// When it took effect.
    pub at: VirtualTime,
    /// The step.
    pub step: Step,
}

/// A network operation that a life of the driver made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NetworkOperationMade {
    /// In which life.
    pub life: Life,
    /// Which network operation of that life it was, from 1.
    pub number: u64,
    /// When it took effect; a write, when it began.
    pub at: VirtualTime,
    /// The operation.
    pub operation: NetworkOperation,
}

impl fmt::Display for StepMade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "life {}, disk operation {}: {}", self.life, self.number, self.step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_gives_back_every_step_that_was_put_in() {
        let mut set = StepSet::default();
        let first = Step { operation: DiskOperation::CreateDir, place: Place::Root };
        let last = Step { operation: DiskOperation::Sync, place: Place::Elsewhere };
        for step in [last, first, first] {
            set.insert(step);
        }
        assert_eq!(set.iter().collect::<Vec<_>>(), [first, last]);
    }

    #[test]
    fn a_place_is_told_by_the_first_directory_below_the_checkpoint_directory() {
        let place = |path| Place::of(path, "/data/checkpoint");
        assert_eq!(place("/data/checkpoint/journal/0001.wal"), Place::Journal);
        assert_eq!(place("/data/checkpoint/journal/0001.durable"), Place::Marks);
        assert_eq!(place("/data/checkpoint/journal"), Place::Journal);
        assert_eq!(place("/data/checkpoint/lock"), Place::Root);
        assert_eq!(place("/data/checkpoint"), Place::Root);
        assert_eq!(place("/data/checkpoints/a"), Place::Elsewhere);
    }
}
