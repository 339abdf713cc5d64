//! A receiver of the author's own: what it was told is durable is in the output once and in order, however the driver ends.

use super::{OUTPUT, drive, records, two_deaths};
use highwater_core::{
    Error, Options, StreamingContext,
    env::Env,
    source::{Receiver, ReceiverContext, ReceiverError},
};
use highwater_sim::{
    simulation::{WorldOptions, run_simulation},
    world::{Node, World},
};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

/// The other side of a receiver: it has all numbers below a bound, and remembers how many were acknowledged.
#[derive(Clone, Default)]
struct Numbers(Arc<Mutex<Ledger>>);

#[derive(Default)]
struct Ledger {
    acknowledged: u64,
    /// Where each life began.
    asked_for: Vec<u64>,
}

const NUMBERS: u64 = 300;

struct Counter {
    numbers: Numbers,
    /// Give up every third store in the middle, as a `select!` may.
    hasty: bool,
}

impl Receiver for Counter {
    type Record = (u64, String);
    type Position = u64;

    async fn receive(&self, context: &mut ReceiverContext<Self>) -> Result<(), ReceiverError> {
        let mut next = context.position()?.unwrap_or(0);
        self.numbers.0.lock().unwrap().asked_for.push(next);
        while !context.is_stopping() && next < NUMBERS {
            let until = (next + 1 + next % 7).min(NUMBERS);
            let records = (next..until).map(|n| (n, format!("number {n}"))).collect();
            let patience = match self.hasty && next.is_multiple_of(3) && until < NUMBERS {
                true => Duration::from_micros(100),
                false => Duration::from_secs(60),
            };
            let patience = context.env().clock.sleep(patience);
            let stored = tokio::select! {
                biased;
                stored = context.store(records, until) => Some(stored),
                () = patience => None,
            };
            if let Some(stored) = stored {
                stored?;
                self.numbers.0.lock().unwrap().acknowledged = until;
            }
            next = until;
            context.sleep(Duration::from_millis(40)).await;
        }
        context.stopping().await;
        Ok(())
    }
}

async fn count(env: Env, numbers: Numbers, hasty: bool) -> Result<(), Error> {
    let source = |context: &StreamingContext| context.receiver_stream(Counter { numbers, hasty });
    drive(env, source, |(n, name)| {
        assert_eq!(*name, format!("number {n}"));
        n.to_string()
    })
    .await
}

#[track_caller]
fn assert_all_once(world: &World, numbers: &Numbers, what: &str) {
    let found = records(world).join(",");
    let found: Vec<u64> = found.split(',').map(|n| n.parse().expect("a number")).collect();
    assert_eq!(found, (0..NUMBERS).collect::<Vec<_>>(), "{what}");
    let ledger = numbers.0.lock().unwrap();
    assert!(ledger.asked_for.is_sorted(), "{what}: no life goes back: {:?}", ledger.asked_for);
}

#[test]
fn what_a_receiver_stored_is_in_the_output_once_over_crashes_and_power_losses() {
    for seed in 0..20 {
        run_simulation(WorldOptions::seeded(seed), |world| async move {
            let driver = world.add_node("driver");
            let numbers = Numbers::default();
            let start = |driver: &Node| {
                let numbers = numbers.clone();
                drop(driver.start(move |env| count(env, numbers, seed % 2 == 1)));
            };
            start(&driver);
            two_deaths(&world, &driver, seed, start).await;
            world.sleep(Duration::from_secs(15)).await;
            assert_all_once(&world, &numbers, &format!("seed {seed}"));
            assert_eq!(numbers.0.lock().unwrap().asked_for.len(), 3, "three lives");
        })
        .expect("nothing panics");
    }
}

/// One life, ended by `stop`.
async fn one_life(env: Env, numbers: Numbers, gracefully: bool) {
    let mut context = StreamingContext::get_or_create(env.clone(), "/checkpoint", |env| {
        let context = StreamingContext::new(env, Options::default())?;
        let counter = Counter { numbers, hasty: false };
        context.receiver_stream(counter).write_text(OUTPUT, |batch| {
            let records: Vec<_> = batch.records.iter().map(|(n, _)| n.to_string()).collect();
            format!("{} {}\n", batch.time(), records.join(","))
        });
        Ok(context)
    })
    .await
    .expect("it starts");
    context.start().await.expect("it starts");
    env.clock.sleep(Duration::from_millis(1_870)).await;
    context.stop(gracefully).await.expect("nothing fails");
}

#[test]
fn nothing_that_was_acknowledged_is_lost_when_the_context_is_cut_off() {
    run_simulation(WorldOptions::seeded(3), |world| async move {
        let driver = world.add_node("driver");
        let numbers = Numbers::default();
        for life in 0..9 {
            let acknowledged = numbers.0.lock().unwrap().acknowledged;
            let of_life = numbers.clone();
            let lived = driver.start(move |env| async move {
                env.disk.create_dir(Path::new("/output")).await.expect("nothing fails here");
                one_life(env, of_life, life == 8).await;
            });
            lived.await.expect("it ends by itself");
            let asked_for = *numbers.0.lock().unwrap().asked_for.last().expect("it has asked");
            assert!(asked_for >= acknowledged, "life {life} goes on behind {acknowledged}, at {asked_for}");
        }
        assert_all_once(&world, &numbers, "the end");
    })
    .expect("nothing panics");
}

struct Broken;

impl Receiver for Broken {
    type Record = u64;
    type Position = ();

    async fn receive(&self, context: &mut ReceiverContext<Self>) -> Result<(), ReceiverError> {
        context.store(vec![1, 2, 3], ()).await?;
        context.sleep(Duration::from_secs(2)).await;
        Err("the antenna fell off".into())
    }
}

#[test]
fn a_receiver_that_fails_ends_the_driver_with_its_words_and_keeps_what_it_stored() {
    run_simulation(WorldOptions::seeded(4), |world| async move {
        let driver = world.add_node("driver");
        let life = driver
            .start(|env| drive(env, |context| context.receiver_stream(Broken), |n: &u64| n.to_string()));
        let error = life.await.expect("it ends by itself").expect_err("it fails");
        assert!(error.to_string().contains("the antenna fell off"), "{error}");
        assert_eq!(records(&world), ["1,2,3"]);
    })
    .expect("nothing panics");
}
