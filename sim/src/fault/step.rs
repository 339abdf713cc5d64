//! What a fault can hit: the operations of the seams, and the places of a checkpoint directory.
//!
//! A [`Step`] is what coverage counts: which durable step was hit by which fault.

use crate::world::Life;
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

    /// Whether its path is a directory's.
    pub(crate) fn is_of_directory(self) -> bool {
        matches!(self, Self::CreateDir | Self::List | Self::SyncDir)
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

/// A part of the disk, by what is kept there: a directory right below the checkpoint directory, by its name; `.` for the
/// checkpoint directory itself; `output` for a recorded output file; `elsewhere` for anything else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Place(pub String);

impl Place {
    /// The place of `path`, given the checkpoint directory. The place of a directory is what it holds.
    pub(crate) fn of(path: &str, is_directory: bool, checkpoint_dir: &str) -> Self {
        let below = path.strip_prefix(checkpoint_dir.trim_end_matches('/'));
        Self(match below {
            Some("") => ".".to_owned(),
            Some(below) if below.starts_with('/') => match below[1..].split_once('/') {
                Some((directory, _)) => directory.to_owned(),
                None if is_directory => below[1..].to_owned(),
                None => ".".to_owned(),
            },
            _ => "elsewhere".to_owned(),
        })
    }

    /// The place of the recorded output files.
    pub(crate) fn output() -> Self {
        Self("output".to_owned())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A step that a fault can hit: an operation at a place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

/// A step that a life of the driver made: where a crash could have hit it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepMade {
    /// In which life.
    pub life: Life,
    /// Which disk operation of that life it was, from 1.
    pub number: u64,
    /// The step.
    pub step: Step,
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
    fn a_place_is_the_first_directory_below_the_checkpoint_directory() {
        let place = |path| Place::of(path, false, "/data/checkpoint/").0;
        assert_eq!(place("/data/checkpoint/journal/0001.wal"), "journal");
        assert_eq!(place("/data/checkpoint/lock"), ".");
        assert_eq!(place("/data/checkpoint"), ".");
        assert_eq!(place("/data/checkpoints/a"), "elsewhere");
        assert_eq!(Place::of("/data/checkpoint/journal", true, "/data/checkpoint").0, "journal");
    }
}
