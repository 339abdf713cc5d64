//! The seams: all that the engine knows of the world.
//!
//! [`Clock`], [`Network`] and [`Disk`] are the world proper; [`Executor`] runs tasks and computations, [`Random`] draws
//! the few numbers that need not repeat. On a machine they are `crate::os`; in the testbed a deterministic simulator.
//! The contract of each stands in its rustdoc, and one suite of contract tests (`tests/contract`) runs against both.
//!
//! All of them are objects, not type parameters: what they do costs microseconds, and nothing here is called per record.

mod clock;
mod disk;
mod executor;
mod network;

pub use clock::{Clock, Monotonic, WallTime};
pub use disk::{Disk, File, Lock, length_differs};
pub use executor::{ComputeError, Executor, Task};
pub use network::{Connection, KEEPALIVE, Listener, Network, Reader, Writer, host_and_port};

use std::{future::Future, pin::Pin, sync::Arc};

/// A boxed future, as the object-safe traits of this module return it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Numbers that need not be the same in another run: a first start's hash seed, the jitter of a backoff.
///
/// In a simulation they come from the run's seed. Nothing that must repeat on replay may be drawn here.
pub trait Random: Send + Sync {
    /// A uniformly distributed number.
    fn next_u64(&self) -> u64;
}

/// The world, as the engine sees it. Cloning it is cheap.
#[derive(Clone)]
pub struct Env {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Byte streams to other processes.
    pub network: Arc<dyn Network>,
    /// What survives this process.
    pub disk: Arc<dyn Disk>,
    /// Where tasks and computations run.
    pub executor: Arc<dyn Executor>,
    /// Numbers that need not repeat.
    pub random: Arc<dyn Random>,
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Env")
    }
}
