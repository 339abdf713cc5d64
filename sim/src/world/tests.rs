//! Determinism, lives, and the end of a run.

use super::*;
use crate::{
    clock::Turn,
    fault::{Crash, Fault, Hit, Moment, Trigger},
    simulation::{Panicked, run_simulation},
    source::{Line, Mode, Script, Source},
};
use highwater_core::env::{Connection, Env, Monotonic};
use std::{future::Future, path::Path};

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

/// Runs a driver that never comes to an end, and tells how the run did.
fn endless<F: Future<Output = ()> + Send + 'static>(task: impl FnOnce(Env) -> F + Send) -> String {
    let options = WorldOptions { operations_max: 1000, ..WorldOptions::seeded(1) };
    let result = run_simulation(options, |world| async move {
        let task = world.add_node("driver").start(task);
        task.await.map_err(drop)
    });
    result.unwrap_err().message
}

#[test]
fn a_run_that_goes_in_circles_and_does_nothing_is_stopped_too() {
    let told = "more than 1000 operations and turns: the run goes in circles and does not come to an end";
    // Waits for what has come, as one does that mixes up two clocks.
    let waits = |env: Env| async move {
        loop {
            env.clock.sleep_until(Monotonic(0)).await;
        }
    };
    assert_eq!(endless(waits), told);
    let spawned = |env: Env| async move {
        let task = async {
            loop {
                Turn::default().await;
            }
        };
        let _task = env.executor.spawn("circles", Box::pin(task));
        std::future::pending().await
    };
    assert_eq!(endless(spawned), told);
    let looks_at_the_clock = |env: Env| async move { while env.clock.wall() < WallTime(u64::MAX) {} };
    assert_eq!(endless(looks_at_the_clock), told);
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

/// Runs a driver that notes the time every 10 ms of its clock, under a plan, for a while.
fn ticks_under(plan: Plan, for_ms: u64) -> Vec<u64> {
    let ticks = run_simulation(WorldOptions::seeded(1), |world| async move {
        let node = world.add_node("driver");
        world.arm(&plan, &node);
        let ticks = Arc::new(Mutex::new(Vec::new()));
        let (noted, now) = (ticks.clone(), world.clone());
        let _task = node.start(|env| async move {
            loop {
                env.clock.sleep(Duration::from_millis(10)).await;
                noted.lock().unwrap().push(now.now().millis());
            }
        });
        world.sleep_until(VirtualTime::from_millis(for_ms)).await;
        ticks.lock().unwrap().clone()
    });
    ticks.unwrap()
}

#[test]
fn a_paused_driver_does_nothing_and_then_goes_on() {
    let pause =
        |at_ms, for_ms| Fault::Pause(crate::fault::Pause { trigger: Trigger::Time { at_ms }, for_ms });
    let between =
        |ticks: &[u64], range: std::ops::Range<u64>| ticks.iter().filter(|t| range.contains(t)).count();
    let ticks = ticks_under(Plan::of(vec![pause(100, 200)]), 500);
    assert!(between(&ticks, 0..100) >= 8 && between(&ticks, 301..500) >= 18, "{ticks:?}");
    assert_eq!(between(&ticks, 101..300), 0, "{ticks:?}");
    // Of two the later one counts.
    let ticks = ticks_under(Plan::of(vec![pause(100, 200), pause(200, 50)]), 500);
    assert_eq!(between(&ticks, 101..300), 0, "{ticks:?}");
    assert!(between(&ticks, 301..500) >= 18, "{ticks:?}");
}

#[test]
fn ticks_come_late_for_a_while() {
    let late = crate::fault::LateTicks { at_ms: 100, for_ms: 100, late_ms: 15 };
    let ticks = ticks_under(Plan::of(vec![Fault::LateTicks(late)]), 400);
    let gaps: Vec<u64> = ticks.windows(2).map(|two| two[1] - two[0]).collect();
    let slow = gaps.iter().filter(|gap| **gap >= 24).count();
    assert!((3..=5).contains(&slow) && gaps.iter().all(|gap| *gap < 27), "{gaps:?}");
}

#[test]
fn an_operation_that_a_pause_hits_is_made_after_it_or_told_of_after_it() {
    for (moment, length_meanwhile) in [(Moment::Before, 0), (Moment::After, 4)] {
        let trigger = Trigger::DiskOperation { life: Life(1), number: 2, moment };
        let plan = Plan::of(vec![Fault::Pause(crate::fault::Pause { trigger, for_ms: 500 })]);
        let seen = run_simulation(WorldOptions::seeded(1), |world| async move {
            let node = world.add_node("driver");
            world.arm(&plan, &node);
            let task = node.start(|env| async move {
                let mut file = env.disk.create_new(Path::new("/a")).await.unwrap();
                file.append(b"four").await.unwrap();
                env.clock.monotonic()
            });
            world.sleep(Duration::from_millis(300)).await;
            let meanwhile = world.file("/a").unwrap().len();
            (meanwhile, task.await.unwrap().0 / 1_000_000, world.file("/a").unwrap())
        });
        let (meanwhile, told_ms, file) = seen.unwrap();
        assert_eq!((meanwhile, file.as_slice()), (length_meanwhile, &b"four"[..]));
        assert!((500..530).contains(&told_ms), "{told_ms}");
    }
}

/// A process that takes the lock and appends its name to a file, again and again.
async fn named(env: Env, name: &'static [u8]) {
    let _lock = env.disk.lock(Path::new("/lock")).await.unwrap();
    let mut file = match env.disk.create_new(Path::new("/a")).await {
        Ok(file) => file,
        Err(_) => env.disk.open_append(Path::new("/a")).await.unwrap(),
    };
    loop {
        file.append(name).await.unwrap();
        env.clock.sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn a_driver_that_is_taken_over_loses_its_lock_and_lives_on_beside_the_next() {
    let takeover =
        crate::fault::Takeover { trigger: Trigger::Time { at_ms: 100 }, for_ms: 300, after_ms: 100 };
    let crash = |at_ms, power_loss| {
        Fault::Crash(Crash { restart_after_ms: 50, trigger: Trigger::Time { at_ms }, power_loss })
    };
    let power_loss = Some(crate::fault::PowerLoss::image(1));
    let faults = vec![Fault::Takeover(takeover), crash(600, None), crash(900, power_loss)];
    let outcome = run_simulation(WorldOptions::seeded(1), |world| async move {
        let node = world.add_node("driver");
        world.arm(&Plan::of(faults), &node);
        let first = node.start(|env| named(env, b"1"));
        let Order::Replace { life: Life(1), at } = world.ordered().await else { panic!("no takeover") };
        assert_eq!(at.millis(), 200);
        let since = |from: usize| {
            let text = world.file("/a").unwrap();
            (text[from..].contains(&b'1'), text[from..].contains(&b'2'), text.len())
        };
        world.sleep_until(VirtualTime::from_millis(200)).await;
        // The lock is free, or the second one would end with an error.
        let _second = node.start_beside(|env| named(env, b"2"));
        let (_, _, before) = since(0);
        world.sleep_until(VirtualTime::from_millis(390)).await;
        let (one, two, both_run) = since(before);
        assert!(!one && two, "the older one stands still");
        world.sleep_until(VirtualTime::from_millis(590)).await;
        let (one, two, _) = since(both_run);
        assert!(one && two, "both run");
        let told = world.crashed().await;
        assert_eq!((told.life, told.power_loss), (Life(2), false));
        let (_, _, crashed) = since(0);
        world.sleep(told.restart_after).await;
        let (one, two, _) = since(crashed);
        assert!(one && !two, "the plan's crash is for the newest one");
        // The locks of the dead are free; the older one has none.
        let third = node.start_beside(|env| named(env, b"3"));
        let told = world.crashed().await;
        assert_eq!((told.life, told.power_loss), (Life(3), true));
        assert!(first.await.is_err() && third.await.is_err(), "the machine's power is everybody's");
        node.lives().iter().map(|life| life.ended.map(VirtualTime::millis)).collect::<Vec<_>>()
    });
    assert_eq!(outcome.unwrap(), [Some(900), Some(600), Some(900)]);
}

#[test]
fn a_fault_of_a_life_strikes_it_when_it_was_replaced_and_a_crash_ends_it_alone_but_for_its_power() {
    let at = |number| Trigger::DiskOperation { life: Life(1), number, moment: Moment::Before };
    for power_loss in [None, Some(crate::fault::PowerLoss::image(1))] {
        let takeover = crate::fault::Takeover { trigger: at(3), for_ms: 300, after_ms: 100 };
        // A second one finds it replaced.
        let missed = crate::fault::Takeover { trigger: at(6), for_ms: 300, after_ms: 100 };
        let error = crate::fault::IoError { trigger: at(5) };
        let crash = Crash { restart_after_ms: 50, trigger: at(8), power_loss: power_loss.clone() };
        let faults = vec![
            Fault::Takeover(takeover),
            Fault::Takeover(missed),
            Fault::IoError(error),
            Fault::Crash(crash),
        ];
        let loses_power = power_loss.is_some();
        let (ended, fired) = run_simulation(WorldOptions::seeded(1), |world| async move {
            let node = world.add_node("driver");
            world.arm(&Plan::of(faults), &node);
            let length = |env: Env| async move {
                let mut failed = Vec::new();
                for number in 1..10 {
                    // What stands still is made anew, and counts again.
                    let length = env.disk.length(Path::new("/")).await.unwrap_err();
                    if length.to_string().contains("injected by fault 3") {
                        failed.push(number);
                    }
                    if number == 6 {
                        assert_eq!(failed, [4]);
                    }
                }
            };
            let older = node.start(length);
            let Order::Replace { life: Life(1), at } = world.ordered().await else { panic!("no takeover") };
            world.sleep_until(at).await;
            let newer = node.start_beside(|env| async move {
                env.clock.sleep(Duration::from_millis(900)).await;
            });
            let crashed = world.crashed().await;
            assert_eq!((crashed.life, crashed.power_loss), (Life(1 + u32::from(loses_power)), loses_power));
            assert_eq!((older.await.is_err(), newer.await.is_err()), (true, loses_power));
            let ended = node.lives().iter().map(|life| life.ended.is_some()).collect::<Vec<_>>();
            let fired = world.fault_outcomes().into_iter().map(|outcome| outcome.firing.is_some());
            (ended, fired.collect::<Vec<_>>())
        })
        .unwrap();
        assert_eq!((ended, fired), (vec![true, loses_power], vec![true, false, true, true]));
    }
}

#[test]
fn a_stop_is_ordered_of_the_life_that_is_up_and_missed_while_none_is() {
    let stop = |at_ms| Fault::Stop(crate::fault::Stop { at_ms, restart_after_ms: 70 });
    let orders = run_simulation(WorldOptions::seeded(1), |world| async move {
        let node = world.add_node("driver");
        world.arm(&Plan::of(vec![stop(10), stop(30)]), &node);
        world.sleep_until(VirtualTime::from_millis(20)).await;
        let _env = node.boot();
        let ordered = world.ordered().await;
        (ordered, world.fault_outcomes()[0].firing.is_none())
    });
    let order = Order::Stop { life: Life(1), restart_after: Duration::from_millis(70) };
    assert_eq!(orders.unwrap(), (order, true));
}

#[test]
fn a_crash_loop_ends_one_life_after_another() {
    let crash_loop = crate::fault::CrashLoop {
        life: Life(2),
        lives: 3,
        operation: 2,
        restart_after_ms: 5,
        power_loss: None,
    };
    let crash = Crash { restart_after_ms: 5, trigger: Trigger::Time { at_ms: 100 }, power_loss: None };
    let faults = vec![Fault::Crash(crash), Fault::CrashLoop(crash_loop)];
    let operations = run_simulation(WorldOptions::seeded(1), |world| async move {
        Source { address: Source::ADDRESS.into(), mode: Mode::Tcp, script: Script::new(Vec::new()) }
            .start(&world);
        let node = world.add_node("driver");
        world.arm(&Plan::of(faults), &node);
        for _ in 0..4 {
            let _task = node.start(driver);
            let crashed = world.crashed().await;
            world.sleep(crashed.restart_after).await;
        }
        let _last = node.start(driver);
        world.sleep(Duration::from_secs(1)).await;
        assert!(node.is_alive());
        let ended = node.lives().into_iter().skip(1).filter(|life| life.ended.is_some());
        ended.map(|life| life.disk_operations).collect::<Vec<_>>()
    });
    assert_eq!(operations.unwrap(), [2, 2, 2]);
}

#[test]
fn computations_are_slow_or_fail_as_planned_and_by_their_number() {
    let slow = crate::fault::SlowBatch { life: Life(1), job: 2, jobs: 2, takes_ms: 30 };
    let failing = crate::fault::FailingJob { life: Life(1), job: 4 };
    let faults = vec![Fault::SlowBatch(slow), Fault::FailingJob(failing)];
    let (computed, outcomes) = run_simulation(WorldOptions::seeded(1), |world| async move {
        let node = world.add_node("driver");
        world.arm(&Plan::of(faults), &node);
        let env = node.boot();
        let mut computed = Vec::new();
        for _ in 0..5 {
            let (before, ran) = (world.now(), Arc::new(Mutex::new(false)));
            let run = ran.clone();
            let result = env.executor.compute(Box::new(move || *run.lock().unwrap() = true)).await;
            let took_ms = (world.now().0 - before.0) / 1_000_000;
            computed.push((took_ms, *ran.lock().unwrap(), result.map_err(|error| error.message).err()));
        }
        (computed, world.fault_outcomes())
    })
    .unwrap();
    let failed = Some("out of memory (injected by fault 2)".to_owned());
    let expected = [(0, true, None), (30, true, None), (30, true, None), (0, false, failed), (0, true, None)];
    assert_eq!(computed, expected);
    let hits: Vec<_> = outcomes.into_iter().map(|outcome| outcome.firing.unwrap().hit).collect();
    assert_eq!(hits, [Hit::Job { number: 2 }, Hit::Job { number: 4 }]);
}

#[test]
fn the_wall_clock_steps_before_a_life_and_drifts_from_a_time_on() {
    let step = crate::fault::WallStep { trigger: Trigger::Start { life: Life(2) }, by_ms: -5_000 };
    let drift = crate::fault::Drift { at_ms: 1_000, ppm: 100_000 };
    let faults = vec![Fault::WallStep(step), Fault::Drift(drift)];
    let walls = run_simulation(WorldOptions::seeded(1), |world| async move {
        let node = world.add_node("driver");
        world.arm(&Plan::of(faults), &node);
        let wall = |env: &Env| env.clock.wall().0 as i64 - WALL_TIME_AT_START.0 as i64;
        let mut walls = vec![wall(&node.boot())];
        world.sleep_until(VirtualTime::from_millis(500)).await;
        walls.push(wall(&node.boot()));
        world.sleep_until(VirtualTime::from_millis(3_000)).await;
        walls.push(wall(&node.env()));
        walls
    });
    // A tenth of the two seconds since 1 s, on top of 3 s and the step.
    assert_eq!(walls.unwrap(), [0, -4_500, -1_800]);
}
