//! Every fault of the disk through its seam: what the driver sees, what a power loss leaves, what judges are told.

use super::{Damage, Done};
use crate::{
    fault::{
        BitRot, DiskFull, DiskOperation, FailedSync, Fault, FileSystem, IoError, LostWrite, LyingDisk,
        MisdirectedWrite, Moment, Place, Plan, PowerLoss, ShortWrite, SlowDisk, SlowStart, StaleRead,
        Trigger, injected_by,
    },
    simulation::{WorldOptions, run_simulation},
    world::{Life, Node, VirtualTime, World},
};
use highwater_core::env::{Env, File};
use std::{
    future::Future,
    io::{self, ErrorKind},
    path::Path,
    sync::Arc,
    time::Duration,
};

const DIRECTORY: &str = "/checkpoint/journal";
const FILE: &str = "/checkpoint/journal/a";
const OTHER: &str = "/checkpoint/journal/b";

/// Runs under faults, with which of them fired.
fn under<T: Send, F: Future<Output = T>>(
    faults: Vec<Fault>,
    run: impl FnOnce(Arc<World>, Node) -> F + Send,
) -> (T, Vec<bool>) {
    let result = run_simulation(WorldOptions::seeded(5), |world| async move {
        let driver = world.add_node("driver");
        world.arm(&Plan::of(faults), &driver);
        let result = run(world.clone(), driver).await;
        let fired = world.fault_outcomes().iter().map(|outcome| outcome.firing.is_some()).collect();
        (result, fired)
    });
    result.unwrap()
}

fn at(operation: DiskOperation, nth: u64, moment: Moment) -> Trigger {
    Trigger::Step { life: Life(1), operation, place: Place::Journal, nth, moment }
}

fn before(operation: DiskOperation) -> Trigger {
    at(operation, 1, Moment::Before)
}

/// A directory that is durable, and a file in it whose name is, with a durable content.
async fn durable_file(env: &Env, path: &str, content: &[u8]) -> Box<dyn File> {
    env.disk.create_dir(Path::new(DIRECTORY)).await.unwrap();
    let mut file = env.disk.create_new(Path::new(path)).await.unwrap();
    file.append(content).await.unwrap();
    file.sync().await.unwrap();
    env.disk.sync_dir(Path::new(DIRECTORY)).await.unwrap();
    file
}

/// What a power loss leaves.
fn after_power_loss(world: &World, driver: &Node, image_seed: u64) -> Vec<u8> {
    driver.lose_power(PowerLoss::image(image_seed));
    world.file(FILE).unwrap()
}

fn error_of<T>(result: io::Result<T>, fault: usize) -> ErrorKind {
    let error = result.err().expect("a fault was injected");
    assert_eq!(injected_by(&error.to_string()), Some(fault), "{error}");
    error.kind()
}

#[test]
fn an_io_error_comes_before_inside_or_after_the_effect() {
    let lengths: Vec<usize> = Moment::ALL
        .into_iter()
        .map(|moment| {
            let fault = Fault::IoError(IoError { trigger: at(DiskOperation::Append, 2, moment) });
            let (length, fired) = under(vec![fault], |world, driver| async move {
                let mut file = durable_file(&driver.boot(), FILE, b"kept").await;
                assert_eq!(error_of(file.append(&[b'x'; 100]).await, 0), ErrorKind::Other);
                world.file(FILE).unwrap().len() - 4
            });
            assert_eq!(fired, [true]);
            length
        })
        .collect();
    assert!(lengths[0] == 0 && (1..100).contains(&lengths[1]) && lengths[2] == 100, "{lengths:?}");
}

#[test]
fn an_io_error_of_a_creation_leaves_the_file_or_not_and_one_of_a_lock_never_takes_it() {
    let trigger =
        |operation, moment| Trigger::Step { life: Life(1), operation, place: Place::Root, nth: 1, moment };
    for (moment, left) in [(Moment::Before, false), (Moment::After, true)] {
        let faults = vec![
            Fault::IoError(IoError { trigger: trigger(DiskOperation::CreateNew, moment) }),
            Fault::IoError(IoError { trigger: trigger(DiskOperation::Lock, moment) }),
        ];
        let (_, fired) = under(faults, |world, driver| async move {
            let env = driver.boot();
            env.disk.create_dir(Path::new("/checkpoint")).await.unwrap();
            error_of(env.disk.create_new(Path::new("/checkpoint/x")).await, 0);
            assert_eq!(world.file("/checkpoint/x").is_some(), left);
            error_of(env.disk.lock(Path::new("/checkpoint/lock")).await, 1);
            let _held = env.disk.lock(Path::new("/checkpoint/lock")).await.unwrap();
        });
        assert_eq!(fired, [true, true]);
    }
}

#[test]
fn a_full_disk_refuses_what_needs_space_and_nothing_else_until_there_is_some() {
    let fault = Fault::DiskFull(DiskFull { trigger: Trigger::Time { at_ms: 500 }, for_ms: 1000 });
    let (_, fired) = under(vec![fault], |world, driver| async move {
        let env = driver.boot();
        let disk = &env.disk;
        let mut file = durable_file(&env, FILE, b"kept").await;
        drop(durable_file(&env, OTHER, b"other").await);
        world.sleep(Duration::from_millis(600)).await;
        let full = ErrorKind::StorageFull;
        assert_eq!(error_of(disk.create_new(Path::new("/checkpoint/journal/c")).await, 0), full);
        assert_eq!(error_of(disk.create_dir(Path::new("/checkpoint/state")).await, 0), full);
        assert_eq!(error_of(disk.lock(Path::new("/checkpoint/lock")).await, 0), full);
        assert_eq!(error_of(file.append(&[b'x'; 100]).await, 0), full);
        assert!(world.file(FILE).unwrap().len() < 104);
        disk.create_dir(Path::new(DIRECTORY)).await.unwrap();
        let taken = disk.create_new(Path::new(FILE)).await.err().unwrap();
        assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
        file.sync().await.unwrap();
        let length = disk.length(Path::new(FILE)).await.unwrap();
        disk.truncate(Path::new(FILE), length, 2).await.unwrap();
        disk.rename(Path::new(OTHER), Path::new("/checkpoint/journal/d")).await.unwrap();
        disk.remove(Path::new("/checkpoint/journal/d")).await.unwrap();
        disk.sync_dir(Path::new(DIRECTORY)).await.unwrap();
        world.sleep(Duration::from_millis(1000)).await;
        file.append(b"x").await.unwrap();
        assert_eq!(world.file(FILE).unwrap(), b"kex");
    });
    assert_eq!(fired, [true]);
}

#[test]
fn a_short_write_leaves_its_part_and_is_missed_where_nothing_is_written() {
    let faults = vec![
        Fault::ShortWrite(ShortWrite { trigger: at(DiskOperation::Append, 2, Moment::After), part: 512 }),
        Fault::ShortWrite(ShortWrite { trigger: before(DiskOperation::Sync), part: 512 }),
    ];
    let (_, fired) = under(faults, |world, driver| async move {
        let mut file = durable_file(&driver.boot(), FILE, b"").await;
        assert_eq!(error_of(file.append(b"abcdefgh").await, 0), ErrorKind::WriteZero);
        assert_eq!(world.file(FILE).unwrap(), b"abcd");
    });
    assert_eq!(fired, [true, false]);
}

/// A file of four durable bytes, to which twelve sectors are appended whose sync fails, then two bytes whose sync succeeds.
async fn fail_a_sync(driver: &Node) {
    let mut file = durable_file(&driver.boot(), FILE, b"kept").await;
    file.append(&[b'x'; 12 * 512 - 4]).await.unwrap();
    error_of(file.sync().await, 0);
    file.append(b"yz").await.unwrap();
    file.sync().await.unwrap();
}

fn failed_sync(file_system: FileSystem, moment: Moment) -> Vec<Fault> {
    vec![Fault::FailedSync(FailedSync { trigger: at(DiskOperation::Sync, 2, moment), file_system })]
}

#[test]
fn after_a_failed_sync_a_later_one_makes_nothing_of_it_durable() {
    for file_system in [FileSystem::Ext4, FileSystem::Xfs] {
        let (_, fired) = under(failed_sync(file_system, Moment::Before), |world, driver| async move {
            fail_a_sync(&driver).await;
            let seen = world.file(FILE).unwrap();
            assert!(seen.starts_with(b"keptxxx") && seen.ends_with(b"xyz"), "it is readable");
            let left = after_power_loss(&world, &driver, 1);
            assert_eq!(left.len(), seen.len());
            assert!(left.starts_with(b"kept") && left.ends_with(b"yz"));
            assert!(left[4..seen.len() - 2].iter().all(|byte| *byte == 0), "and lost");
            assert_eq!(world.damaged_files(), [], "no damage: the driver was told");
        });
        assert_eq!(fired, [true]);
    }
}

#[test]
fn without_a_later_sync_ext4_keeps_the_length_of_what_failed_and_xfs_does_not() {
    for (file_system, length) in [(FileSystem::Ext4, 104), (FileSystem::Xfs, 4)] {
        let (_, fired) = under(failed_sync(file_system, Moment::Before), |world, driver| async move {
            let mut file = durable_file(&driver.boot(), FILE, b"kept").await;
            file.append(&[b'x'; 100]).await.unwrap();
            error_of(file.sync().await, 0);
            let mut expected = b"kept".to_vec();
            expected.resize(length, 0);
            assert_eq!(after_power_loss(&world, &driver, 1), expected);
        });
        assert_eq!(fired, [true]);
    }
}

#[test]
fn a_sync_that_fails_inside_has_written_some_sectors_and_one_that_fails_after_all_but_the_last() {
    for moment in [Moment::Inside, Moment::After] {
        let (written, _) = under(failed_sync(FileSystem::Ext4, moment), |world, driver| async move {
            fail_a_sync(&driver).await;
            let left = after_power_loss(&world, &driver, 0);
            (0..12).map(|sector| left[sector * 512 + 10] == b'x').collect::<Vec<bool>>()
        });
        let count = written.iter().filter(|written| **written).count();
        match moment {
            Moment::Inside => assert!((1..12).contains(&count), "{written:?}"),
            _ => assert_eq!((count, written[11]), (11, false)),
        }
    }
}

#[test]
fn on_btrfs_a_failed_sync_gives_up_what_was_appended_at_once() {
    let (_, fired) = under(failed_sync(FileSystem::Btrfs, Moment::Inside), |world, driver| async move {
        fail_a_sync(&driver).await;
        assert_eq!(world.file(FILE).unwrap(), b"keptyz");
        assert_eq!(after_power_loss(&world, &driver, 0), b"keptyz");
    });
    assert_eq!(fired, [true]);
}

#[test]
fn a_failed_sync_of_a_directory_gives_its_names_up() {
    let cases = [(FileSystem::Ext4, true), (FileSystem::Xfs, true), (FileSystem::Btrfs, false)];
    for (file_system, is_seen) in cases {
        let trigger = at(DiskOperation::SyncDir, 2, Moment::Before);
        let fault = Fault::FailedSync(FailedSync { trigger, file_system });
        let (_, fired) = under(vec![fault], |world, driver| async move {
            let env = driver.boot();
            drop(durable_file(&env, FILE, b"kept").await);
            env.disk.rename(Path::new(FILE), Path::new(OTHER)).await.unwrap();
            drop(env.disk.create_new(Path::new("/checkpoint/journal/c")).await.unwrap());
            error_of(env.disk.sync_dir(Path::new(DIRECTORY)).await, 0);
            let names = env.disk.list(Path::new(DIRECTORY)).await.unwrap();
            assert_eq!(names, if is_seen { vec!["b", "c"] } else { vec!["a"] });
            env.disk.sync_dir(Path::new(DIRECTORY)).await.unwrap();
            driver.lose_power(PowerLoss::image(1));
            assert_eq!(world.files(), [(FILE.to_owned(), b"kept".to_vec())].into());
            assert_eq!((world.usage().files, world.usage().bytes), (1, 4));
        });
        assert_eq!(fired, [true]);
    }
}

#[test]
fn a_failed_sync_is_told_once_to_each_driver_that_named_something_there_or_had_the_file_open() {
    let failing = |trigger| Fault::FailedSync(FailedSync { trigger, file_system: FileSystem::Ext4 });
    let faults = vec![
        failing(at(DiskOperation::SyncDir, 2, Moment::Before)),
        failing(at(DiskOperation::Sync, 2, Moment::Before)),
    ];
    let (_, fired) = under(faults, |world, driver| async move {
        let older = driver.boot();
        let mut file = durable_file(&older, FILE, b"kept").await;
        let newer = driver.start_beside(|env| async move { env }).await.unwrap();
        let mut same = newer.disk.open_append(Path::new(FILE)).await.unwrap();
        drop(newer.disk.create_new(Path::new(OTHER)).await.unwrap());
        error_of(older.disk.sync_dir(Path::new(DIRECTORY)).await, 0);
        older.disk.sync_dir(Path::new(DIRECTORY)).await.unwrap();
        error_of(newer.disk.sync_dir(Path::new(DIRECTORY)).await, 0);
        newer.disk.sync_dir(Path::new(DIRECTORY)).await.unwrap();

        error_of(file.sync().await, 1);
        file.sync().await.unwrap();
        let mut later = newer.disk.open_append(Path::new(OTHER)).await.unwrap();
        later.sync().await.unwrap();
        error_of(same.sync().await, 1);
        same.sync().await.unwrap();
        let failures = world.failed_operations();
        let of_lives: Vec<_> = failures.iter().map(|failure| (failure.life.0, failure.done)).collect();
        let (nothing, own) = (Done::Nothing, Done::Part);
        assert_eq!(of_lives, [(1, nothing), (2, own), (1, nothing), (2, own)]);
    });
    assert_eq!(fired, [true, true]);
}

#[test]
fn a_failed_sync_is_not_told_to_whom_it_does_not_concern() {
    let faults = failed_sync(FileSystem::Ext4, Moment::Before);
    let (_, fired) = under(faults, |_, driver| async move {
        let older = driver.boot();
        let mut file = durable_file(&older, FILE, b"kept").await;
        let newer = driver.start_beside(|env| async move { env }).await.unwrap();
        error_of(file.sync().await, 0);
        // It comes later, and has named nothing.
        newer.disk.open_append(Path::new(FILE)).await.unwrap().sync().await.unwrap();
        newer.disk.sync_dir(Path::new(DIRECTORY)).await.unwrap();
    });
    assert_eq!(fired, [true]);
}

#[test]
fn a_slow_disk_takes_its_time_with_every_operation_and_a_stall_with_one() {
    let slow = |trigger, for_ms| Fault::SlowDisk(SlowDisk { trigger, for_ms, latency_ms: 40 });
    let faults = vec![
        slow(Trigger::Time { at_ms: 1000 }, 200),
        slow(at(DiskOperation::Append, 2, Moment::After), 0),
        slow(Trigger::Time { at_ms: 3000 }, 0),
    ];
    let (_, fired) = under(faults, |world, driver| async move {
        let mut file = durable_file(&driver.boot(), FILE, b"").await;
        let mut append_ms = async || {
            let from = world.now();
            file.append(b"x").await.unwrap();
            world.now().millis() - from.millis()
        };
        assert!(append_ms().await >= 40, "the second append");
        assert!(append_ms().await < 40);
        world.sleep_until(VirtualTime::from_millis(1100)).await;
        assert!(append_ms().await >= 40);
        assert!(append_ms().await >= 40);
        world.sleep_until(VirtualTime::from_millis(1500)).await;
        assert!(append_ms().await < 40, "its time is over");
        world.sleep_until(VirtualTime::from_millis(3100)).await;
        assert!(append_ms().await >= 40, "the first operation after the time");
        assert!(append_ms().await < 40);
    });
    assert_eq!(fired, [true; 3]);
}

#[test]
fn a_stalled_operation_that_a_crash_overtakes_never_happens() {
    let trigger = at(DiskOperation::Append, 1, Moment::Before);
    let fault = Fault::SlowDisk(SlowDisk { trigger, for_ms: 0, latency_ms: 500 });
    let (_, fired) = under(vec![fault], |world, driver| async move {
        let task = driver.start(|env| async move { drop(durable_file(&env, FILE, b"late").await) });
        world.sleep(Duration::from_millis(300)).await;
        driver.kill();
        assert!(task.await.is_err());
        world.sleep(Duration::from_millis(500)).await;
        assert_eq!(world.file(FILE).unwrap(), b"");
    });
    assert_eq!(fired, [true]);
}

#[test]
fn a_slow_start_is_over_after_its_operations() {
    let fault = Fault::SlowStart(SlowStart { life: Life(2), operations: 3, latency_ms: 50 });
    let (_, fired) = under(vec![fault], |world, driver| async move {
        let env = driver.boot();
        let _file = durable_file(&env, FILE, b"").await;
        assert!(world.now().millis() < 50);
        let env = driver.boot();
        for operation in 1..=5 {
            let from = world.now();
            env.disk.length(Path::new(FILE)).await.unwrap();
            assert_eq!(world.now().millis() - from.millis() >= 50, operation <= 3, "operation {operation}");
        }
    });
    assert_eq!(fired, [true]);
}

#[test]
fn a_rotten_bit_is_read_from_then_on_and_the_pristine_byte_is_kept() {
    let rot = |place, file, byte| {
        Fault::BitRot(BitRot { trigger: Trigger::Start { life: Life(2) }, place, file, byte, bit: 1 })
    };
    let faults = vec![rot(Place::Journal, 1, 6), rot(Place::State, 0, 0), rot(Place::Output, 0, 0)];
    let (_, fired) = under(faults, |world, driver| async move {
        let env = driver.boot();
        durable_file(&env, FILE, b"aaaa").await.append(b"unsynced").await.unwrap();
        drop(durable_file(&env, OTHER, b"bbbb").await);
        env.disk.create_dir(Path::new("/output")).await.unwrap();
        env.disk.create_new(Path::new("/output/out")).await.unwrap().append(b"line").await.unwrap();
        assert_eq!(world.damaged_files(), []);
        let env = driver.boot();
        assert_eq!(env.disk.read(Path::new(FILE), 0, 9).await.unwrap(), b"aacaunsyn", "a durable byte");
        assert_eq!(world.files()[FILE], b"aacaunsynced");
        assert_eq!(world.pristine_files()[FILE], b"aaaaunsynced");
        assert_eq!(world.damaged_files(), [Damage { path: FILE.into(), fault: 0, bytes: 2..3 }]);
        assert_eq!(after_power_loss(&world, &driver, 0), b"aaca");
        assert_eq!(world.pristine_files()[FILE], b"aaaa");
        assert_eq!(world.file("/output/out"), None);
    });
    assert_eq!(fired, [true, false, false], "no such file, or none of the checkpoint directory: missed");
}

#[test]
fn a_lost_write_is_read_until_the_life_ends() {
    let faults = vec![
        Fault::LostWrite(LostWrite { trigger: at(DiskOperation::Append, 2, Moment::Before) }),
        Fault::LostWrite(LostWrite { trigger: before(DiskOperation::Sync) }),
    ];
    let (_, fired) = under(faults, |world, driver| async move {
        let mut file = durable_file(&driver.boot(), FILE, b"one").await;
        file.append(b"two").await.unwrap();
        file.sync().await.unwrap();
        file.append(b"three").await.unwrap();
        assert_eq!((world.file(FILE).unwrap(), world.damaged_files()), (b"onetwothree".to_vec(), vec![]));
        driver.boot();
        assert_eq!(world.file(FILE).unwrap(), b"one\0\0\0three");
        assert_eq!(world.damaged_files(), [Damage { path: FILE.into(), fault: 0, bytes: 3..6 }]);
        assert_eq!(after_power_loss(&world, &driver, 0), b"one\0\0\0");
        assert_eq!(world.pristine_files()[FILE], b"onetwo");
    });
    assert_eq!(fired, [true, false]);
}

#[test]
fn a_misdirected_write_lands_on_another_file_and_leaves_its_own_place_empty() {
    let trigger = at(DiskOperation::Append, 3, Moment::Before);
    let misdirected = |trigger| MisdirectedWrite { trigger, place: Place::Journal, file: 0, byte: 6 };
    let faults = vec![
        Fault::MisdirectedWrite(misdirected(before(DiskOperation::Append))),
        Fault::MisdirectedWrite(misdirected(trigger)),
    ];
    let (_, fired) = under(faults, |world, driver| async move {
        let env = driver.boot();
        drop(durable_file(&env, FILE, b"aaaa").await);
        let mut file = durable_file(&env, OTHER, b"bbbb").await;
        file.append(b"12345").await.unwrap();
        assert_eq!(
            (world.file(FILE).unwrap(), world.file(OTHER).unwrap()),
            (b"aaaa".into(), b"bbbb12345".into())
        );
        driver.boot();
        let files = world.files();
        assert_eq!((&files[FILE][..], &files[OTHER][..]), (&b"aa12"[..], &b"bbbb\0\0\0\0\0"[..]));
        let pristine = world.pristine_files();
        assert_eq!((&pristine[FILE][..], &pristine[OTHER][..]), (&b"aaaa"[..], &b"bbbb12345"[..]));
        let damage = |path: &str, bytes| Damage { path: path.into(), fault: 1, bytes };
        assert_eq!(world.damaged_files(), [damage(FILE, 2..4), damage(OTHER, 4..9)]);
    });
    assert_eq!(fired, [false, true], "there was no other file at the first append");
}

#[test]
fn a_stale_read_does_not_show_the_last_change() {
    let stale = |operation, nth| Fault::StaleRead(StaleRead { trigger: at(operation, nth, Moment::Before) });
    let faults = vec![
        stale(DiskOperation::Read, 1),
        stale(DiskOperation::Read, 2),
        stale(DiskOperation::Length, 1),
        stale(DiskOperation::List, 1),
    ];
    let (_, fired) = under(faults, |world, driver| async move {
        let env = driver.boot();
        let (disk, path) = (&env.disk, Path::new(FILE));
        durable_file(&env, FILE, b"one").await.append(b"two").await.unwrap();
        drop(durable_file(&env, OTHER, b"").await);
        assert_eq!(disk.read(path, 0, 3).await.unwrap(), b"one", "nothing of this has changed");
        assert_eq!(disk.read(path, 2, 9).await.unwrap(), b"e");
        assert_eq!(disk.read(path, 2, 9).await.unwrap(), b"etwo");
        assert_eq!(disk.length(path).await.unwrap(), 3);
        assert_eq!(disk.length(path).await.unwrap(), 6);
        assert_eq!(disk.list(Path::new(DIRECTORY)).await.unwrap(), ["a"]);
        assert_eq!(disk.list(Path::new(DIRECTORY)).await.unwrap(), ["a", "b"]);
        let damage = |path: &str, fault, bytes| Damage { path: path.into(), fault, bytes };
        let told = [damage(FILE, 1, 3..6), damage(FILE, 2, 3..6), damage(DIRECTORY, 3, 0..0)];
        assert_eq!(world.damaged_files(), told);
        assert_eq!(world.files(), world.pristine_files(), "nothing at rest is damaged");
    });
    assert_eq!(fired, [false, true, true, true]);
}

#[test]
fn a_disk_that_lies_loses_what_was_synced_after_the_lie() {
    let fault = Fault::LyingDisk(LyingDisk { trigger: at(DiskOperation::Append, 2, Moment::Before) });
    let (_, fired) = under(vec![fault], |world, driver| async move {
        let env = driver.boot();
        let mut file = durable_file(&env, FILE, b"kept").await;
        file.append(b"lost").await.unwrap();
        file.sync().await.unwrap();
        drop(durable_file(&env, OTHER, b"other").await);
        driver.lose_power(PowerLoss::image(0));
        assert_eq!(world.files(), [(FILE.to_owned(), b"kept".to_vec())].into());
    });
    assert_eq!(fired, [true]);
}

#[test]
fn a_lifted_fault_leaves_the_undamaged_run() {
    let fault = |byte| {
        Fault::BitRot(BitRot {
            trigger: Trigger::Start { life: Life(2) },
            place: Place::Journal,
            file: 0,
            byte,
            bit: 0,
        })
    };
    let files = |faults| {
        let (files, _) = under(faults, |world, driver| async move {
            drop(durable_file(&driver.boot(), FILE, b"content").await);
            driver.boot();
            (world.files(), world.pristine_files())
        });
        files
    };
    let (damaged, pristine) = files(vec![fault(3), fault(5)]);
    assert_ne!(damaged, pristine);
    let with_one_less = [(3, pristine[FILE][3] ^ 1), (5, pristine[FILE][5])];
    let (one_lifted, still_pristine) = files(vec![fault(3)]);
    for (byte, expected) in with_one_less {
        assert_eq!(one_lifted[FILE][byte], expected, "byte {byte}");
    }
    assert_eq!(still_pristine, pristine);
    assert_eq!(files(vec![]), (pristine.clone(), pristine));
}

#[test]
fn drawn_images_hold_zeros_and_garbage_and_the_plain_ones_zeros_alone() {
    let lost = |image_seed| {
        let (left, _) = under(Vec::new(), |world, driver| async move {
            let mut file = durable_file(&driver.boot(), FILE, b"").await;
            file.append(&[b'x'; 4096]).await.unwrap();
            after_power_loss(&world, &driver, image_seed)
        });
        left.into_iter().filter(|byte| *byte != b'x').collect::<Vec<u8>>()
    };
    assert!((0..4).all(|image| lost(image).iter().all(|byte| *byte == 0)));
    let drawn: Vec<Vec<u8>> = (4..60).map(lost).filter(|lost| lost.len() >= 512).collect();
    let garbage = drawn.iter().filter(|lost| lost.iter().any(|byte| *byte != 0)).count();
    assert!(0 < garbage && garbage < drawn.len(), "{garbage} of {}", drawn.len());
}
