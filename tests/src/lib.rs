//! What crosses crates: the contract of the seams, run against the real world and the simulated one, and what the tests of
//! the built command share.

pub mod command;
pub mod contract;
pub mod output;
