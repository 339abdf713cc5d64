//! What a simulated run costs: run it with `cargo run --release -p highwater-sim --example cost`.
//!
//! The program in the world is as busy as a driver and does as little as can be: it reads the source's lines, appends them
//! to one of a few files, syncs, and publishes a file by a rename now and then, for 35 virtual seconds.

use highwater_core::env::Env;
use highwater_sim::{
    simulation::{WorldOptions, run_simulation},
    source::{Line, Mode, Script, Source},
    world::VirtualTime,
};
use std::{
    path::Path,
    time::{Duration, Instant},
};

async fn busy(env: Env) -> std::io::Result<()> {
    let path = Path::new("/checkpoint/journal/a");
    env.disk.create_dir(path.parent().expect("it has one")).await?;
    let mut file = env.disk.create_new(path).await?;
    let mut connection = env.network.connect(Source::ADDRESS).await?;
    for n in 0.. {
        let mut lines = Vec::new();
        connection.reader.read(&mut lines, 4096).await?;
        for _ in 0..3 {
            file.append(&lines).await?;
        }
        file.sync().await?;
        if n % 10 == 0 {
            let (tmp, published) =
                (format!("/checkpoint/journal/{n}.tmp"), format!("/checkpoint/journal/{n}"));
            env.disk.create_new(Path::new(&tmp)).await?.sync().await?;
            env.disk.rename(Path::new(&tmp), Path::new(&published)).await?;
            env.disk.sync_dir(Path::new("/checkpoint/journal")).await?;
            env.disk.remove(Path::new(&published)).await?;
        }
    }
    Ok(())
}

fn one_run(seed: u64) -> (u64, u64) {
    let result = run_simulation(WorldOptions::seeded(seed), |world| async move {
        let lines = (0..350).map(|n| Line::new(n * 100, format!("a line of a log, the {n}th"))).collect();
        Source { address: Source::ADDRESS.into(), mode: Mode::Tcp, script: Script::new(lines) }.start(&world);
        let driver = world.add_node("driver");
        let _running = driver.start(busy);
        world.sleep_until(VirtualTime::from_millis(35_000)).await;
        let life = driver.lives().remove(0);
        (life.disk_operations, life.network_operations)
    });
    result.expect("nothing fails here")
}

fn main() {
    let (runs, start) = (1000, Instant::now());
    let (mut disk, mut network) = (0, 0);
    for seed in 0..runs {
        let (of_disk, of_network) = one_run(seed);
        (disk, network) = (disk + of_disk, network + of_network);
    }
    let took = start.elapsed().max(Duration::from_nanos(1));
    println!("{runs} runs of 35 virtual seconds in {took:?}: {:.0} runs/s", runs as f64 / took.as_secs_f64());
    println!("{} disk and {} network operations a run", disk / runs, network / runs);
    println!("{:.0} ns an operation, all included", took.as_nanos() as f64 / (disk + network) as f64);
}
