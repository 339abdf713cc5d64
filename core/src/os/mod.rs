//! The real world: the seams of [`crate::env`] on tokio, the file system and a pool of threads.
//!
//! - `clock`: the system's monotonic and wall clock, tokio's timer.
//! - `network`: TCP.
//! - `disk`: files, with a real sync wherever the contract says that something is durable; `appending` is one open
//!   file, `names` what happens to names.
//! - `executor`: tokio for tasks, rayon for computations.
//! - `random`: the operating system's entropy.
//!
//! Nothing in here knows the engine, and nothing outside of here (in this crate) touches the machine. It is written for
//! Unix: a directory that cannot be opened and synced cannot keep the disk's contract.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the bans keep the machine out of the engine; this is the one place that may touch it"
)]

mod appending;
mod clock;
mod directories;
mod disk;
mod executor;
mod names;
mod network;
mod random;

use crate::env::Env;
use std::sync::Arc;
use tokio::runtime::Handle;

/// The machine, with as many threads for computations as it has cores.
///
/// Its futures run on the tokio runtime that this is called in, which needs its timer and its I/O driver
/// (`enable_all`).
///
/// # Panics
/// Outside of a tokio runtime, and if the system refuses to start the threads.
pub fn env() -> Env {
    env_with_threads(std::thread::available_parallelism().map_or(1, usize::from))
}

/// As [`env()`], with `threads` threads for computations (at least one), for instance to measure on one core.
///
/// # Panics
/// Outside of a tokio runtime, and if the system refuses to start the threads.
pub fn env_with_threads(threads: usize) -> Env {
    let runtime = Handle::current();
    Env {
        clock: Arc::new(clock::OsClock),
        network: Arc::new(network::Tcp),
        disk: Arc::new(disk::FileSystem::new(runtime.clone())),
        executor: Arc::new(executor::Threads::new(runtime, threads)),
        random: Arc::new(random::Entropy),
    }
}
