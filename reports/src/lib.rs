//! The reports: what a run or a sweep came to, for people and for programs.
//!
//! - [`text`] tells one run's story: the plan, the timeline, the ledger, the verdicts. Stable to the byte, so that a snapshot
//!   of it shows a reviewer what a change does to a recovery.
//! - [`sweep`] adds runs up and renders the table of a sweep.
//! - [`explore`] renders what an exploration of all crash points came to.
//! - [`prove`] is the table of the durable steps, each sabotaged.
//! - [`html`] are the pages of a run and of a sweep: one file each.
//! - [`json`] is a report as one line, for programs, and reads it again.
//! - [`junit`] is a report as CI systems read it.
//! - [`shrink`] is a failure that was made small.
//! - [`recheck`] is a saved run that was judged again.
//! - [`replay`] is the command that lives through a run again, which ends every report of a failure.
//!
//! A report reads a [`RunReport`](highwater_sim::run::RunReport) and nothing else: it judges nothing, and it never asks a
//! clock, a terminal or the environment.

pub mod explore;
pub mod html;
pub mod json;
pub mod junit;
pub mod prove;
pub mod recheck;
pub mod replay;
pub mod shrink;
pub mod sweep;
pub mod text;
