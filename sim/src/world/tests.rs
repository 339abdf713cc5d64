//! Determinism, lives, and the end of a run.

use super::*;
use crate::{
    fault::{Crash, Fault, Trigger},
    simulation::{Panicked, run_simulation},
    source::{Line, Mode, Script, Source},
};
use highwater_core::env::{Connection, Env};
use std::path::Path;

/// A driver of a kind: reads lines, appends them, syncs, and draws a number; when the disk fails it begins again.
async fn driver(env: Env) {
    while let Err(_injected) = read_and_append(&env).await {
        env.clock.sleep(Duration::from_millis(10)).await;
    }
}

async fn read_and_append(env: &Env) -> std::io::Result<()> {
    let path = Path::new("/checkpoint/journal/a");
    env.disk.create_dir(path.parent().unwrap()).await?;
    let mut file = match env.disk.create_new(path).await {
        Ok(file) => file,
        Err(_) => env.disk.open_append(path).await?,
    };
    loop {
        let Ok(Connection { mut reader, writer }) = env.network.connect(Source::ADDRESS).await else {
            env.clock.sleep(Duration::from_millis(env.random.next_u64() % 50)).await;
            continue;
        };
        let mut buffer = Vec::new();
        while reader.read(&mut buffer, 1000).await.is_ok_and(|read| read > 0) {
            file.append(&buffer).await?;
            file.sync().await?;
            buffer.clear();
        }
        drop(writer);
    }
}

fn run(seed: u64, plan_seed: u64) -> (RollingHash, Vec<TraceEntry>, Vec<FaultOutcome>) {
    let options = WorldOptions { trace: true, ..WorldOptions::seeded(seed) };
    let result = run_simulation(options, |world| async move {
        let lines = (0..200).map(|n| Line::new(n * 50, format!("line {n}"))).collect();
        Source { address: Source::ADDRESS.into(), mode: Mode::Tcp, script: Script::new(lines) }.start(&world);
        let node = world.add_node("driver");
        world.arm(&Plan::draw(plan_seed, &Default::default()), &node);
        let _first = node.start(driver);
        loop {
            tokio::select! {
                biased;
                crashed = world.crashed() => {
                    world.sleep(crashed.restart_after).await;
                    let _next = node.start(driver);
                }
                () = world.sleep_until(VirtualTime::from_millis(35_000)) => break,
            }
        }
        (world.rolling_hash(), world.take_trace(), world.fault_outcomes())
    });
    result.unwrap()
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another_one() {
    for seed in 0..20 {
        let (first, second) = (run(seed, seed), run(seed, seed));
        let difference = first.1.iter().zip(&second.1).find(|(a, b)| a != b);
        assert_eq!(difference, None);
        assert_eq!(first.0, second.0);
        assert_eq!(first.2, second.2);
        assert_ne!(first.0, run(seed + 1000, seed).0);
    }
}

#[test]
fn a_drawn_plan_mostly_fires_what_it_can() {
    let outcomes: Vec<FaultOutcome> = (0..60).flat_map(|seed| run(seed, seed).2).collect();
    let fired = outcomes.iter().filter(|outcome| outcome.firing.is_some()).count();
    assert!(fired * 3 > outcomes.len(), "{fired} of {} faults fired", outcomes.len());
}

#[test]
fn a_crash_at_a_time_fires_then_and_is_missed_while_the_driver_is_down() {
    let at = |at_ms| {
        Fault::Crash(Crash { restart_after_ms: 2_000, trigger: Trigger::Time { at_ms }, power_loss: None })
    };
    let plan = Plan::of(vec![at(1_500), at(2_000)]);
    let outcomes = run_simulation(WorldOptions::seeded(1), |world| async move {
        let node = world.add_node("driver");
        world.arm(&plan, &node);
        let _task = node.start(driver);
        let crashed = world.crashed().await;
        assert_eq!(crashed.at.millis(), 1_500);
        assert!(!node.is_alive());
        world.sleep(crashed.restart_after).await;
        assert_eq!(world.now().millis(), 3_500);
        world.fault_outcomes()
    });
    let lines: Vec<String> = outcomes.unwrap().iter().map(ToString::to_string).collect();
    assert!(lines[0].contains("fired at 1.500000s in life 1, between operations"), "{lines:?}");
    assert!(lines[1].ends_with("missed"), "{lines:?}");
}

#[test]
fn a_healed_world_fires_nothing_more() {
    let plan = Plan::of(vec![
        Fault::Stall(crate::fault::Stall { connection: 1, after_bytes: 0, for_ms: 1_000_000 }),
        Fault::Reset(crate::fault::Reset { connection: 1, after_bytes: 10 }),
        Fault::Crash(Crash {
            restart_after_ms: 1,
            trigger: Trigger::DiskOperation { life: Life(1), number: 9, moment: crate::fault::Moment::After },
            power_loss: None,
        }),
        Fault::Crash(Crash {
            restart_after_ms: 1,
            trigger: Trigger::Time { at_ms: 2_000 },
            power_loss: None,
        }),
    ]);
    let outcomes = run_simulation(WorldOptions::seeded(1), |world| async move {
        let lines = (0..20).map(|n| Line::new(n * 50, format!("line {n}"))).collect();
        Source { address: Source::ADDRESS.into(), mode: Mode::Tcp, script: Script::new(lines) }.start(&world);
        let node = world.add_node("driver");
        world.arm(&plan, &node);
        let _task = node.start(driver);
        world.sleep(Duration::from_millis(1_500)).await;
        assert_eq!(world.file("/checkpoint/journal/a").unwrap_or_default(), b"");
        world.heal();
        world.sleep(Duration::from_millis(1_500)).await;
        assert!(world.file("/checkpoint/journal/a").unwrap().ends_with(b"line 19\n"));
        world.fault_outcomes()
    });
    let fired: Vec<bool> = outcomes.unwrap().iter().map(|outcome| outcome.firing.is_some()).collect();
    assert_eq!(fired, [true, false, false, false]);
}

#[test]
fn a_panic_on_any_node_fails_the_run_with_its_message() {
    let result = run_simulation(WorldOptions::seeded(1), |world| async move {
        let node = world.add_node("driver");
        let task = node.start(|env| async move {
            env.clock.sleep(Duration::from_millis(10)).await;
            panic!("batch {} is lost", 7);
        });
        task.await.map_err(drop)
    });
    let result: Result<Result<(), ()>, Panicked> = result;
    assert_eq!(result.unwrap_err().message, "batch 7 is lost");
}

#[test]
fn a_run_that_never_comes_to_an_end_is_stopped() {
    let options = WorldOptions { operations_max: 1000, ..WorldOptions::seeded(1) };
    let result = run_simulation(options, |world| async move {
        let env = world.add_node("driver").boot();
        loop {
            let _not_found = env.disk.list(Path::new("/none")).await;
        }
    });
    let result: Result<(), Panicked> = result;
    assert!(result.unwrap_err().message.contains("more than 1000 operations"));
}

#[test]
fn the_memory_of_a_run_goes_with_it() {
    let kept = run_simulation(WorldOptions::seeded(1), |world| async move {
        let lines = (0..10).map(|n| Line::new(n * 50, "x")).collect();
        Source { address: Source::ADDRESS.into(), mode: Mode::Tcp, script: Script::new(lines) }.start(&world);
        let node = world.add_node("driver");
        let plan = Plan::of(vec![Fault::Crash(Crash {
            restart_after_ms: 1,
            trigger: Trigger::Time { at_ms: 1_000_000 },
            power_loss: None,
        })]);
        world.arm(&plan, &node);
        let _task = node.start(driver);
        world.sleep(Duration::from_secs(2)).await;
        Arc::downgrade(&world)
    });
    assert_eq!(kept.unwrap().strong_count(), 0);
}
