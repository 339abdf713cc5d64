//! When a fault comes: at an operation, at a durable step, at a byte, at a point of time, at a start.
//!
//! Lives, operations and occurrences count from 1; the counts start anew in each life, so small numbers hit recovery. A life that was
//! replaced makes its operations on, and is struck at them.

use super::{DiskOperation, Place};
use crate::world::Life;
use serde::{Deserialize, Serialize};
use std::fmt;

/// When a fault comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Trigger {
    /// At a disk operation of the driver.
    DiskOperation {
        /// In which life.
        life: Life,
        /// Which operation of that life.
        number: u64,
        /// Whether it takes effect.
        #[serde(default)]
        moment: Moment,
    },
    /// At a step of the driver's disk: an operation at a place.
    Step {
        /// In which life.
        life: Life,
        /// The operation.
        operation: DiskOperation,
        /// The place.
        place: Place,
        /// The how manieth such step of that life.
        nth: u64,
        /// Whether it takes effect.
        #[serde(default)]
        moment: Moment,
    },
    /// At a step of the driver's disk, in whichever life it is made: for what only some recoveries do.
    Occurrence {
        /// The operation.
        operation: DiskOperation,
        /// The place.
        place: Place,
        /// The how manieth such step of the run.
        nth: u64,
        /// Whether it takes effect.
        #[serde(default)]
        moment: Moment,
    },
    /// At a network operation of the driver.
    NetworkOperation {
        /// In which life.
        life: Life,
        /// Which operation of that life.
        number: u64,
        /// Whether it takes effect.
        #[serde(default)]
        moment: Moment,
    },
    /// When so many bytes of a connection were delivered to the driver.
    Byte {
        /// Which connection: the n-th that the driver makes in the whole run.
        connection: u32,
        /// After so many bytes.
        after_bytes: u64,
    },
    /// At a point of virtual time, in whichever life that is; what needs a driver is missed when it is down then.
    Time {
        /// Milliseconds since the run's start.
        at_ms: u64,
    },
    /// Right before a life begins.
    Start {
        /// Which life.
        life: Life,
    },
}

impl Trigger {
    /// Whether it is reached by an operation of the disk.
    pub(crate) fn is_of_the_disk(&self) -> bool {
        matches!(self, Self::DiskOperation { .. } | Self::Step { .. } | Self::Occurrence { .. })
    }

    /// Where in an operation it comes.
    pub fn moment(&self) -> Moment {
        match self {
            Self::DiskOperation { moment, .. }
            | Self::Step { moment, .. }
            | Self::Occurrence { moment, .. }
            | Self::NetworkOperation { moment, .. } => *moment,
            Self::Byte { .. } | Self::Time { .. } | Self::Start { .. } => Moment::Before,
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DiskOperation { life, number, moment } => {
                write!(f, "{moment} disk operation {number} of life {life}")
            }
            Self::Step { life, operation, place, nth, moment } => {
                write!(f, "{moment} step {operation} {place}, number {nth} of life {life}")
            }
            Self::Occurrence { operation, place, nth, moment } => {
                write!(f, "{moment} step {operation} {place}, number {nth} of the run")
            }
            Self::NetworkOperation { life, number, moment } => {
                write!(f, "{moment} network operation {number} of life {life}")
            }
            Self::Byte { connection, after_bytes } => {
                write!(f, "at byte {after_bytes} of connection {connection}")
            }
            Self::Time { at_ms } => write!(f, "at {at_ms} ms"),
            Self::Start { life } => write!(f, "before life {life}"),
        }
    }
}

/// Where in an operation a fault comes. After a crash the driver sees the result in none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// The operation has no effect.
    #[default]
    Before,
    /// An append or a write is done in part, a sync is not completed, any other operation is done or not done.
    Inside,
    /// The operation has its whole effect.
    After,
}

impl Moment {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Before, Self::Inside, Self::After];
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::Inside => "inside",
            Self::After => "after",
        })
    }
}
