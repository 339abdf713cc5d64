use crate::{
    Error, Interval, Options, State, StateSpec, StreamingContext,
    event::{Event, Recovery},
    os,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    future::Future,
    path::Path,
    sync::{Arc, Condvar, Mutex},
};
use tokio::sync::Notify;

/// A count that is encoded only once the gate of its test is open.
#[derive(Clone)]
struct Gated(u64, Option<Arc<Gate>>);

#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

impl Serialize for Gated {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(gate) = &self.1 {
            drop(gate.opened.wait_while(gate.is_open.lock().unwrap(), |is_open| !*is_open).unwrap());
        }
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for Gated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(|count| Self(count, None))
    }
}

/// What a program told so far.
#[derive(Default)]
struct Told {
    events: Mutex<Vec<Event>>,
    news: Notify,
}

impl Told {
    fn completed(&self) -> usize {
        self.count(|event| matches!(event, Event::BatchCompleted { .. }))
    }

    fn count(&self, is_one: impl Fn(&Event) -> bool) -> usize {
        self.events.lock().unwrap().iter().filter(|event| is_one(event)).count()
    }

    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        while !is_so(self) {
            self.news.notified().await;
        }
    }
}

fn on_a_runtime(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(test);
}

/// A program that counts its batches for one key, with a snapshot after every second one.
async fn program(directory: &Path, told: &Arc<Told>, gate: &Arc<Gate>) -> StreamingContext {
    let create = |env: &_| {
        let mut options = Options::with_batch_interval(Interval::from_millis(20).unwrap());
        options.checkpoint_interval = Interval::from_millis(40);
        let context = StreamingContext::new(env, options)?;
        let told = told.clone();
        context.add_listener(move |event: &Event| {
            told.events.lock().unwrap().push(event.clone());
            told.news.notify_one();
        });
        let gate = gate.clone();
        // A state from the first batch on: the gate holds up every snapshot, whenever the first record comes.
        let initial = vec![("key".to_owned(), Gated(0, Some(gate.clone())))];
        let count = move |_: Vec<u64>, state: Option<Gated>| {
            Some(Gated(state.map_or(0, |state| state.0) + 1, Some(gate.clone())))
        };
        context
            .queue_stream(vec![vec![("key".to_owned(), 1u64)]])
            .update_state_by_key_with_initial_state(initial, count)
            .for_each_batch(|_| ());
        Ok(context)
    };
    let mut context =
        StreamingContext::get_or_create(os::env_with_threads(2), directory, create).await.unwrap();
    context.start().await.unwrap();
    context
}

fn snapshots_named(events: &[Event]) -> impl Iterator<Item = (usize, crate::BatchTime)> {
    events.iter().enumerate().filter_map(|(at, event)| match event {
        Event::CheckpointPublished { snapshot: Some(snapshot), .. } => Some((at, *snapshot)),
        _ => None,
    })
}

#[test]
fn batches_go_on_while_a_snapshot_is_written_and_are_computed_again_from_it() {
    on_a_runtime(async {
        let directory = tempfile::tempdir().unwrap();
        let (told, gate) = (Arc::new(Told::default()), Arc::new(Gate::default()));
        let mut context = program(directory.path(), &told, &gate).await;
        told.until(|told| told.completed() >= 10).await;
        assert_eq!(told.count(|event| matches!(event, Event::SnapshotWritten { .. })), 0);
        assert_eq!(snapshots_named(&told.events.lock().unwrap()).count(), 0);
        gate.open();
        told.until(|told| snapshots_named(&told.events.lock().unwrap()).count() > 0).await;
        context.stop(false).await.unwrap();

        let events = told.events.lock().unwrap().clone();
        let (named_at, snapshot) = snapshots_named(&events).next().unwrap();
        let written_at = events
            .iter()
            .position(|event| matches!(event, Event::SnapshotWritten { time, .. } if *time == snapshot))
            .unwrap();
        assert!(written_at < named_at, "a snapshot is durable before a checkpoint names it");
        let told_again = Arc::new(Told::default());
        let mut again = program(directory.path(), &told_again, &gate).await;
        again.stop(false).await.unwrap();
        let recovery = told_again.events.lock().unwrap().iter().find_map(|event| match event {
            Event::Recovered(recovery) => Some(recovery.clone()),
            _ => None,
        });
        let Recovery { snapshot: restored, state_replays, .. } = recovery.unwrap();
        assert!(restored >= Some(snapshot));
        assert!(
            restored > Some(snapshot) || state_replays >= 8,
            "batches went on meanwhile: {state_replays}"
        );
    });
}

#[test]
fn an_orderly_stop_writes_the_snapshot_under_way_and_its_last_checkpoint_names_it() {
    on_a_runtime(async {
        let directory = tempfile::tempdir().unwrap();
        let (told, gate) = (Arc::new(Told::default()), Arc::new(Gate::default()));
        let mut context = program(directory.path(), &told, &gate).await;
        told.until(|told| told.completed() >= 3).await;
        context.stopper().unwrap().stop();
        told.until(|told| told.count(|event| matches!(event, Event::Stopping)) > 0).await;
        assert_eq!(told.count(|event| matches!(event, Event::Stopped { .. })), 0);
        gate.open();
        context.await_termination().await.unwrap();
        let events = told.events.lock().unwrap().clone();
        assert!(matches!(events.last(), Some(Event::Stopped { error: None })));
        let stopping = events.iter().position(|event| matches!(event, Event::Stopping)).unwrap();
        let completed = events[..stopping].iter().rev().find_map(|event| match event {
            Event::BatchCompleted { time, .. } => Some(*time),
            _ => None,
        });
        let written: Vec<_> = events
            .iter()
            .enumerate()
            .filter_map(|(at, event)| match event {
                Event::SnapshotWritten { time, .. } => Some((at, *time)),
                _ => None,
            })
            .collect();
        let under_way = *written.first().expect("the one that was under way");
        assert!(under_way.0 > stopping && Some(under_way.1) <= completed, "{under_way:?}: {events:?}");
        // A busy machine has batches to make up for, which may have snapshots of their own: the last one counts.
        let last = *written.last().expect("there is one");
        let checkpoint = events.iter().enumerate().rev().find_map(|(at, event)| match event {
            Event::CheckpointPublished { snapshot, .. } => Some((at, *snapshot)),
            _ => None,
        });
        let (named_at, named) = checkpoint.expect("the last checkpoint");
        assert!(
            named_at > last.0 && named == Some(last.1),
            "{named:?} is named, {last:?} was written: {events:?}"
        );
        let told_again = Arc::new(Told::default());
        program(directory.path(), &told_again, &gate).await.stop(false).await.unwrap();
        let restored = told_again.events.lock().unwrap().iter().find_map(|event| match event {
            Event::Recovered(recovery) => Some(recovery.snapshot),
            _ => None,
        });
        assert_eq!(restored, Some(named), "the next start begins with it");
    });
}

/// The error that ends a program whose states are of `S`.
async fn ended_by<S: crate::Stored>(spec: StateSpec<String, u64, S, ()>) -> Error {
    let directory = tempfile::tempdir().unwrap();
    let mut options = Options::with_batch_interval(Interval::from_millis(20).unwrap());
    options.checkpoint_interval = Interval::from_millis(20);
    let mut context = StreamingContext::new(&os::env_with_threads(1), options).unwrap();
    context.checkpoint(directory.path());
    let records = context.queue_stream(vec![vec![("key".to_owned(), 1u64)]]);
    records.map_with_state(spec).mapped().for_each_batch(|_| ());
    context.start().await.unwrap();
    context.await_termination().await.unwrap_err()
}

#[test]
fn a_state_that_cannot_be_encoded_ends_the_driver_with_an_error_that_names_the_batch() {
    #[derive(Clone, Deserialize)]
    struct Unwritable;

    impl Serialize for Unwritable {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("not today"))
        }
    }

    on_a_runtime(async {
        let error = ended_by(StateSpec::function(|_, _, _, state: &mut State<Unwritable>| {
            state.update(Unwritable);
            None
        }));
        let error = error.await.to_string();
        assert!(error.starts_with("batch ") && error.contains("not today"), "{error}");
    });
}

#[test]
fn a_misuse_of_a_state_ends_the_driver_with_an_error_that_names_the_batch() {
    on_a_runtime(async {
        let error = ended_by(StateSpec::function(|_, _, _, state: &mut State<u64>| {
            state.remove();
            state.update(1);
            None
        }));
        let error = error.await.to_string();
        let expected = "Cannot update the state after it has been removed";
        assert!(error.starts_with("batch ") && error.contains(expected), "{error}");
    });
}
