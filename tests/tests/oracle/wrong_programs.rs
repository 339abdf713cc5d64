//! Wrong programs, each the counterpart of a recorded case: what it is told is checked here.

use super::case::interval;
use highwater_core::{
    BatchTime, DStream, Data, Error, GraphError, Options, SliceError, State, StateSpec, StreamingContext,
    env::Env,
};
use highwater_sim::simulation::{WorldOptions, run_simulation};
use std::{
    future::Future,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Runs something on a node of a world of its own.
fn in_world<T, F>(run: impl FnOnce(Env) -> F + Send + 'static) -> T
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    run_simulation(WorldOptions::seeded(1), |world| async move {
        world.add_node("driver").start(run).await.expect("nothing kills it")
    })
    .unwrap_or_else(|panicked| panic!("{panicked}"))
}

fn told(ended: Result<(), Error>) -> Option<String> {
    ended.err().map(|error| error.to_string())
}

/// A context with the numbers 1 to 6, one a batch.
fn context(env: &Env, options: Options) -> Result<(StreamingContext, DStream<i64>), Error> {
    let mut context = StreamingContext::new(env, options)?;
    context.checkpoint("/checkpoint");
    let numbers = context.queue_stream((1..=6).map(|n| vec![n]).collect());
    Ok((context, numbers))
}

/// The error of a start.
fn start_error<T: Data>(
    build: impl FnOnce(&StreamingContext, DStream<i64>) -> DStream<T> + Send + 'static,
) -> Error {
    in_world(|env| async move {
        let (mut context, numbers) = context(&env, Options::default()).expect("sound options");
        build(&context, numbers).for_each_batch(|_| {});
        context.start().await.expect_err("the program is wrong")
    })
}

/// What a pipeline emits of six batches, as `(milliseconds since the start, records)`, and the error that ended it.
fn six_batches<T: Data>(
    build: impl FnOnce(DStream<i64>) -> DStream<T> + Send + 'static,
) -> (Vec<(u64, Vec<T>)>, Option<String>) {
    in_world(|env| async move {
        let (mut context, numbers) = context(&env, Options::default()).expect("sound options");
        let zero_ms = env.clock.wall().0 / 1000 * 1000;
        let emitted = Arc::new(Mutex::new(Vec::new()));
        let seen = emitted.clone();
        build(numbers).for_each_batch(move |batch| {
            seen.lock().unwrap().push((batch.time().0 - zero_ms, batch.records));
        });
        context.start().await.expect("it starts");
        let six = env.clock.sleep(Duration::from_millis(6_200));
        let ended = tokio::select! {
            biased;
            ended = context.await_termination() => ended,
            () = six => context.stop(false).await,
        };
        let mut emitted = std::mem::take(&mut *emitted.lock().unwrap());
        emitted.retain(|(time_ms, _)| *time_ms <= 6000);
        (emitted, told(ended))
    })
}

pub fn no_multiple<T: Data>(
    ms: u64,
    build: impl FnOnce(DStream<i64>) -> DStream<T> + Send + 'static,
) -> Option<String> {
    let error = start_error(|_, numbers| build(numbers));
    let Error::Graph(GraphError::NoMultiple { value, parent, .. }) = &error else { panic!("{error}") };
    assert_eq!((value.millis(), parent.millis()), (ms, 1000));
    Some(error.to_string())
}

pub fn no_directory<T: Data>(
    build: impl FnOnce(DStream<i64>) -> DStream<T> + Send + 'static,
) -> Option<String> {
    let error = in_world(|env| async move {
        let mut context = StreamingContext::new(&env, Options::default()).expect("sound options");
        build(context.queue_stream(vec![vec![1]])).for_each_batch(|_| {});
        context.start().await.expect_err("there is no directory")
    });
    assert!(matches!(error, Error::Graph(GraphError::NoCheckpointDirectory)), "{error}");
    Some(error.to_string())
}

pub fn short_checkpoint_interval() -> Option<String> {
    let error = in_world(|env| async move {
        let mut options = Options::default();
        options.checkpoint_interval = Some(interval(500));
        context(&env, options).map(|_| ()).expect_err("500 ms of 1000 ms")
    });
    let Error::Graph(GraphError::Option { option, .. }) = &error else { panic!("{error}") };
    assert_eq!(*option, "checkpoint_interval");
    Some(error.to_string())
}

pub fn no_output() -> Option<String> {
    let error = in_world(|env| async move {
        let (mut context, _numbers) = context(&env, Options::default()).expect("sound options");
        context.start().await.expect_err("there is no output")
    });
    assert!(matches!(error, Error::Graph(GraphError::NoOutput)), "{error}");
    Some(error.to_string())
}

pub fn added_after_start() -> Option<String> {
    let error = in_world(|env| async move {
        let (mut context, numbers) = context(&env, Options::default()).expect("sound options");
        numbers.clone().for_each_batch(|_| {});
        context.start().await.expect("it starts");
        let _added = numbers.map(|n| n + 1);
        context.stopper().expect("it runs").stop();
        context.await_termination().await.expect_err("an operator was added")
    });
    assert!(matches!(error, Error::Graph(GraphError::AddedAfterStart)), "{error}");
    Some(error.to_string())
}

pub fn start_after_stop() -> Option<String> {
    let error = in_world(|env| async move {
        let (mut context, numbers) = context(&env, Options::default()).expect("sound options");
        numbers.for_each_batch(|_| {});
        context.start().await.expect("it starts");
        context.stop(false).await.expect("it stops");
        context.start().await.expect_err("it was stopped")
    });
    assert!(matches!(error, Error::Graph(GraphError::AlreadyUsed("stopped"))), "{error}");
    Some(error.to_string())
}

pub fn stop_before_start() -> Option<String> {
    in_world(|env| async move {
        let (mut context, numbers) = context(&env, Options::default()).expect("sound options");
        numbers.for_each_batch(|_| {});
        let stopped = context.stop(true).await;
        let error = context.start().await.expect_err("it was stopped");
        assert!(matches!(error, Error::Graph(GraphError::AlreadyUsed("stopped"))), "{error}");
        told(stopped)
    })
}

pub fn different_slides() -> Option<String> {
    let error = start_error(|_, numbers| {
        let slower = numbers.clone().window(interval(2000), interval(2000));
        numbers.union(slower)
    });
    let Error::Graph(GraphError::DifferentSlides { one, other, .. }) = &error else { panic!("{error}") };
    assert_eq!((one.millis(), other.millis()), (1000, 2000));
    Some(error.to_string())
}

pub fn different_contexts() -> Option<String> {
    let error = in_world(|env| async move {
        let (mut one, numbers) = context(&env, Options::default()).expect("sound options");
        let (_other, others) = context(&env, Options::default()).expect("sound options");
        numbers.union(others).for_each_batch(|_| {});
        one.start().await.expect_err("two contexts")
    });
    assert!(matches!(error, Error::Graph(GraphError::DifferentContexts { .. })), "{error}");
    Some(error.to_string())
}

pub fn slice_before_start() -> Option<String> {
    in_world(|env| async move {
        let (_context, numbers) = context(&env, Options::default()).expect("sound options");
        let remembered = numbers.remember(interval(5000));
        let error = remembered.slice(BatchTime(1000), BatchTime(2000)).expect_err("nothing has run");
        assert_eq!(error, SliceError::NotStarted);
        Some(error.to_string())
    })
}

pub fn directory_after_start() -> Option<String> {
    in_world(|env| async move {
        let (mut context, numbers) = context(&env, Options::default()).expect("sound options");
        numbers.for_each_batch(|_| {});
        context.start().await.expect("it starts");
        context.checkpoint("/elsewhere");
        env.clock.sleep(Duration::from_secs(2)).await;
        assert!(env.disk.list(Path::new("/elsewhere")).await.is_err(), "it has no effect");
        told(context.stop(false).await)
    })
}

pub fn map_panics() -> Option<String> {
    let (emitted, error) = six_batches(|numbers| {
        numbers.map(|n| {
            assert!(n != 3, "a planned failure");
            10 * n
        })
    });
    assert_eq!(emitted, [(1000, vec![10]), (2000, vec![20])]);
    assert!(error.as_ref().expect("the driver ended").contains("a planned failure"), "{error:?}");
    error
}

pub fn update_panics() -> Option<String> {
    let (emitted, error) = six_batches(|numbers| {
        numbers.map(|n| ("k".to_owned(), n)).update_state_by_key(|values, state: Option<i64>| {
            assert!(!values.contains(&3), "a planned failure");
            Some(state.unwrap_or(0) + values.iter().sum::<i64>())
        })
    });
    let of = |n: i64| vec![("k".to_owned(), n)];
    assert_eq!(emitted, [(1000, of(1)), (2000, of(3))]);
    assert!(error.as_ref().expect("the driver ended").contains("a planned failure"), "{error:?}");
    error
}

/// A `map_with_state` whose function panics in the first batch.
pub fn batch_fails(
    reason: &'static str,
    function: fn(&i64, Option<i64>, &mut State<i64>) -> i64,
) -> Option<String> {
    let (emitted, error) = six_batches(move |numbers| {
        numbers.map(|n| (n, n)).map_with_state(StateSpec::mapping(function)).mapped()
    });
    assert!(emitted.is_empty(), "{emitted:?}");
    assert!(error.as_ref().expect("the driver ended").contains(reason), "{error:?}");
    error
}

pub fn updated_to_none() -> Option<String> {
    let (emitted, error) = six_batches(|numbers| {
        let pairs = numbers.filter(|n| *n <= 3).map(|n| ("k".to_owned(), n));
        let spec = StateSpec::mapping(|key: &String, _: Option<i64>, state: &mut State<Option<i64>>| {
            state.update(None);
            key.clone()
        });
        pairs.map_with_state(spec).mapped()
    });
    let emitted: Vec<_> = emitted.into_iter().filter(|(_, records)| !records.is_empty()).collect();
    assert_eq!(emitted, [1000, 2000, 3000].map(|time_ms| (time_ms, vec!["k".to_owned()])));
    error
}

pub fn none_as_a_key() -> Option<String> {
    let (emitted, error) = six_batches(|numbers| {
        let pairs = numbers.filter(|n| *n == 1).map(|n| (None::<String>, n));
        let spec = StateSpec::mapping(|key: &Option<String>, _: Option<i64>, state: &mut State<i64>| {
            state.update(1);
            key.clone().unwrap_or_else(|| "null".into())
        });
        pairs.map_with_state(spec).mapped()
    });
    assert_eq!(emitted[0], (1000, vec!["null".to_owned()]));
    error
}

pub fn empty_directory() -> Option<String> {
    in_world(|env| async move {
        let started = StreamingContext::get_or_create(env.clone(), "/empty", |env| {
            let (context, numbers) = context(env, Options::default())?;
            numbers.for_each_batch(|_| {});
            Ok(context)
        });
        assert!(started.await.is_ok(), "it begins afresh");
        let disk = &env.disk;
        disk.create_dir(Path::new("/other/journal")).await.expect("nothing fails here");
        let name = "/other/journal/0000000000-0000000001.wal";
        let mut file = disk.create_new(Path::new(name)).await.expect("nothing fails here");
        file.append(b"data").await.expect("nothing fails here");
        let refused = StreamingContext::get_or_create(env.clone(), "/other", |env| {
            let (context, numbers) = context(env, Options::default())?;
            numbers.for_each_batch(|_| {});
            Ok(context)
        });
        let error = refused.await.map(|_| ()).expect_err("there are data");
        assert!(matches!(error, Error::NoUsableCheckpoint { .. }), "{error}");
        Some(error.to_string())
    })
}
