//! Tasks and computations in a simulation: tasks take turns in an order that the seed draws, computations run in line.
//!
//! A panic in a computation is caught, as on a machine, and is the computation's error; it ends the driver, which the judge of
//! progress takes for a violation. A panic of a task fails the run.

use crate::{clock::Alarm, fault::injected, simulation::Panicked, world::Seat};
use highwater_core::env::{BoxFuture, ComputeError, Executor, Task};
use madsim::task::AbortHandle;
use std::{
    io::ErrorKind,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Duration,
};

/// The executor of one life of a node.
pub struct SimExecutor {
    seat: Seat,
}

impl SimExecutor {
    pub(crate) fn new(seat: Seat) -> Self {
        Self { seat }
    }
}

impl Executor for SimExecutor {
    fn spawn(&self, _name: &'static str, task: BoxFuture<'static, ()>) -> Box<dyn Task> {
        Box::new(SimTask { abort: self.seat.spawn(task).map(|handle| handle.abort_handle()) })
    }

    fn compute(&self, job: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<(), ComputeError>> {
        let seat = self.seat.clone();
        Box::pin(async move {
            let at = seat.world.now();
            let (takes_ms, fails) = seat.world.lock().enter_computation(&seat, at);
            if takes_ms > 0 {
                Alarm::after_duration(&seat.world, Duration::from_millis(takes_ms)).await;
            }
            if let Some(fault) = fails {
                let error = injected(fault, ErrorKind::OutOfMemory, "out of memory");
                return Err(ComputeError { message: error.to_string() });
            }
            let computed = catch_unwind(AssertUnwindSafe(job));
            computed.map_err(|payload| ComputeError { message: Panicked::of(payload).message })
        })
    }

    fn parallel<'a>(&self, tasks: Vec<Box<dyn FnOnce() + Send + 'a>>) {
        // All of them run, also beside one that panics.
        let panics = tasks.into_iter().filter_map(|task| catch_unwind(AssertUnwindSafe(task)).err());
        if let Some(first) = panics.collect::<Vec<_>>().into_iter().next() {
            resume_unwind(first);
        }
    }
}

/// A task; `None` when the life that spawned it was over.
struct SimTask {
    abort: Option<AbortHandle>,
}

impl Task for SimTask {}

impl Drop for SimTask {
    fn drop(&mut self) {
        if let Some(abort) = &self.abort {
            abort.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::simulation::{WorldOptions, run_simulation};
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
        time::Duration,
    };

    #[test]
    fn a_dropped_task_ends_and_a_kept_one_runs() {
        let turns = run_simulation(WorldOptions::seeded(1), |world| async move {
            let env = world.add_node("driver").boot();
            let (kept, dropped) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
            let spawn = |turns: &Arc<AtomicU32>| {
                let (clock, turns) = (env.clock.clone(), turns.clone());
                let task = async move {
                    loop {
                        clock.sleep(Duration::from_millis(10)).await;
                        turns.fetch_add(1, Ordering::Relaxed);
                    }
                };
                env.executor.spawn("counter", Box::pin(task))
            };
            let (_task, short) = (spawn(&kept), spawn(&dropped));
            world.sleep(Duration::from_millis(55)).await;
            drop(short);
            world.sleep(Duration::from_millis(50)).await;
            (kept.load(Ordering::Relaxed), dropped.load(Ordering::Relaxed))
        });
        assert_eq!(turns.unwrap(), (10, 5));
    }

    #[test]
    fn a_panic_in_a_task_fails_the_run() {
        let run = run_simulation(WorldOptions::seeded(1), |world| async move {
            let node = world.add_node("driver");
            let job = |_: highwater_core::env::Env| async { panic!("operator 7 is wrong") };
            node.start(job).await.unwrap();
        });
        assert_eq!(run.unwrap_err().message, "operator 7 is wrong");
    }
}
