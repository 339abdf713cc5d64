//! What crosses crates: the contract of the seams, run against the real world and the simulated one; what the tests of the
//! built command share; and the planted bugs that the sweep must find.

pub mod command;
pub mod contract;
pub mod mutants;
pub mod output;

/// The example of the document compiles.
#[cfg(doctest)]
#[doc = include_str!("../../docs/coming-from-spark.md")]
pub mod coming_from_spark {}
