//! What a batch without data costs in a pipeline of ten operators, and how long a day of missed ones takes.
//!
//! The program is stopped after a few batches and started again with a wall clock that is a day ahead, at an interval of 1 s. What is
//! computed is timed where the engine hands it to its threads: the whole job of a batch, and the encoding of snapshots, too. The
//! time of the day is that from the start to the completion of the last missed batch, with all that is written and synced.
//!
//! Run with `cargo bench --bench empty_batch`.

use highwater_core::{
    Interval, Options, State, StateSpec, StreamingContext,
    env::{BoxFuture, Clock, ComputeError, Env, Executor, Monotonic, Task, WallTime},
    event::Event,
    os,
};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

const DAY_MS: u64 = 24 * 3600 * 1000;
const MISSED: u64 = DAY_MS / 1000;

/// A clock whose wall time is ahead.
struct Ahead(Arc<dyn Clock>, u64);

impl Clock for Ahead {
    fn monotonic(&self) -> Monotonic {
        self.0.monotonic()
    }

    fn wall(&self) -> WallTime {
        WallTime(self.0.wall().0 + self.1)
    }

    fn sleep_until(&self, until: Monotonic) -> BoxFuture<'static, ()> {
        self.0.sleep_until(until)
    }
}

/// Adds up how long jobs take.
struct Timed(Arc<dyn Executor>, Arc<AtomicU64>);

impl Executor for Timed {
    fn spawn(&self, name: &'static str, task: BoxFuture<'static, ()>) -> Box<dyn Task> {
        self.0.spawn(name, task)
    }

    fn compute(&self, job: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<(), ComputeError>> {
        let nanos = self.1.clone();
        self.0.compute(Box::new(move || {
            let started = Instant::now();
            job();
            nanos.fetch_add(started.elapsed().as_nanos() as u64, Ordering::Relaxed);
        }))
    }

    fn parallel<'a>(&self, tasks: Vec<Box<dyn FnOnce() + Send + 'a>>) {
        self.0.parallel(tasks);
    }
}

fn main() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let nanos = Arc::new(AtomicU64::new(0));
        life(directory.path(), 0, 2, &nanos).await;
        nanos.store(0, Ordering::Relaxed);
        let took = life(directory.path(), DAY_MS, MISSED, &nanos).await;
        let micros = nanos.load(Ordering::Relaxed) as f64 / 1e3 / MISSED as f64;
        println!("an empty batch of ten operators: {micros:.1} us of computation, the snapshots included");
        println!("{MISSED} missed batches: {:.1} s, all durable", took.as_secs_f64());
    });
}

/// Runs until so many batches were completed.
async fn life(directory: &Path, ahead_ms: u64, batches: u64, nanos: &Arc<AtomicU64>) -> Duration {
    let mut env = os::env_with_threads(1);
    env.clock = Arc::new(Ahead(env.clock, ahead_ms));
    env.executor = Arc::new(Timed(env.executor, nanos.clone()));
    let (done, finished) = mpsc::channel();
    let completed = AtomicU64::new(0);
    let create = |env: &Env| {
        let options = Options::with_batch_interval(Interval::from_secs(1));
        let context = StreamingContext::new(env, options)?;
        context.add_listener(move |event: &Event| {
            if matches!(event, Event::BatchCompleted { .. })
                && completed.fetch_add(1, Ordering::Relaxed) + 1 == batches
            {
                // The other side waits until it comes.
                let _ = done.send(());
            }
        });
        pipeline(&context);
        Ok(context)
    };
    let context = StreamingContext::get_or_create(env, directory.join("checkpoint"), create);
    let mut context = context.await.expect("a context");
    let started = Instant::now();
    context.start().await.expect("it starts");
    tokio::task::spawn_blocking(move || finished.recv()).await.expect("no panic").expect("the batches");
    let took = started.elapsed();
    context.stop(true).await.expect("it stops");
    took
}

/// A source, eight operators of which two keep state, and an output.
fn pipeline(context: &StreamingContext) {
    let seen = |_, word: &String, count: Option<u64>, seen: &mut State<u64>| {
        seen.update(seen.get_option().unwrap_or(&0) + count?);
        Some((word.clone(), *seen.get()))
    };
    context
        .queue_stream(vec![vec!["to be or not to be".to_owned()]])
        .flat_map(|line: String| line.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .filter(|word| !word.is_empty())
        .map(|word| (word, 1u64))
        .reduce_by_key(|a, b| a + b)
        .map_with_state(StateSpec::function(seen).timeout(Interval::from_secs(60)))
        .mapped()
        .filter(|(_, count)| *count > 0)
        .update_state_by_key(|counts: Vec<u64>, total: Option<u64>| {
            (!counts.is_empty()).then(|| total.unwrap_or(0) + counts.into_iter().sum::<u64>())
        })
        .map(|(word, total)| format!("{word} {total}"))
        .for_each_batch(|_| ());
}
