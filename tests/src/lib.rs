//! What crosses crates: the contract of the seams, run against the real world and the simulated one.

pub mod contract;
