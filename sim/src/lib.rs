//! The testbed: a world in which a Highwater driver crashes, loses power and is cut off, all from one seed.
//!
//! The engine knows the world through the seams of `highwater_core::env`. This crate implements each of them on madsim's
//! deterministic scheduler and keeps everything behind them in one place:
//!
//! - [`simulation`] runs one future in a fresh world on a fresh thread; [`world`] is that world: nodes and their lives,
//!   the virtual time, the rolling hash, the trace.
//! - [`disk`] loses what was not synced and tears what was half written; [`network`] has resets, half-open connections
//!   and bounded buffers. [`clock`], [`executor`] and [`random`] are the small seams.
//! - [`fault`] holds the faults that can be planned, one file each, and the [`fault::Plan`] that a seed draws.
//! - [`source`] is the outside that the driver reads from, with the ledger that the judges believe.
//! - [`sabotage`] breaks one promise of a seam at a time: a testbed that does not notice proves nothing.
//! - [`scenario`] is what is swept; [`run`] lives through it under a plan; the [`judge`]s say whether the invariants held.
//! - [`testing`] is for the author of a pipeline: its recovery as a test, in a line.
//! - [`mod@sweep`] runs many seeds at once; [`shrink`] makes the plan of a failure small; [`explore`] enumerates every crash point and
//!   every crash image of one run.
//! - [`prove`] takes every durable step away in turn, and demands that a judge objects.
//! - [`rng`] gives every domain its own stream of numbers, so that a draw added in one shifts nothing in another.
#[cfg(not(madsim))]
compile_error!(
    "highwater-sim needs `--cfg madsim`. The repository's .cargo/config.toml sets it for commands run inside the \
     repository; RUSTFLAGS in the environment replaces that setting, so either unset RUSTFLAGS or add `--cfg madsim` to it."
);

pub mod clock;
pub mod disk;
pub mod executor;
pub mod explore;
pub mod fault;
pub mod judge;
pub mod network;
mod parallel;
pub mod prove;
pub mod random;
pub mod rng;
pub mod run;
pub mod sabotage;
pub mod scenario;
pub mod shrink;
pub mod simulation;
pub mod source;
pub mod sweep;
pub mod testing;
mod text_error;
pub mod world;

pub use testing::{replay, sweep};
pub use text_error::TextError;
