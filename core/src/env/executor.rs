//! Where tasks and computations run.

use super::BoxFuture;

/// The executor seam: in line in a simulation, on tokio and a pool of threads on a machine.
///
/// Contract: no result depends on how many threads there are.
pub trait Executor: Send + Sync {
    /// Runs `task` concurrently until it ends or the returned value is dropped. `name` is for people.
    fn spawn(&self, name: &'static str, task: BoxFuture<'static, ()>) -> Box<dyn Task>;
    /// Runs a computation that may take long where it does not keep tasks from running.
    ///
    /// # Errors
    /// [`ComputeError`] if the computation panicked.
    fn compute(&self, job: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<(), ComputeError>>;
    /// Runs all of `tasks`, on several threads where there are, and returns when each has ended. Called from inside a
    /// computation. A panic in one of them is a panic of the caller.
    fn parallel<'a>(&self, tasks: Vec<Box<dyn FnOnce() + Send + 'a>>);
}

/// A running task; dropping it ends the task at its next await.
pub trait Task: Send + Sync {}

/// A computation panicked: an operator's function did, or the engine broke one of its own invariants.
#[derive(Debug, Clone, thiserror::Error)]
#[error("a computation panicked: {message}")]
pub struct ComputeError {
    /// The panic's message.
    pub message: String,
}
