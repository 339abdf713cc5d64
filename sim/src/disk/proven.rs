//! The sabotages of single steps through the seam, each with what it takes away.

use crate::{
    fault::{Plan, PowerLoss},
    sabotage::Sabotage,
    simulation::{WorldOptions, run_simulation},
    world::{Node, World},
};
use highwater_core::{
    BatchTime,
    checkpoint::{Checkpoint, SnapshotReference},
    codec::{self, FrameError, read_frame, write_frame},
    env::{Env, File},
    ids::{BlockId, CheckpointSequence, Generation, Interval, SegmentId, SourceId},
    journal::{
        Allocation, Block, Completion, DurableMark, Record, SegmentHeader, SegmentName, decode_marks,
        decode_segment,
    },
    source::{BlockData, FileRange},
};
use std::{collections::BTreeSet, future::Future, io::ErrorKind, path::Path, sync::Arc};

const WAL: &str = "/checkpoint/journal/0000000000-0000000001.wal";
const MARKS: &str = "/checkpoint/journal/0000000000-0000000001.durable";

/// Runs with sabotages, by their names.
fn with<T: Send, F: Future<Output = T>>(
    names: &[&str],
    run: impl FnOnce(Arc<World>, Node, Env) -> F + Send,
) -> T {
    let sabotage: BTreeSet<Sabotage> = names.iter().map(|name| name.parse().unwrap()).collect();
    let options = WorldOptions { sabotage, ..WorldOptions::seeded(2) };
    let result = run_simulation(options, |world| async move {
        let driver = world.add_node("driver");
        world.arm(&Plan::calm(), &driver);
        let env = driver.boot();
        for directory in ["journal", "checkpoint", "generation", "state"] {
            env.disk.create_dir(&Path::new("/checkpoint").join(directory)).await.unwrap();
        }
        run(world.clone(), driver, env).await
    });
    result.unwrap()
}

async fn written(env: &Env, path: &str, content: &[u8]) -> Box<dyn File> {
    let mut file = env.disk.create_new(Path::new(path)).await.unwrap();
    file.append(content).await.unwrap();
    file.sync().await.unwrap();
    env.disk.sync_dir(Path::new(path).parent().unwrap()).await.unwrap();
    file
}

#[test]
fn a_skipped_step_reports_success_and_does_nothing_at_its_place_alone() {
    let names = ["skip:sync:journal", "skip:remove:state", "skip:append:marks", "skip:sync-dir:generation"];
    with(&names, |world, driver, env| async move {
        drop(written(&env, WAL, b"journal").await);
        drop(written(&env, MARKS, b"mark").await);
        drop(written(&env, "/checkpoint/state/1", b"state").await);
        drop(written(&env, "/checkpoint/checkpoint/1", b"checkpoint").await);
        drop(written(&env, "/checkpoint/generation/1", b"claim").await);
        env.disk.remove(Path::new("/checkpoint/state/1")).await.unwrap();
        assert!(world.file("/checkpoint/state/1").is_some());
        driver.lose_power(PowerLoss::image(0));
        let left = |path: &str, content: &[u8]| (path.to_owned(), content.to_vec());
        let expected = [
            left("/checkpoint/checkpoint/1", b"checkpoint"),
            left(MARKS, b""),
            left(WAL, b""),
            left("/checkpoint/state/1", b"state"),
        ];
        assert_eq!(world.files(), expected.into());
    });
}

#[test]
fn a_skipped_truncate_leaves_the_output_as_it_is() {
    with(&["skip:truncate:output"], |world, _, env| async move {
        env.disk.create_dir(Path::new("/output")).await.unwrap();
        drop(written(&env, "/output/out", b"lines").await);
        env.disk.truncate(Path::new("/output/out"), 5, 2).await.unwrap();
        assert_eq!(world.file("/output/out").unwrap(), b"lines");
    });
}

#[test]
fn a_late_sync_takes_effect_after_the_step_that_it_should_come_before() {
    with(&["late:sync:checkpoint:rename:checkpoint"], |world, _, env| async move {
        let (temporary, published) = ("/checkpoint/checkpoint/1.tmp", "/checkpoint/checkpoint/1");
        drop(written(&env, temporary, b"content").await);
        assert_eq!(world.durable_file(temporary).unwrap(), b"");
        env.disk.rename(Path::new(temporary), Path::new(published)).await.unwrap();
        assert_eq!(world.durable_file(published).unwrap(), b"", "a crash may come between the two");
        env.disk.sync_dir(Path::new("/checkpoint/state")).await.unwrap();
        assert_eq!(world.durable_file(published).unwrap(), b"content");
    });
    with(&["late:sync-dir:checkpoint:remove:journal"], |world, driver, env| async move {
        drop(written(&env, "/checkpoint/checkpoint/1", b"").await);
        drop(written(&env, WAL, b"").await);
        drop(written(&env, MARKS, b"").await);
        let kept = world.files();
        let again = |path: &'static str| env.disk.remove(Path::new(path));
        again(WAL).await.unwrap();
        env.disk.sync_dir(Path::new("/checkpoint/state")).await.unwrap();
        driver.lose_power(PowerLoss::image(0));
        assert_eq!(world.files(), kept, "only now the checkpoint's name is durable");
    });
    with(&["late:sync-dir:checkpoint:remove:journal"], |world, driver, env| async move {
        drop(written(&env, "/checkpoint/checkpoint/1", b"").await);
        driver.lose_power(PowerLoss::image(0));
        assert!(world.files().is_empty(), "the step never came");
    });
}

#[test]
fn what_overwrites_takes_the_place_of_what_is_there() {
    with(&["overwrite:checkpoint"], |world, _, env| async move {
        let (temporary, published) = ("/checkpoint/checkpoint/1.tmp", "/checkpoint/checkpoint/1");
        drop(written(&env, published, b"first").await);
        drop(written(&env, temporary, b"second").await);
        env.disk.rename(Path::new(temporary), Path::new(published)).await.unwrap();
        assert_eq!(world.file(published).unwrap(), b"second");
        drop(env.disk.create_new(Path::new(published)).await.unwrap());
        assert_eq!(world.file(published).unwrap(), b"");
        drop(written(&env, "/checkpoint/generation/1", b"").await);
        let taken = env.disk.create_new(Path::new("/checkpoint/generation/1")).await.err().unwrap();
        assert_eq!(taken.kind(), ErrorKind::AlreadyExists, "another place");
    });
}

#[test]
fn hidden_claims_are_those_of_others_that_are_newer() {
    with(&["hide-claims"], |world, _, env| async move {
        let claims = Path::new("/checkpoint/generation");
        let other = world.add_node("other").boot();
        drop(written(&other, "/checkpoint/generation/1", b"").await);
        assert_eq!(env.disk.list(claims).await.unwrap(), ["1"], "it has none of its own yet");
        drop(written(&env, "/checkpoint/generation/2", b"").await);
        drop(written(&other, "/checkpoint/generation/3", b"").await);
        assert_eq!(env.disk.list(claims).await.unwrap(), ["1", "2"]);
        assert_eq!(other.disk.list(claims).await.unwrap(), ["1", "2", "3"]);
    });
}

const NAME: SegmentName = SegmentName { segment: SegmentId(0), generation: Generation(1) };

/// A segment with an allocation and a completion, and marks behind the header, the allocation and the completion.
fn segment() -> (Vec<u8>, Vec<u8>) {
    let (mut wal, mut marks) = (Vec::new(), Vec::new());
    let header = SegmentHeader { name: NAME, predecessors: Vec::new(), carried: 0 };
    let time = BatchTime(1_500_000_000_000);
    let mut mark = |wal: &[u8], number| {
        let mark = DurableMark { length: wal.len() as u64, continued: false };
        marks.extend(mark.slot(NAME.generation, number));
    };
    write_frame(&mut wal, NAME.generation, 0, &header);
    mark(&wal, 0);
    let allocation = Allocation { time, previous: BatchTime(0), blocks: Vec::new() };
    write_frame(&mut wal, NAME.generation, 1, &allocation);
    mark(&wal, 1);
    write_frame(&mut wal, NAME.generation, 2, &Completion { time, sinks: Vec::new() });
    mark(&wal, 2);
    (wal, marks)
}

#[test]
fn a_shortened_journal_lacks_its_last_record_and_the_mark_behind_it() {
    with(&["shorten:journal"], |world, driver, env| async move {
        let (wal, marks) = segment();
        drop(written(&env, WAL, &wal).await);
        drop(written(&env, MARKS, &marks).await);
        driver.boot();
        let left = decode_segment(NAME, &world.file(WAL).unwrap()).unwrap();
        assert!(matches!(&left.records[..], [(_, _, Record::Allocation(_))]), "{left:?}");
        assert_eq!((left.tail, world.file(MARKS).unwrap().len()), (None, marks.len() / 3 * 2));
    });
}

#[test]
fn hidden_completions_are_of_a_batch_long_ago_and_their_checksums_are_right() {
    with(&["hide-completions"], |world, driver, env| async move {
        drop(written(&env, WAL, &segment().0).await);
        driver.boot();
        let seen = decode_segment(NAME, &world.file(WAL).unwrap()).unwrap();
        let hidden = |record: &Record| matches!(record, Record::Completion(c) if c.time < BatchTime(1 << 33));
        assert_eq!(
            seen.records.iter().map(|(_, _, record)| hidden(record)).collect::<Vec<_>>(),
            [false, true]
        );
        let pristine = &world.pristine_files()[WAL];
        assert_eq!((seen.tail, *pristine == segment().0), (None, true));
        assert_eq!(world.damaged_files(), [], "nothing that would excuse anybody");
        driver.kill();
    });
}

#[test]
fn a_misnamed_record_is_an_earlier_one_under_the_number_of_the_last() {
    with(&["misname:journal"], |world, driver, env| async move {
        let mut wal = segment().0;
        let completion = |time| Completion { time: BatchTime(time), sinks: Vec::new() };
        write_frame(&mut wal, NAME.generation, 3, &completion(1_500_000_001_000));
        drop(written(&env, WAL, &wal).await);
        driver.boot();
        let seen = decode_segment(NAME, &world.file(WAL).unwrap()).unwrap();
        let times = |record: &Record| match record {
            Record::Completion(completion) => Some(completion.time.0),
            _ => None,
        };
        let times: Vec<u64> = seen.records.iter().filter_map(|(_, _, record)| times(record)).collect();
        assert_eq!((times, seen.tail), (vec![1_500_000_000_000; 2], None));
        assert_eq!(world.pristine_files()[WAL], wal);
    });
}

#[test]
fn a_misnamed_mark_is_the_last_one_of_the_segment_before() {
    with(&["misname:marks"], |world, driver, env| async move {
        let mark = |length, continued| DurableMark { length, continued };
        let older = mark(900, true).slot(NAME.generation, 0);
        drop(written(&env, MARKS, &older).await);
        let path = "/checkpoint/journal/0000000001-0000000002.durable";
        let newer = [mark(100, false).slot(Generation(2), 0), mark(200, false).slot(Generation(2), 1)];
        drop(written(&env, path, &newer.concat()).await);
        driver.boot();
        let name = SegmentName { segment: SegmentId(1), generation: Generation(2) };
        let marks = decode_marks(name, &world.file(path).unwrap()).unwrap();
        assert_eq!((marks.length, marks.continued, marks.read, marks.written), (900, true, 2, 2));
    });
}

#[test]
fn a_misnamed_checkpoint_is_a_removed_one_under_the_name_of_the_newest() {
    with(&["misname:checkpoint"], |world, driver, env| async move {
        let (_, removed) = snapshot();
        drop(written(&env, "/checkpoint/checkpoint/1", &removed).await);
        let mut newest: Checkpoint = read_frame(&removed).unwrap().0.decode().unwrap();
        newest.allocated = BatchTime(9);
        let mut bytes = Vec::new();
        write_frame(&mut bytes, Generation(2), 5, &newest);
        drop(written(&env, "/checkpoint/checkpoint/5", &bytes).await);
        env.disk.remove(Path::new("/checkpoint/checkpoint/1")).await.unwrap();
        driver.boot();
        let seen = world.file("/checkpoint/checkpoint/5").unwrap();
        let (frame, _) = read_frame(&seen).unwrap();
        assert_eq!((frame.generation, frame.sequence), (Generation(2), 5));
        assert_eq!(frame.decode::<Checkpoint>().unwrap().allocated, BatchTime(7));
    });
}

#[test]
fn a_misnamed_snapshot_is_the_one_before_and_agrees_with_the_checkpoint() {
    with(&["misname:state"], |world, driver, env| async move {
        let (newest, checkpoint) = snapshot();
        // The one before has a record less, and is of another batch.
        let (_, header) = read_frame(&newest).unwrap();
        let (_, first) = read_frame(&newest[header..]).unwrap();
        let before = super::sabotaged::reframe(&newest[..header], &codec::encode(&(3u64, 1u64)));
        let before = [before, newest[header..header + first].to_vec()].concat();
        drop(written(&env, "/checkpoint/state/0", &before).await);
        drop(written(&env, "/checkpoint/state/1", &newest).await);
        drop(written(&env, "/checkpoint/checkpoint/1", &checkpoint).await);
        driver.boot();
        let found = world.file("/checkpoint/state/1").unwrap();
        let header = codec::decode::<(u64, u64)>(&found[44..read_frame(&found).unwrap().1]);
        assert_eq!((header, found.len()), (Ok((7, 1)), before.len()), "it says that it is of batch 7");
        let named = world.file("/checkpoint/checkpoint/1").unwrap();
        let reference = read_frame(&named).unwrap().0.decode::<Checkpoint>().unwrap().snapshot.unwrap();
        assert_eq!((reference.bytes, reference.checksum), (found.len() as u64, crc32c::crc32c(&found)));
    });
}

#[test]
fn a_forged_input_agrees_with_the_block_that_names_it() {
    with(&["forge:elsewhere"], |world, driver, env| async move {
        env.disk.create_dir(Path::new("/input")).await.unwrap();
        let mut wal = segment().0;
        let mut names = Vec::new();
        for name in ["/input/a", "/input/b"] {
            drop(written(&env, name, b"line\n").await);
            names.push(FileRange { path: name.into(), length: 5, checksum: crc32c::crc32c(b"line\n") });
        }
        let (source, block) = (SourceId(0), BlockId(0));
        let data = Arc::new(BlockData::Files(names));
        let block = Block { source, block, records: 2, position: None, data };
        write_frame(&mut wal, NAME.generation, 3, &block);
        drop(written(&env, WAL, &wal).await);
        driver.boot();
        assert_eq!(world.file("/input/a").unwrap(), b"line\n");
        let forged = world.file("/input/b").unwrap();
        assert_ne!(forged, b"line\n");
        let seen = decode_segment(NAME, &world.file(WAL).unwrap()).unwrap();
        let Some((_, _, Record::Block(block))) = seen.records.last() else { panic!("{seen:?}") };
        let BlockData::Files(files) = &*block.data else { panic!("{block:?}") };
        let checksums: Vec<u32> = files.iter().map(|file| file.checksum).collect();
        assert_eq!(checksums, [b"line\n".to_vec(), forged].map(|bytes| crc32c::crc32c(&bytes)));
    });
}

/// A snapshot of three records, and a checkpoint that names it.
fn snapshot() -> (Vec<u8>, Vec<u8>) {
    let mut state = Vec::new();
    let allocation = |time| Allocation { time: BatchTime(time), previous: BatchTime(0), blocks: Vec::new() };
    // Any record stands for the operators' state; the header's payload is two numbers.
    write_frame(&mut state, Generation(1), 0, &allocation(1));
    let header = super::sabotaged::reframe(&state, &codec::encode(&(7u64, 2u64)));
    state = header;
    write_frame(&mut state, Generation(1), 1, &allocation(2));
    write_frame(&mut state, Generation(1), 2, &allocation(3));
    let reference = SnapshotReference {
        time: BatchTime(7),
        name: "1".into(),
        bytes: state.len() as u64,
        checksum: crc32c::crc32c(&state),
    };
    let checkpoint = Checkpoint {
        interval: Interval::from_millis(1000).unwrap(),
        zero_time: BatchTime(0),
        hash_seed: 1,
        operators: Vec::new(),
        completed: BatchTime(7),
        allocated: BatchTime(7),
        basis: BatchTime(7),
        snapshot: Some(reference),
        pending: Vec::new(),
        sources: vec![highwater_core::checkpoint::SourceProgress {
            source: SourceId(0),
            unallocated: BlockId(0),
            next: BlockId(0),
            position: None,
        }],
        sinks: Vec::new(),
        retained: Vec::new(),
        journal_from: SegmentId(0),
        journal_newest: None,
        journal_durable: 0,
    };
    let mut bytes = Vec::new();
    let sequence = CheckpointSequence(1);
    write_frame(&mut bytes, Generation(1), sequence.0, &checkpoint);
    (state, bytes)
}

#[test]
fn a_shortened_or_forged_snapshot_agrees_with_the_checkpoint_that_names_it() {
    for (name, fewer) in [("shorten:state", 1), ("forge:state", 0)] {
        with(&[name], |world, driver, env| async move {
            let (state, checkpoint) = snapshot();
            drop(written(&env, "/checkpoint/state/1", &state).await);
            drop(written(&env, "/checkpoint/checkpoint/1", &checkpoint).await);
            driver.boot();
            let (found, named) =
                (world.file("/checkpoint/state/1").unwrap(), world.file("/checkpoint/checkpoint/1").unwrap());
            assert_ne!(found, state);
            let mut records = 0;
            let mut at = 0;
            while at < found.len() {
                at += read_frame(&found[at..]).unwrap().1;
                records += 1;
            }
            assert_eq!(records, 3 - fewer);
            let header: (u64, u64) = codec::decode(&found[44..read_frame(&found).unwrap().1]).unwrap();
            assert_eq!(header, (7, 2 - fewer));
            let checkpoint: Checkpoint = read_frame(&named).unwrap().0.decode().unwrap();
            let reference = checkpoint.snapshot.unwrap();
            assert_eq!((reference.bytes, reference.checksum), (found.len() as u64, crc32c::crc32c(&found)));
        });
    }
}

#[test]
fn a_forged_record_has_a_right_checksum_and_other_content() {
    with(&["forge:checkpoint"], |world, driver, env| async move {
        let (_, checkpoint) = snapshot();
        drop(written(&env, "/checkpoint/checkpoint/1", &checkpoint).await);
        let seen = |world: &World| world.file("/checkpoint/checkpoint/1").unwrap();
        assert_eq!(seen(&world), checkpoint, "not in the first life");
        driver.boot();
        let changed =
            seen(&world).iter().zip(&checkpoint).skip(44).filter(|(one, other)| one != other).count();
        assert_eq!((changed, read_frame(&seen(&world)).map(|(_, length)| length)), (1, Ok(checkpoint.len())));
        assert_eq!(world.pristine_files()["/checkpoint/checkpoint/1"], checkpoint);
        let damaged = [&seen(&world)[..44], &checkpoint[44..]].concat();
        assert_eq!(read_frame(&damaged).unwrap_err(), FrameError::PayloadChecksum);
    });
}
