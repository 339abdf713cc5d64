//! One run: a fresh thread, a fresh runtime, a fresh world, and one future in it.
//!
//! A thread of its own, because madsim fixes the seeds of the standard library's hash maps per thread. At the end every
//! node is killed, so that the tasks and the memory of a run are gone with it, also after a panic.
//!
//! Left out: what is run. Scenarios, supervision of the driver and judgement are on top.

use crate::{
    rng::{Domain, stream},
    sabotage::Sabotage,
    world::World,
};
use madsim::{Config, runtime::Runtime};
use rand_chacha::rand_core::Rng;
use std::{
    any::Any,
    collections::BTreeSet,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Duration,
};

/// What a run wants of its world.
#[derive(Clone, Debug)]
pub struct WorldOptions {
    /// Whence all randomness comes.
    pub seed: u64,
    /// Write a trace; it costs time and memory.
    pub trace: bool,
    /// Record the step of every disk operation of the driver, for an explorer of all crash points.
    pub record_steps: bool,
    /// The checkpoint directory of the driver: its directories are the places that coverage counts.
    pub checkpoint_dir: String,
    /// Keep the last content of a removed file whose path contains one of these.
    pub keep_removed: Vec<String>,
    /// Record every change of a file whose path contains one of these; its place is `output`.
    pub outputs: Vec<String>,
    /// The promises that the world breaks.
    pub sabotage: BTreeSet<Sabotage>,
    /// How many bytes of a connection may wait in one direction before a write waits.
    pub send_buffer_bytes: usize,
    /// The run fails with a panic when it takes more virtual time than this.
    pub time_max: Duration,
    /// The run fails with a panic when its nodes do more than this: operations of the disk and the network, looks at the clock, draws,
    /// computations, and turns of tasks. Virtual time hardly passes for what goes in circles, so `time_max` would come late.
    pub operations_max: u64,
}

impl WorldOptions {
    /// The defaults with a seed: checkpoints in `/checkpoint`, of which the removed files are kept; outputs below
    /// `/output`; two hours of virtual time; a million operations, more than ten times what any run of the
    /// default sweep needs, and over in a second where nothing else is done.
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            trace: false,
            record_steps: false,
            checkpoint_dir: "/checkpoint".into(),
            keep_removed: vec!["/checkpoint/".into()],
            outputs: vec!["/output/".into()],
            sabotage: BTreeSet::new(),
            send_buffer_bytes: 64 * 1024,
            time_max: Duration::from_secs(2 * 3600),
            operations_max: 1_000_000,
        }
    }
}

/// Something in the run panicked: the engine, a judge, the scenario, or the world when it found itself broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the run panicked: {message}")]
pub struct Panicked {
    /// The panic's message.
    pub message: String,
}

/// Runs one future in a world of its own and returns what it returns.
///
/// The future runs on the supervisor node, which never crashes; everything that can crash runs on nodes that it adds.
/// Tasks belong on nodes too, where the end of the run finds them.
///
/// ```
/// use highwater_sim::simulation::{WorldOptions, run_simulation};
/// use std::path::Path;
///
/// let listed = run_simulation(WorldOptions::seeded(7), |world| async move {
///     let driver = world.add_node("driver");
///     let made = driver.start(|env| async move {
///         env.disk.create_dir(Path::new("/checkpoint")).await?;
///         env.disk.create_new(Path::new("/checkpoint/first")).await?.sync().await?;
///         env.disk.list(Path::new("/checkpoint")).await
///     });
///     made.await.expect("nothing kills the driver")
/// });
/// assert_eq!(listed.unwrap().unwrap(), ["first"]);
/// ```
///
/// # Errors
/// [`Panicked`] if anything in the run panicked.
pub fn run_simulation<T, F>(
    options: WorldOptions,
    run: impl FnOnce(Arc<World>) -> F + Send,
) -> Result<T, Panicked>
where
    T: Send,
    F: Future<Output = T>,
{
    thread::scope(|scope| {
        let thread = scope.spawn(|| run_on_this_thread(options, run));
        thread.join().unwrap_or_else(|payload| Err(Panicked::of(payload)))
    })
}

fn run_on_this_thread<T, F>(options: WorldOptions, run: impl FnOnce(Arc<World>) -> F) -> Result<T, Panicked>
where
    F: Future<Output = T>,
{
    let schedule = stream(options.seed, Domain::Schedule).next_u64();
    let mut runtime = Runtime::with_seed_and_config(schedule, Config::default());
    runtime.set_time_limit(options.time_max);
    runtime.add_simulator::<World>();
    let mut world = None;
    let result = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let here = World::current();
            here.configure(&options);
            world = Some(here.clone());
            run(here).await
        })
    }));
    if let Some(world) = world {
        // The tasks hold the world and the world's wakers hold the tasks: without this every run would leak.
        let swept = catch_unwind(AssertUnwindSafe(|| {
            world.node_ids().into_iter().for_each(|id| runtime.handle().kill(id));
            world.forget_wakers();
            runtime.block_on(async {});
        }));
        drop(swept);
    }
    result.map_err(Panicked::of)
}

impl Panicked {
    pub(crate) fn of(payload: Box<dyn Any + Send>) -> Self {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Self { message: text.unwrap_or_else(|| "a panic without a message".to_owned()) }
    }
}
