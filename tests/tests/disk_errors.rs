//! Errors of the disk: whatever operation fails, before or after it took effect, ends the life with an error that says what the disk
//! said, nothing counts as done, and the next life has all output whole. A sync that fails takes what it should have made durable
//! with it, whatever is synced afterwards.

#[path = "disk_errors/faulty.rs"]
mod faulty;

use faulty::{Faulty, Moment};
use highwater_core::{Error, Options, StreamingContext, env::Env};
use highwater_sim::{
    fault::PowerLoss,
    simulation::{WorldOptions, run_simulation},
    world::World,
};
use std::{path::Path, sync::Arc, time::Duration};

const OUTPUT: &str = "/output/out";
const ELEMENTS: u64 = 6;

/// A word count with state over a queue, from start to end.
async fn drive(env: Env) -> Result<(), Error> {
    let made = env.disk.create_dir(Path::new("/output")).await;
    made.map_err(|source| Error::Disk { operation: "create", path: "/output".into(), source })?;
    let mut context = StreamingContext::get_or_create(env, "/checkpoint", |env| {
        let mut options = Options::default();
        options.segment_bytes_max = 1024;
        options.checkpoint_interval = Some(highwater_core::Interval::from_secs(2));
        let context = StreamingContext::new(env, options)?;
        let numbers = context.queue_stream::<u64>((0..ELEMENTS).map(|n| vec![n]).collect());
        let counts =
            numbers.map(|n| (n % 2, 1_u64)).update_state_by_key(|new: Vec<u64>, old: Option<u64>| {
                Some(old.unwrap_or(0) + new.iter().sum::<u64>())
            });
        counts.write_text(OUTPUT, |batch| {
            format!("{} {}\n", batch.time(), batch.records.iter().map(|(_, count)| count).sum::<u64>())
        });
        Ok(context)
    })
    .await?;
    context.start().await?;
    context.await_termination().await
}

/// How many elements were counted after each batch.
fn counted(world: &World) -> Vec<u64> {
    let text = String::from_utf8(world.file(OUTPUT).expect("there is output")).expect("it is text");
    let times: Vec<_> = text.lines().map(|line| line.rsplit_once(' ').expect("a time").0).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "each batch once: {times:?}");
    text.lines().map(|line| line.rsplit(' ').next().expect("a count").parse().expect("a number")).collect()
}

#[track_caller]
fn assert_all_counted_once(world: &World, what: &str) {
    let mut counted = counted(world);
    // While the driver was down batches were missed; they are made up for, and are empty.
    counted.dedup();
    counted.retain(|count| *count > 0);
    assert_eq!(counted, (1..=ELEMENTS).collect::<Vec<_>>(), "{what}");
}

/// Runs a life in which one operation fails, and one in which none does. Whether the first came so far.
fn one_failure(number: u64, moment: Moment) -> bool {
    run_simulation(WorldOptions::seeded(number), move |world: Arc<World>| async move {
        let what = format!("operation {number} fails {moment:?}");
        let driver = world.add_node("driver");
        let faults = Faulty::failing(number, moment);
        let failing = faults.clone();
        let life = driver.start(move |env| drive(failing.over(env)));
        world.sleep(Duration::from_secs(12)).await;
        let Some(operation) = faults.failed() else { return false };
        assert!(life.is_finished(), "{what}: the driver goes on after {operation}");
        let error = life.await.expect("it ended by itself").expect_err("it failed");
        assert!(error.to_string().contains("injected"), "{what}, {operation}: {error}");
        assert!(!error.is_unusable_input(), "{what}, {operation}: {error}");
        let _next = driver.start(drive);
        world.sleep(Duration::from_secs(12)).await;
        assert_all_counted_once(&world, &format!("{what}, {operation}"));
        driver.kill();
        true
    })
    .expect("nothing panics")
}

#[test]
fn whatever_operation_fails_the_life_ends_with_its_text_and_the_next_one_makes_up_for_it() {
    for moment in [Moment::Before, Moment::After] {
        let operations = (1..).take_while(|number| one_failure(*number, moment)).count();
        assert!(operations > 150, "only {operations} operations were hit");
    }
}

/// The sync of a journal segment fails and drops what it did not write; a life later the power goes. Whether there was such a sync.
fn one_failed_sync(number: u64, next_life_ms: u64) -> bool {
    run_simulation(WorldOptions::seeded(number), move |world: Arc<World>| async move {
        let what = format!("journal sync {number} fails, the power goes after {next_life_ms} ms");
        let driver = world.add_node("driver");
        let faults = Faulty::failing_journal_sync(number);
        for life_ms in [12_000, next_life_ms] {
            let failing = faults.clone();
            let _life = driver.start(move |env| drive(failing.over(env)));
            world.sleep(Duration::from_millis(life_ms)).await;
            if faults.failed().is_none() {
                return false;
            }
        }
        driver.lose_power(PowerLoss::image(0));
        world.sleep(Duration::from_millis(100)).await;
        let _last = driver.start(drive);
        world.sleep(Duration::from_secs(12)).await;
        assert_all_counted_once(&world, &what);
        driver.kill();
        true
    })
    .expect("nothing panics")
}

#[test]
fn what_a_failed_sync_dropped_is_relied_on_by_no_later_life() {
    for next_life_ms in [20, 60, 500, 2_500] {
        let syncs = (1..).take_while(|number| one_failed_sync(*number, next_life_ms)).count();
        assert!(syncs > 10, "only {syncs} syncs were hit");
    }
}
