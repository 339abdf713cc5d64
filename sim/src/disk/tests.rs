//! The disk through its seam: crashes that hit operations, handles of the dead, locks.

use crate::{
    fault::{Crash, DiskOperation, Fault, FaultOutcome, Hit, Moment, Plan, PowerLoss, Trigger},
    simulation::{WorldOptions, run_simulation},
    world::{Crashed, Life},
};
use highwater_core::env::{Disk, Env, File};
use std::{io::ErrorKind, path::Path, sync::Arc, time::Duration};

/// Opens `/checkpoint/journal/a`, then appends and syncs eight lines, each of them an operation of its own: 1 directory,
/// 2 create, 3 directory sync, then 4 append, 5 sync, 6 append...
async fn write_a_journal(env: Env) {
    let path = Path::new("/checkpoint/journal/a");
    env.disk.create_dir(path.parent().unwrap()).await.unwrap();
    let mut file = match env.disk.create_new(path).await {
        Ok(file) => file,
        Err(_) => env.disk.open_append(path).await.unwrap(),
    };
    env.disk.sync_dir(path.parent().unwrap()).await.unwrap();
    for n in 0..8 {
        file.append(format!("line {n}\n").as_bytes()).await.unwrap();
        file.sync().await.unwrap();
    }
}

fn crash_at(life: u32, number: u64, moment: Moment, image_seed: Option<u64>) -> Fault {
    let trigger = Trigger::DiskOperation { life: Life(life), number, moment };
    let power_loss = image_seed.map(PowerLoss::image);
    Fault::Crash(Crash { restart_after_ms: 5, trigger, power_loss })
}

/// One life under one crash: what the supervisor was told, what became of the fault, and the file.
fn one_crash(fault: Fault) -> (Crashed, FaultOutcome, Vec<u8>) {
    let run = run_simulation(WorldOptions::seeded(3), |world| async move {
        let driver = world.add_node("driver");
        world.arm(&Plan::of(vec![fault]), &driver);
        let task = driver.start(write_a_journal);
        let crashed = world.crashed().await;
        assert!(task.await.is_err(), "the dead task never ends");
        let content = world.file("/checkpoint/journal/a").unwrap_or_default();
        (crashed, world.fault_outcomes().remove(0), content)
    });
    run.unwrap()
}

#[test]
fn a_crash_at_operation_n_fires_exactly_there() {
    for (moment, expected) in [(Moment::Before, "line 0\n"), (Moment::After, "line 0\nline 1\n")] {
        let (crashed, outcome, content) = one_crash(crash_at(1, 6, moment, None));
        assert_eq!((crashed.life, crashed.restart_after), (Life(1), Duration::from_millis(5)));
        assert_eq!(content, expected.as_bytes());
        let firing = outcome.firing.unwrap();
        let Hit::Disk { number, step, path } = firing.hit else { panic!("a disk operation was hit") };
        assert_eq!(
            (number, step.operation, step.to_string()),
            (6, DiskOperation::Append, "append journal".into())
        );
        assert_eq!(path, "/checkpoint/journal/a");
        assert!(step.operation.is_durable_step());
    }
}

#[test]
fn a_crash_inside_an_append_leaves_a_prefix_of_it() {
    let lengths: Vec<usize> =
        (1..9).map(|n| one_crash(crash_at(1, 2 + 2 * n, Moment::Inside, None)).2.len() % 7).collect();
    assert!(lengths.iter().any(|rest| *rest > 0), "torn in the middle of a line: {lengths:?}");
}

#[test]
fn a_power_loss_inside_a_sync_keeps_what_was_synced_before() {
    for image_seed in 0..40 {
        let (_, _, content) = one_crash(crash_at(1, 7, Moment::Inside, Some(image_seed)));
        assert!(content.starts_with(b"line 0\n"), "image {image_seed}: {content:?}");
    }
}

#[test]
fn a_crash_that_is_not_reached_is_missed_and_the_next_life_has_its_own_count() {
    let plan = Plan::of(vec![
        crash_at(1, 4, Moment::After, Some(0)),
        crash_at(1, 5, Moment::Before, None),
        crash_at(2, 3, Moment::Before, None),
        crash_at(3, 500, Moment::Before, None),
    ]);
    let options = WorldOptions { record_steps: true, ..WorldOptions::seeded(3) };
    let outcomes = run_simulation(options, |world| async move {
        let driver = world.add_node("driver");
        world.arm(&plan, &driver);
        for life in 1..=2 {
            let _task = driver.start(write_a_journal);
            assert_eq!(world.crashed().await.life, Life(life));
            world.sleep(Duration::from_millis(5)).await;
        }
        driver.start(write_a_journal).await.unwrap();
        let operations: Vec<u64> = driver.lives().iter().map(|life| life.disk_operations).collect();
        assert_eq!(operations, [4, 3, 20]);
        let steps: Vec<String> = world.steps().iter().map(ToString::to_string).collect();
        assert_eq!(
            steps[..2],
            [
                "life 1, disk operation 1: create directory journal",
                "life 1, disk operation 2: create journal"
            ]
        );
        assert_eq!(steps.len(), 4 + 3 + 20);
        world.fault_outcomes()
    });
    let fired: Vec<bool> = outcomes.unwrap().iter().map(|outcome| outcome.firing.is_some()).collect();
    assert_eq!(fired, [true, false, true, false]);
}

/// A file that its owner drops late, as destructors of a killed task do.
struct Late(Arc<std::sync::Mutex<Option<Box<dyn File>>>>);

#[test]
fn a_handle_of_an_earlier_life_changes_nothing_and_never_returns() {
    let run = run_simulation(WorldOptions::seeded(1), |world| async move {
        let driver = world.add_node("driver");
        let kept = Late(Arc::default());
        let slot = kept.0.clone();
        let task = driver.start(|env| async move {
            env.disk.create_dir(Path::new("/d")).await.unwrap();
            *slot.lock().unwrap() = Some(env.disk.create_new(Path::new("/d/a")).await.unwrap());
        });
        task.await.unwrap();
        let old_env = driver.env();
        driver.kill();
        driver.boot();
        let mut file = kept.0.lock().unwrap().take().unwrap();
        let hash = world.rolling_hash();
        tokio::select! {
            _ = file.append(b"from the dead") => panic!("a dead append returned"),
            _ = old_env.disk.remove(Path::new("/d/a")) => panic!("a dead removal returned"),
            () = world.sleep(Duration::from_secs(1)) => {}
        }
        assert_eq!(world.rolling_hash(), hash);
        let _ghost = old_env.executor.spawn("ghost", Box::pin(async { panic!("a dead task ran") }));
        world.sleep(Duration::from_millis(1)).await;
        world.file("/d/a")
    });
    assert_eq!(run.unwrap(), Some(Vec::new()));
}

#[test]
fn a_lock_excludes_until_it_is_dropped_or_its_holder_dies() {
    let run = run_simulation(WorldOptions::seeded(1), |world| async move {
        let path = Path::new("/lock");
        let (first, second) = (world.add_node("first"), world.add_node("second"));
        let (a, b) = (first.boot(), second.boot());
        a.disk.create_dir(Path::new("/")).await.unwrap();
        let held = a.disk.lock(path).await.unwrap();
        assert_eq!(b.disk.lock(path).await.err().unwrap().kind(), ErrorKind::WouldBlock);
        drop(held);
        let held = b.disk.lock(path).await.unwrap();
        second.kill();
        let again = a.disk.lock(path).await.unwrap();
        // The dead holder's destructor comes late, and must not release the lock of the living.
        drop(held);
        let third = world.add_node("third").boot();
        assert_eq!(third.disk.lock(path).await.err().unwrap().kind(), ErrorKind::WouldBlock);
        drop(again);
        third.disk.lock(path).await.is_ok()
    });
    assert!(run.unwrap());
}

#[test]
fn errors_have_the_kinds_of_the_operating_system() {
    let run = run_simulation(WorldOptions::seeded(1), |world| async move {
        let env = world.add_node("driver").boot();
        let disk: &dyn Disk = &*env.disk;
        let kind = |error: std::io::Error| error.kind();
        let p = Path::new;
        assert_eq!(disk.list(p("/none")).await.map_err(kind), Err(ErrorKind::NotFound));
        assert_eq!(disk.create_new(p("/none/a")).await.err().map(kind), Some(ErrorKind::NotFound));
        disk.create_dir(p("/d/sub")).await.unwrap();
        disk.create_dir(p("/d")).await.unwrap();
        let mut file = disk.create_new(p("/d/a")).await.unwrap();
        file.append(b"abcdef").await.unwrap();
        assert_eq!(disk.create_new(p("/d/a")).await.err().map(kind), Some(ErrorKind::AlreadyExists));
        drop(disk.create_new(p("/d/b")).await.unwrap());
        assert_eq!(disk.rename(p("/d/a"), p("/d/b")).await.map_err(kind), Err(ErrorKind::AlreadyExists));
        assert_eq!(disk.truncate(p("/d/a"), 6, 7).await.map_err(kind), Err(ErrorKind::InvalidInput));
        disk.truncate(p("/d/a"), 6, 4).await.unwrap();
        file.append(b"X").await.unwrap();
        assert_eq!(disk.read(p("/d/a"), 3, 10).await.unwrap(), b"dX");
        assert_eq!(disk.read(p("/d/a"), 30, 10).await.unwrap(), b"");
        assert_eq!(disk.length(p("/d/a")).await.unwrap(), 5);
        assert_eq!(disk.list(p("/d/")).await.unwrap(), ["a", "b"], "the directory `sub` is left out");
        disk.remove(p("/d/b")).await.unwrap();
        assert_eq!(disk.remove(p("/d/b")).await.map_err(kind), Err(ErrorKind::NotFound));
    });
    run.unwrap();
}
