//! What happened, in two forms: a rolling hash that every run keeps, and a trace that is written only on request.
//!
//! The hash covers every operation at the seams, with its time, its node and its life. Two runs of the same program with
//! the same seed have the same hash; where they do not, the first difference of their traces tells what diverged, since
//! each entry carries the hash up to it.

use super::{Life, VirtualTime};
use std::fmt;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What kind of thing happened.
#[derive(Clone, Copy)]
pub(crate) enum Event {
    Disk = 1,
    Network = 2,
    Began = 3,
    Ended = 4,
    Fault = 5,
    Entropy = 6,
}

/// The hash of all that happened so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RollingHash(pub u64);

impl RollingHash {
    pub(crate) fn add(&mut self, numbers: [u64; 5]) {
        let mut bytes = [0; 40];
        for (eight, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            eight.copy_from_slice(&number.to_le_bytes());
        }
        self.0 = xxh3_64_with_seed(&bytes, self.0);
    }
}

impl fmt::Display for RollingHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// One entry of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceEntry {
    /// When.
    pub at: VirtualTime,
    /// The name of the node.
    pub node: String,
    /// Its life.
    pub life: Life,
    /// What, for people.
    pub text: String,
    /// The rolling hash after it.
    pub hash: RollingHash,
}

impl fmt::Display for TraceEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>14} {} {}: {}", self.at.to_string(), self.node, self.life, self.text)
    }
}
