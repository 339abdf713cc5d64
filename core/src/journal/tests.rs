//! The journal over lives, on real files: what the next life relies on, and what it writes again.

#![allow(clippy::disallowed_methods, reason = "the tests damage the machine's files")]

use super::{
    Block, Completion, FoundJournal, Inherited, Journal, Keep, Location, MARK_BYTES, Moved, Record,
    SegmentName, read_block, read_journal,
};
use crate::{
    env::Env,
    error::{Error, Result},
    ids::{BatchTime, BlockId, Generation, SegmentId, SourceId},
    listeners::Listeners,
    source::BlockData,
    text::TextBlock,
};
use std::{fs, path::PathBuf, sync::Arc};

/// A directory in which journals are written and read.
struct Lives {
    env: Env,
    directory: tempfile::TempDir,
}

fn run(body: impl AsyncFnOnce(Lives)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let env = crate::os::env_with_threads(1);
        body(Lives { env, directory: tempfile::tempdir().unwrap() }).await;
    });
}

impl Lives {
    async fn begin(&self, generation: u64, inherited: Inherited, bytes_max: u64) -> (Journal, Moved) {
        let (directory, listeners) = (self.directory.path().to_owned(), Listeners::default());
        let generation = Generation(generation);
        Journal::begin(&self.env, directory, generation, inherited, bytes_max, listeners).await.unwrap()
    }

    async fn read(&self) -> Result<FoundJournal> {
        read_journal(&self.env, self.directory.path(), SegmentId(0), None, Keep::Everything).await
    }

    fn wal(&self, segment: u64, generation: u64) -> PathBuf {
        name(segment, generation).wal(self.directory.path())
    }

    fn marks(&self, segment: u64, generation: u64) -> PathBuf {
        name(segment, generation).marks(self.directory.path())
    }
}

fn name(segment: u64, generation: u64) -> SegmentName {
    SegmentName { segment: SegmentId(segment), generation: Generation(generation) }
}

fn inherited(next: u64, predecessors: Vec<(SegmentName, u64)>) -> Inherited {
    Inherited { next: SegmentId(next), predecessors, ..Inherited::default() }
}

fn completion(time: u64) -> Record {
    Record::Completion(Completion { time: BatchTime(time), sinks: Vec::new() })
}

fn block(number: u64) -> Record {
    let data = Arc::new(BlockData::Text(Arc::new(TextBlock::from_lines(["a line of text"]))));
    Record::Block(Block { source: SourceId(0), block: BlockId(number), records: 1, position: None, data })
}

/// All records, in their order.
fn records(found: &FoundJournal) -> Vec<Record> {
    let of_segments = found.segments.iter().flat_map(|(_, segment)| &segment.records);
    of_segments.map(|(_, _, record)| record.clone()).collect()
}

fn end(location: Location) -> u64 {
    location.offset + location.length
}

#[test]
fn a_segment_that_a_replaced_driver_began_late_hides_nothing() {
    run(async |lives| {
        let (old, _) = lives.begin(1, Inherited::default(), 1 << 20).await;
        let located = old.append(vec![completion(1)], true).await.unwrap();
        let before = vec![(name(0, 1), end(located[0]))];
        let (new, _) = lives.begin(2, inherited(1, before.clone()), 1 << 20).await;
        new.append(vec![completion(2)], true).await.unwrap();
        let _late = lives.begin(1, inherited(2, before), 1 << 20).await;
        let found = lives.read().await.unwrap();
        let names: Vec<_> = found.segments.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, [name(0, 1), name(1, 2)]);
        assert_eq!(found.inherited.next, SegmentId(3));
    });
}

#[test]
fn what_stands_behind_the_mark_is_written_again_and_not_missed_where_it_was() {
    run(async |lives| {
        let (journal, _) = lives.begin(1, Inherited::default(), 1 << 20).await;
        let durable = journal.append(vec![block(0), block(1)], true).await.unwrap();
        let visible = journal.append(vec![block(2), completion(1)], false).await.unwrap();
        let all = vec![block(0), block(1), block(2), completion(1)];
        let found = lives.read().await.unwrap();
        assert_eq!(records(&found), all);
        assert_eq!(found.inherited.predecessors, [(name(0, 1), end(durable[1]))]);

        let (_next, moved) = lives.begin(2, found.inherited, 1 << 20).await;
        // What the page cache alone had is gone, and the replaced driver goes on writing.
        let file = fs::OpenOptions::new().write(true).open(lives.wal(0, 1)).unwrap();
        file.set_len(end(durable[1])).unwrap();
        let found = lives.read().await.unwrap();
        assert_eq!(records(&found), all);
        assert_eq!(found.inherited.carried, []);
        assert_eq!(moved.now(durable[1]), durable[1]);
        let now = moved.now(visible[0]);
        assert_eq!(now.segment, name(1, 2));
        let number = (SourceId(0), BlockId(2));
        read_block(&lives.env, lives.directory.path(), number, now).await.unwrap();
        let other = read_block(&lives.env, lives.directory.path(), number, durable[0]).await;
        assert!(matches!(other, Err(Error::Damaged { .. })), "another block stands there");
    });
}

#[test]
fn a_segment_whose_begin_was_cut_off_anywhere_does_not_count() {
    run(async |lives| {
        let (journal, _) = lives.begin(1, Inherited::default(), 1 << 20).await;
        journal.append(vec![block(0)], true).await.unwrap();
        journal.append(vec![block(1), block(2)], false).await.unwrap();
        let all = vec![block(0), block(1), block(2)];
        let first = lives.read().await.unwrap().inherited;
        let (_second, _) = lives.begin(2, lives.read().await.unwrap().inherited, 1 << 20).await;
        let whole = fs::read(lives.wal(1, 2)).unwrap();
        for length in 0..=whole.len() {
            fs::write(lives.wal(1, 2), &whole[..length]).unwrap();
            // No mark was written, or a power loss took it.
            fs::write(lives.marks(1, 2), "").unwrap();
            let found = lives.read().await.unwrap();
            assert_eq!(records(&found), all, "{length} bytes");
            if length < whole.len() {
                assert_eq!(found.inherited.predecessors, first.predecessors, "{length} bytes");
                assert_eq!(found.inherited.carried, first.carried, "{length} bytes");
            }
        }
        // All of it is there, and again not known to be durable: it is carried once more, from where it stands now.
        let found = lives.read().await.unwrap();
        assert_eq!(found.inherited.predecessors, first.predecessors);
        let carried = found.inherited.carried.iter();
        assert!(carried.clone().all(|(location, _)| location.segment == name(1, 2)));
        assert_eq!(carried.count(), 2);
        let (_third, _) = lives.begin(3, found.inherited, 1 << 20).await;
        fs::remove_file(lives.wal(1, 2)).unwrap();
        assert_eq!(records(&lives.read().await.unwrap()), all);
    });
}

#[test]
fn a_newest_segment_that_nobody_lists_is_missed() {
    run(async |lives| {
        let (journal, _) = lives.begin(1, Inherited::default(), 1).await;
        journal.append(vec![block(0)], true).await.unwrap();
        journal.append(vec![block(1)], true).await.unwrap();
        assert_eq!(records(&lives.read().await.unwrap()), [block(0), block(1)]);
        drop(journal);
        let newest = lives.read().await.unwrap().segments.last().unwrap().0;
        fs::remove_file(newest.wal(lives.directory.path())).unwrap();
        fs::remove_file(newest.marks(lives.directory.path())).unwrap();
        let error = lives.read().await.err().expect("records of it were acknowledged");
        assert!(error.to_string().contains(&format!("{newest}.wal is damaged")), "{error}");
    });
}

/// A segment of two groups behind its header, three blocks in the second one, with its marks; where its records are, and its end.
async fn two_groups(lives: &Lives) -> (Vec<u8>, Vec<u8>, Vec<Location>) {
    let (journal, _) = lives.begin(1, Inherited::default(), 1 << 20).await;
    let mut located = journal.append(vec![block(0)], true).await.unwrap();
    located.extend(journal.append(vec![block(1), block(2), block(3)], true).await.unwrap());
    (fs::read(lives.wal(0, 1)).unwrap(), fs::read(lives.marks(0, 1)).unwrap(), located)
}

/// The bytes with zeros from an offset on.
fn zeroed(bytes: &[u8], from: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[from..].fill(0);
    bytes
}

#[test]
fn a_last_mark_that_cannot_be_read_proves_that_all_before_it_was_durable() {
    run(async |lives| {
        let (wal, marks, located) = two_groups(&lives).await;
        let last = marks.len() - MARK_BYTES;
        for unread in [zeroed(&marks, last), marks[..last + 1].to_vec(), zeroed(&marks, marks.len() - 50)] {
            fs::write(lives.marks(0, 1), unread).unwrap();
            fs::write(lives.wal(0, 1), &wal).unwrap();
            let found = lives.read().await.unwrap();
            assert_eq!(records(&found), [block(0), block(1), block(2), block(3)]);
            assert_eq!(found.inherited.predecessors, [(name(0, 1), end(located[0]))]);
            // Whichever of its group's records is damaged, and also if all of them are gone.
            for record in &located[1..] {
                let from = usize::try_from(record.offset).unwrap();
                fs::write(lives.wal(0, 1), zeroed(&wal, from + 3)).unwrap();
                let error = lives.read().await.err().expect("it was acknowledged").to_string();
                assert!(
                    error.contains(&format!("0000000000-0000000001.wal is damaged at byte {from}")),
                    "{error}"
                );
            }
            fs::write(lives.wal(0, 1), &wal[..usize::try_from(end(located[0])).unwrap()]).unwrap();
            let error = lives.read().await.err().expect("it was acknowledged").to_string();
            assert!(error.contains("more was durable before mark 3"), "{error}");
        }
        // A mark that was never appended proves nothing: what stands where it would be is the torn end of a write.
        fs::write(lives.marks(0, 1), &marks[..last]).unwrap();
        fs::write(lives.wal(0, 1), zeroed(&wal, usize::try_from(located[2].offset).unwrap())).unwrap();
        assert_eq!(records(&lives.read().await.unwrap()), [block(0), block(1)]);
    });
}

#[test]
fn a_mark_in_between_that_cannot_be_read_hides_neither_records_nor_damage() {
    run(async |lives| {
        let (wal, marks, located) = two_groups(&lives).await;
        for number in 0..2 {
            let mut unread = marks.clone();
            unread[number * MARK_BYTES..][..MARK_BYTES].fill(7);
            fs::write(lives.marks(0, 1), unread).unwrap();
            fs::write(lives.wal(0, 1), &wal).unwrap();
            assert_eq!(lives.read().await.unwrap().inherited.carried, []);
            fs::write(lives.wal(0, 1), zeroed(&wal, usize::try_from(located[3].offset).unwrap())).unwrap();
            assert!(matches!(lives.read().await, Err(Error::Damaged { .. })), "mark {number}");
        }
    });
}

#[test]
fn of_a_first_mark_that_cannot_be_read_it_is_known_what_it_covered() {
    run(async |lives| {
        let (journal, _) = lives.begin(1, Inherited::default(), 1 << 20).await;
        let located = journal.append(vec![block(0), block(1)], false).await.unwrap();
        let (_second, moved) = lives.begin(2, lives.read().await.unwrap().inherited, 1 << 20).await;
        let wal = fs::read(lives.wal(1, 2)).unwrap();
        fs::write(lives.marks(1, 2), [0; MARK_BYTES]).unwrap();
        // The next write is torn.
        fs::write(lives.wal(1, 2), [&wal[..], &[9; 30]].concat()).unwrap();
        let found = lives.read().await.unwrap();
        assert_eq!((records(&found), found.torn_bytes), (vec![block(0), block(1)], 30));
        let carried = moved.now(located[1]);
        for damaged in [0, carried.offset] {
            fs::write(lives.wal(1, 2), zeroed(&wal, usize::try_from(damaged).unwrap())).unwrap();
            let error = lives.read().await.err().expect("it was begun").to_string();
            assert!(
                error.contains(&format!("0000000001-0000000002.wal is damaged at byte {damaged}")),
                "{error}"
            );
        }
        fs::remove_file(lives.wal(1, 2)).unwrap();
        let error = lives.read().await.err().expect("it was begun").to_string();
        assert!(error.contains("the file is missing"), "{error}");
    });
}
