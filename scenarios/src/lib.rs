//! Pipelines with their workload: what the `highwater` command runs for real, and what the testbed sweeps.
//!
//! - [`pipelines`] is the catalogue: each is a graph from lines of text to a text file, and knows no simulator.
//! - [`catalogue`] has the scenarios: each pipeline against each kind of source, with its model and its workload.
//! - [`operators`] has every operator that keeps something, as a pipeline with its model.
//! - [`scenario_file`] reads scenarios from files that combine these anew.
//! - [`bounded`] reads files that are meant to be small.
//! - [`feed`] sends a file's lines over the network, for a pipeline to read.
//! - `data/` holds the corpus that they are fed with; its README says where it comes from.

pub mod bounded;
pub mod catalogue;
pub mod feed;
pub mod operators;
pub mod pipelines;
pub mod scenario_file;
