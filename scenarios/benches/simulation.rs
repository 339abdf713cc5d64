//! What a simulated, judged run costs, beside a bare madsim program that moves the same lines between the same two nodes with
//! the same crashes, and has no engine, no disk and no judge.
//!
//! Both run on one core, in turns, over the same seeds: three crashes at fixed times, for as long as the lines and the crashes
//! take. A judged run is two simulations (with the faults and without) and the judges; the engine's own share is told
//! apart by a run whose plan is empty, which is one simulation and the judges. Runs with all kinds of faults on, as a sweep draws
//! them, last as long as their faults have it.
//!
//! Run with `cargo bench --bench simulation`.

use highwater_scenarios::catalogue::find;
use highwater_sim::{
    fault::{Crash, Fault, Plan, Trigger},
    run::{RunOptions, run},
    source::Script,
};
use madsim::{
    net::Endpoint,
    runtime::{Handle, Runtime},
    time::{Instant as Virtual, sleep_until},
};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

const SEEDS: u64 = 300;
const ROUNDS: usize = 3;
const CRASHES_MS: [u64; 3] = [3_000, 7_000, 11_000];
const RESTART_AFTER_MS: u64 = 300;

fn main() {
    let scenario = find("word-count").expect("it is in the catalogue");
    let crash = |at_ms| {
        let trigger = Trigger::Time { at_ms };
        Fault::Crash(Crash { trigger, power_loss: None, restart_after_ms: RESTART_AFTER_MS })
    };
    let crashing = Plan::of(CRASHES_MS.map(crash).to_vec());
    let mut best: [Option<Measured>; 4] = [None; 4];
    for _ in 0..ROUNDS {
        let mut measured = [Measured::default(); 4];
        for (index, plan) in [(0, Some(crashing.clone())), (1, Some(Plan::calm())), (3, None)] {
            let started = Instant::now();
            for seed in 0..SEEDS {
                let options = RunOptions { plan: plan.clone(), ..RunOptions::seeded(seed) };
                let report = run(&scenario, &options).report;
                assert!(report.held(), "seed {seed} breaks an invariant");
                measured[index].virtual_seconds += report.took.0 as f64 / 1e9;
            }
            measured[index].wall_seconds = started.elapsed().as_secs_f64();
        }
        let started = Instant::now();
        for seed in 0..SEEDS {
            let until = Duration::from_secs_f64(measured[0].virtual_seconds / SEEDS as f64);
            bare(seed, scenario.workload(seed), until);
            measured[2].virtual_seconds += until.as_secs_f64();
        }
        measured[2].wall_seconds = started.elapsed().as_secs_f64();
        for (best, measured) in best.iter_mut().zip(measured) {
            if best.is_none_or(|best| measured.wall_seconds < best.wall_seconds) {
                *best = Some(measured);
            }
        }
    }
    let [judged, calm, bare, drawn] = best.map(|best| best.expect("there were rounds"));
    let tell = |what: &str, measured: Measured| {
        println!(
            "{what:34} {:7.0} seeds/s {:9.0} simulated s per s   ratio to bare {:.2}",
            measured.seeds_per_second(),
            measured.virtual_seconds / measured.wall_seconds,
            measured.seeds_per_second() / bare.seeds_per_second()
        );
    };
    println!("word-count, {SEEDS} seeds, 3 crashes, one core, best of {ROUNDS} rounds");
    tell("bare madsim program", bare);
    tell("judged run (two simulations)", judged);
    tell("judged run, all faults on", drawn);
    tell("calm run (one simulation, judged)", calm);
}

#[derive(Clone, Copy, Default)]
struct Measured {
    wall_seconds: f64,
    virtual_seconds: f64,
}

impl Measured {
    fn seeds_per_second(self) -> f64 {
        SEEDS as f64 / self.wall_seconds
    }
}

/// Two nodes, lines from one to the other, three crashes of the other: on a fresh thread, as every simulated run is.
fn bare(seed: u64, script: Script, until: Duration) -> usize {
    let run = move || {
        let runtime = Runtime::with_seed_and_config(seed, madsim::Config::default());
        runtime.block_on(async move {
            let handle = Handle::current();
            let address: SocketAddr = "10.0.0.1:8880".parse().expect("an address");
            let source = handle.create_node().name("source").ip(address.ip()).build();
            let driver = handle.create_node().name("driver").ip([10, 0, 0, 2].into()).build();
            let origin = Virtual::now();
            source.spawn(async move {
                let endpoint = Endpoint::bind(address).await.expect("the address is free");
                let mut lines = script.lines.into_iter().peekable();
                while let Ok((sender, _, _)) = endpoint.accept1().await {
                    while let Some(line) = lines.peek() {
                        sleep_until(origin + Duration::from_millis(line.at_ms)).await;
                        let text = line.text.clone();
                        if sender.is_closed() || sender.send(Box::new(text)).await.is_err() {
                            break;
                        }
                        lines.next();
                    }
                    sender.closed().await;
                }
            });
            let read = move || async move {
                let endpoint = Endpoint::bind("10.0.0.2:0").await.expect("an address is free");
                let (_, mut receiver) = endpoint.connect1(address).await.expect("the source listens");
                let mut bytes = 0;
                while let Ok(line) = receiver.recv().await {
                    bytes += line.downcast::<Vec<u8>>().expect("a line").len();
                }
                bytes
            };
            let id = driver.id();
            // The source needs a moment to listen.
            sleep_until(origin + Duration::from_millis(20)).await;
            driver.spawn(read());
            for at_ms in CRASHES_MS {
                sleep_until(origin + Duration::from_millis(at_ms)).await;
                handle.kill(id);
                sleep_until(origin + Duration::from_millis(at_ms + RESTART_AFTER_MS)).await;
                handle.restart(id);
                handle.get_node(id).expect("it is there").spawn(read());
            }
            sleep_until(origin + until).await;
        });
        0
    };
    std::thread::spawn(run).join().expect("the bare program does not panic")
}
