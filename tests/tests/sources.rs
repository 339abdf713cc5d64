//! The sources that are no socket: a queue gives one element a batch, a directory each file once, a receiver of the author's own
//! what its other side has, also over crashes and power losses.

#[path = "sources/directory.rs"]
mod directory;
#[path = "sources/receiver.rs"]
mod receiver;

use highwater_core::{DStream, Error, Options, StreamingContext, env::Env};
use highwater_sim::{
    fault::PowerLoss,
    simulation::{WorldOptions, run_simulation},
    world::{Node, World},
};
use std::{path::Path, sync::Arc, time::Duration};

const OUTPUT: &str = "/output/out";

async fn drive<T: Send + Sync + Clone + 'static>(
    env: Env,
    source: impl FnOnce(&StreamingContext) -> DStream<T>,
    format: impl Fn(&T) -> String + Send + Sync + 'static,
) -> Result<(), Error> {
    env.disk.create_dir(Path::new("/output")).await.expect("nothing fails here");
    let mut context = StreamingContext::get_or_create(env, "/checkpoint", |env| {
        let context = StreamingContext::new(env, Options::default())?;
        source(&context).write_text(OUTPUT, move |batch| {
            let records: Vec<String> = batch.records.iter().map(&format).collect();
            format!("{} {}\n", batch.time(), records.join(","))
        });
        Ok(context)
    })
    .await?;
    context.start().await?;
    context.await_termination().await
}

async fn queue(env: Env) -> Result<(), Error> {
    let elements = (0..10).map(|n| vec![2 * n, 2 * n + 1]).collect();
    drive(env, |context| context.queue_stream::<u64>(elements), u64::to_string).await
}

/// Ends the driver's life in either way and starts the next one, twice.
async fn two_deaths(world: &Arc<World>, driver: &Node, seed: u64, start: impl Fn(&Node)) {
    for death in 0..2 {
        world.sleep(Duration::from_millis(2300 + 170 * seed)).await;
        match (seed + death) % 2 {
            0 => driver.kill(),
            _ => driver.lose_power(PowerLoss::image(seed)),
        }
        world.sleep(Duration::from_millis(700)).await;
        start(driver);
    }
}

/// What stands behind the time in each line of the output, without the empty batches.
fn records(world: &World) -> Vec<String> {
    let text = String::from_utf8(world.file(OUTPUT).expect("there is output")).expect("it is text");
    let records = text.lines().map(|line| line.splitn(3, ' ').nth(2).expect("a date and a time").to_owned());
    records.filter(|records| !records.is_empty()).collect()
}

#[test]
fn a_queue_gives_one_element_a_batch_and_none_twice() {
    for seed in 0..20 {
        let found = run_simulation(WorldOptions::seeded(seed), |world| async move {
            let driver = world.add_node("driver");
            let start = |driver: &Node| drop(driver.start(queue));
            start(&driver);
            two_deaths(&world, &driver, seed, start).await;
            world.sleep(Duration::from_secs(15)).await;
            records(&world)
        });
        let expected: Vec<_> = (0..10).map(|n| format!("{},{}", 2 * n, 2 * n + 1)).collect();
        assert_eq!(found.expect("nothing panics"), expected, "seed {seed}");
    }
}
