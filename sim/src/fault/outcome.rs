//! What became of a planned fault.

use super::{Fault, NetworkOperation, Step};
use crate::world::{Life, VirtualTime};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A planned fault and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultOutcome {
    /// The fault.
    pub fault: Fault,
    /// How it fired; `None` if its trigger was never reached.
    pub firing: Option<Firing>,
}

/// How a fault fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firing {
    /// When.
    pub at: VirtualTime,
    /// In which life of the driver.
    pub life: Life,
    /// What it hit.
    pub hit: Hit,
}

/// What a fault hit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Hit {
    /// A disk operation.
    Disk {
        /// Which of its life, from 1.
        number: u64,
        /// Its class, for coverage.
        step: Step,
        /// The file or directory.
        path: String,
    },
    /// A network operation.
    Network {
        /// Which of its life, from 1.
        number: u64,
        /// Its kind.
        operation: NetworkOperation,
    },
    /// The driver or the world at a point of time, between two operations or while the driver was down.
    Time,
    /// The n-th attempt of the driver to connect.
    Attempt {
        /// Which of the run, from 1.
        number: u64,
    },
    /// A computation of the driver.
    Job {
        /// Which of its life, from 1.
        number: u64,
    },
    /// A connection of the driver.
    Connection {
        /// The n-th of the run, from 1.
        connection: u32,
        /// The bytes delivered to the driver until then.
        after_bytes: u64,
    },
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk { number, step, path } => {
                write!(f, "disk operation {number}: {} {path}", step.operation)
            }
            Self::Network { number, operation } => write!(f, "network operation {number}: {operation}"),
            Self::Time => f.write_str("between operations"),
            Self::Attempt { number } => write!(f, "connect attempt {number}"),
            Self::Job { number } => write!(f, "computation {number}"),
            Self::Connection { connection, after_bytes } => {
                write!(f, "connection {connection} after {after_bytes} bytes")
            }
        }
    }
}

impl fmt::Display for FaultOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.firing {
            Some(Firing { at, life, hit }) => {
                write!(f, "{}: fired at {at} in life {life}, {hit}", self.fault)
            }
            None => write!(f, "{}: missed", self.fault),
        }
    }
}
