//! The executor: tasks live until they are dropped, computations report their panics. And the random numbers, which
//! promise little.

use super::World;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;

type Part<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Says when it is dropped.
struct Tell(Arc<AtomicBool>);

impl Drop for Tell {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

pub(super) async fn a_task_runs_beside_its_parent(world: World) {
    let (ask, asked) = oneshot::channel::<u32>();
    let (answer, answered) = oneshot::channel::<u32>();
    let _task = world.env.executor.spawn(
        "contract",
        Box::pin(async move {
            let question = asked.await.expect("the parent asks");
            answer.send(question + 1).expect("the parent listens");
        }),
    );
    ask.send(1).expect("the task listens");
    assert_eq!(answered.await, Ok(2));
}

pub(super) async fn a_dropped_task_ends(world: World) {
    let dropped = Arc::new(AtomicBool::new(false));
    let tell = Tell(dropped.clone());
    let clock = world.env.clock.clone();
    let (started, has_started) = oneshot::channel();
    let task = world.env.executor.spawn(
        "contract",
        Box::pin(async move {
            let _tell = tell;
            started.send(()).expect("the parent listens");
            loop {
                clock.sleep(Duration::from_millis(1)).await;
            }
        }),
    );
    has_started.await.expect("the task starts");
    assert!(!dropped.load(SeqCst), "it runs until it is dropped");
    drop(task);
    while !dropped.load(SeqCst) {
        world.env.clock.sleep(Duration::from_millis(1)).await;
    }
}

pub(super) async fn a_task_that_is_over_may_be_dropped(world: World) {
    let (over, is_over) = oneshot::channel();
    let task = world
        .env
        .executor
        .spawn("contract", Box::pin(async move { over.send(()).expect("somebody listens") }));
    is_over.await.expect("the task runs");
    world.env.clock.sleep(Duration::from_millis(1)).await;
    drop(task);
}

pub(super) async fn compute_has_run_when_it_returns(world: World) {
    let ran = Arc::new(AtomicBool::new(false));
    let tell = ran.clone();
    world.env.executor.compute(Box::new(move || tell.store(true, SeqCst))).await.expect("no panic");
    assert!(ran.load(SeqCst));
}

pub(super) async fn a_panic_in_compute_is_an_error(world: World) {
    let executor = &world.env.executor;
    let error = executor.compute(Box::new(|| panic!("at once"))).await.expect_err("it panics");
    assert_eq!(error.message, "at once");
    let error = executor.compute(Box::new(|| panic!("key {}", 7))).await.expect_err("it panics");
    assert_eq!(error.message, "key 7");
}

pub(super) async fn an_executor_survives_a_panic(world: World) {
    for _ in 0..20 {
        assert!(world.env.executor.compute(Box::new(|| panic!("once more"))).await.is_err());
    }
    compute_has_run_when_it_returns(world).await;
}

/// Runs `job` as a computation and returns what it returned.
async fn computed<T: Send + 'static>(world: &World, job: impl FnOnce() -> T + Send + 'static) -> T {
    let result = Arc::new(Mutex::new(None));
    let slot = result.clone();
    let job = Box::new(move || *slot.lock().expect("no panic before") = Some(job()));
    world.env.executor.compute(job).await.expect("no panic");
    result.lock().expect("no panic before").take().expect("the job has run")
}

pub(super) async fn parallel_runs_all(world: World) {
    let executor = world.env.executor.clone();
    let count = computed(&world, move || {
        let count = AtomicUsize::new(0);
        let part = |n: usize| -> Part<'_> {
            let count = &count;
            Box::new(move || {
                count.fetch_add(n, SeqCst);
            })
        };
        executor.parallel((1..=100).map(part).collect());
        count.load(SeqCst)
    });
    assert_eq!(count.await, 5_050);
}

pub(super) async fn parallel_may_borrow(world: World) {
    let executor = world.env.executor.clone();
    let squares = computed(&world, move || {
        let mut squares: Vec<usize> = (0..10).collect();
        executor.parallel(squares.iter_mut().map(|n| Box::new(move || *n *= *n) as Part<'_>).collect());
        squares
    });
    assert_eq!(squares.await, [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
}

pub(super) async fn parallel_of_nothing_returns(world: World) {
    let executor = world.env.executor.clone();
    computed(&world, move || executor.parallel(Vec::new())).await;
}

pub(super) async fn a_panic_in_parallel_is_the_callers_after_all_have_ended(world: World) {
    let executor = world.env.executor.clone();
    let (panicked, ended) = computed(&world, move || {
        let ended = AtomicUsize::new(0);
        let part = |n: usize| -> Part<'_> {
            let ended = &ended;
            Box::new(move || {
                assert!(n != 3, "the third");
                ended.fetch_add(1, SeqCst);
            })
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| executor.parallel((0..8).map(part).collect())));
        (outcome.is_err(), ended.load(SeqCst))
    })
    .await;
    assert!(panicked, "the caller has to panic");
    assert_eq!(ended, 7, "each of the others has to end");

    let executor = world.env.executor.clone();
    let job = Box::new(move || executor.parallel(vec![Box::new(|| panic!("inside"))]));
    let error = world.env.executor.compute(job).await.expect_err("it panics");
    assert_eq!(error.message, "inside");
}

pub(super) async fn random_numbers_differ(world: World) {
    let random = &world.env.random;
    let numbers: std::collections::BTreeSet<u64> = (0..64).map(|_| random.next_u64()).collect();
    assert_eq!(numbers.len(), 64);
}
