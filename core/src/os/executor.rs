//! Tasks on tokio, computations on a pool of threads.
//!
//! The pool is rayon's: a computation that waits for its parallel parts works on them meanwhile, so that one thread is
//! enough and no number of threads can deadlock.

use crate::env::{BoxFuture, ComputeError, Executor, Task};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::{runtime::Handle, sync::oneshot, task::AbortHandle};

/// The executor of the machine.
pub(super) struct Threads {
    runtime: Handle,
    pool: rayon::ThreadPool,
}

impl Threads {
    pub(super) fn new(runtime: Handle, threads: usize) -> Self {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .thread_name(|index| format!("highwater-{index}"))
            .build()
            .expect("the system starts the threads for computations");
        Self { runtime, pool }
    }
}

impl Executor for Threads {
    fn spawn(&self, _name: &'static str, task: BoxFuture<'static, ()>) -> Box<dyn Task> {
        // Tokio takes names only in its unstable builds.
        Box::new(Spawned(self.runtime.spawn(task).abort_handle()))
    }

    fn compute(&self, job: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<(), ComputeError>> {
        let (sender, receiver) = oneshot::channel();
        self.pool.spawn(move || {
            // Unwind safe: what a job had in its hands is dropped with it, or the caller judges it by the error.
            let outcome = catch_unwind(AssertUnwindSafe(job));
            // Nobody receives if the caller stopped waiting; the job has run all the same.
            let _ = sender.send(outcome.map_err(|payload| ComputeError { message: message(&*payload) }));
        });
        Box::pin(async move {
            receiver
                .await
                .unwrap_or_else(|_| Err(ComputeError { message: "its thread has ended".to_owned() }))
        })
    }

    fn parallel<'a>(&self, tasks: Vec<Box<dyn FnOnce() + Send + 'a>>) {
        self.pool.scope(|scope| {
            for task in tasks {
                scope.spawn(|_| task());
            }
        });
    }
}

/// A task that ends with this value.
struct Spawned(AbortHandle);

impl Task for Spawned {}

impl Drop for Spawned {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a panic says: `panic!` carries a `&str` or a `String`, `panic_any` whatever it likes.
fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "no message".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier};

    fn with_threads<T>(threads: usize, body: impl AsyncFnOnce(Arc<Threads>) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { body(Arc::new(Threads::new(Handle::current(), threads))).await })
    }

    #[test]
    fn parallel_tasks_really_run_side_by_side() {
        with_threads(2, async |executor| {
            let inner = executor.clone();
            // Each waits for the other: in line this would never end.
            let job = Box::new(move || {
                let barrier = Barrier::new(2);
                let meet = || {
                    barrier.wait();
                };
                inner.parallel(vec![Box::new(meet), Box::new(meet)]);
            });
            executor.compute(job).await.unwrap();
        });
    }

    #[test]
    fn one_thread_is_enough_for_nested_parallel_computations() {
        with_threads(1, async |executor| {
            let count = Arc::new(AtomicUsize::new(0));
            let (inner, counter) = (executor.clone(), count.clone());
            let job = Box::new(move || {
                let task = || {
                    let leaf = || {
                        counter.fetch_add(1, Ordering::Relaxed);
                    };
                    inner.parallel(vec![Box::new(leaf), Box::new(leaf)]);
                };
                inner.parallel(vec![Box::new(task), Box::new(task), Box::new(task)]);
            });
            executor.compute(job).await.unwrap();
            assert_eq!(count.load(Ordering::Relaxed), 6);
        });
    }

    #[test]
    fn a_panic_without_a_text_is_an_error_too() {
        with_threads(1, async |executor| {
            let error = executor.compute(Box::new(|| std::panic::panic_any(7_u8))).await.unwrap_err();
            assert_eq!(error.message, "no message");
        });
    }
}
