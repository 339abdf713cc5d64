//! The names of things: each its own type, so that two of them cannot be swapped.

use crate::env::WallTime;
use serde::{Deserialize, Serialize};
use std::{fmt, ops::Mul, time::Duration};

/// The time of a batch: a point of the batch grid, milliseconds since 1970 UTC. It names the batch for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BatchTime(pub u64);

impl BatchTime {
    /// The batch time `interval` later.
    pub fn next(self, interval: Interval) -> Self {
        Self(self.0 + interval.millis())
    }

    /// As a wall time, for printing.
    pub fn wall(self) -> WallTime {
        WallTime(self.0)
    }
}

impl fmt::Display for BatchTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.wall().fmt(f)
    }
}

/// A positive whole number of milliseconds: the batch interval, a window, a slide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Interval(u64);

impl Interval {
    /// An interval of `millis` milliseconds; `None` for zero and for more than a year.
    pub fn from_millis(millis: u64) -> Option<Self> {
        (1..=366 * 24 * 3600 * 1000).contains(&millis).then_some(Self(millis))
    }

    /// An interval of `seconds` seconds.
    ///
    /// # Panics
    /// If `seconds` is zero or more than a year.
    pub const fn from_secs(seconds: u64) -> Self {
        assert!(seconds > 0 && seconds <= 366 * 24 * 3600, "an interval is positive and at most a year");
        Self(seconds * 1000)
    }

    /// Its length in milliseconds, at least 1.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Its length as a duration.
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl Mul<u64> for Interval {
    type Output = Self;

    /// So many intervals, one after another.
    ///
    /// # Panics
    /// If they are none, or more than a year together.
    fn mul(self, count: u64) -> Self {
        let product = self.0.checked_mul(count).and_then(Self::from_millis);
        product.expect("an interval is positive and at most a year")
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 1000 {
            0 => write!(f, "{}s", self.0 / 1000),
            _ => write!(f, "{}ms", self.0),
        }
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        pub struct $name(pub u64);

        impl $name {
            /// The one after this.
            pub fn next(self) -> Self {
                Self(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// Counts the starts of a driver on one checkpoint directory, from 1. The newest is the only one that may write.
    Generation
);
number!(
    /// Counts the blocks of one source, from 0, across all generations.
    BlockId
);
number!(
    /// Counts the checkpoints of one directory, from 0, across all generations.
    CheckpointSequence
);
number!(
    /// Counts the journal's segments, from 0, across all generations.
    SegmentId
);

/// A source of the graph, by its place in the order of construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceId(pub u32);

/// An operator of the graph (sources and outputs included), by its place in the order of construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OperatorId(pub u32);

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for OperatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A published checkpoint: who wrote it, and the how-manieth of the directory it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CheckpointId {
    /// The position in the order of all checkpoints of the directory.
    pub sequence: CheckpointSequence,
    /// The generation that wrote it.
    pub generation: Generation,
}

impl fmt::Display for CheckpointId {
    /// `7.2`: sequence 7, of generation 2.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.sequence, self.generation)
    }
}
