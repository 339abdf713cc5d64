//! What `inspect` tells of a directory is what a start makes of it, whatever is damaged; it touches nothing, and works beside a live driver.

use super::{
    damage::{Damage, cuts_and_deletions, flips},
    image::Image,
    workshop::{PROGRAM, Workshop},
};
use highwater_core::{
    event::{Event, Recovery},
    inspect::{Depth, Inspection, Start, inspect},
    journal::MARK_BYTES,
    os,
};
use highwater_tests::command::run_in;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

fn inspected(workshop: &Workshop, depth: Depth) -> Inspection {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        inspect(&os::env_with_threads(1), &workshop.checkpoint(), depth).await.expect("it can be read")
    })
}

/// When each file and directory was changed.
fn times(root: &Path) -> BTreeMap<PathBuf, SystemTime> {
    let mut times = BTreeMap::new();
    let mut left = vec![root.to_owned()];
    while let Some(path) = left.pop() {
        let metadata = fs::metadata(&path).unwrap();
        if metadata.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        times.insert(path, metadata.modified().unwrap());
    }
    times
}

fn recovery(events: &[Event]) -> Recovery {
    let recovered = events.iter().find_map(|event| match event {
        Event::Recovered(recovery) => Some(recovery.clone()),
        _ => None,
    });
    recovered.expect("it recovered")
}

/// Inspects a damaged directory, starts a driver on it, and holds the one against the other.
fn assert_foretold(workshop: &Workshop, image: &Image, path: &Path, damage: Damage) -> Inspection {
    let what = format!("{} with {damage:?}", path.display());
    damage.done_to(image, path).write(workshop.root());
    let (bytes, changed) = (Image::read(workshop.root()), times(workshop.root()));
    let quick = inspected(workshop, Depth::Start);
    let told = inspected(workshop, Depth::Everything);
    assert!(Image::read(workshop.root()) == bytes && times(workshop.root()) == changed, "{what}: touched");
    assert_eq!(
        format!("{:?}", quick.start),
        format!("{:?}", told.start),
        "{what}: the depth changes the start"
    );
    match (&told.start, workshop.finish()) {
        (Start::Refuses { error }, Err(refused)) => {
            assert!(!told.damage.is_empty(), "{what}: {error}, and no damage is told");
            assert_eq!(format!("{refused}"), *error, "{what}");
        }
        (Start::Recover { .. }, Ok(events)) => assert_recovered(&told.start, &recovery(&events), &what),
        (start, outcome) => {
            panic!("{what}: {start:?}, but a start comes to {:?}", outcome.map(|_| "a recovery"))
        }
    }
    told
}

fn assert_recovered(start: &Start, recovery: &Recovery, what: &str) {
    let Start::Recover {
        checkpoint,
        completed,
        state_of,
        state_replays,
        pending,
        waiting_records,
        journal_records,
        torn_bytes,
        ..
    } = start
    else {
        panic!("{what}: {start:?}");
    };
    assert_eq!((*checkpoint, *completed), (recovery.checkpoint, recovery.completed), "{what}");
    assert_eq!((*state_of, *state_replays), (recovery.snapshot, recovery.state_replays), "{what}");
    assert_eq!(pending.iter().map(|batch| batch.time).collect::<Vec<_>>(), recovery.pending, "{what}");
    assert_eq!(*waiting_records, recovery.unallocated_records, "{what}");
    assert_eq!((*journal_records, *torn_bytes), (recovery.journal_records, recovery.torn_bytes), "{what}");
}

#[test]
fn what_a_start_makes_of_a_cut_or_deleted_file_is_foretold() {
    let (workshop, image) = Workshop::at_work();
    let (mut recover, mut refuse) = (0, 0);
    for (path, damage) in cuts_and_deletions(&image) {
        match assert_foretold(&workshop, &image, &path, damage).start {
            Start::Recover { .. } => recover += 1,
            _ => refuse += 1,
        }
    }
    assert!(recover > 20 && refuse > 5, "{recover} and {refuse}");
}

/// A changed bit in what was published or synced is told, with the file and a place at or before the bit.
#[test]
fn one_changed_bit_is_foretold_and_told_where_it_is() {
    let (workshop, image) = Workshop::at_work();
    let mut told_of = BTreeMap::<String, (u32, u32)>::new();
    for (path, damage) in flips(&image, 151) {
        let told = assert_foretold(&workshop, &image, &path, damage);
        let Damage::Flip { byte, .. } = damage else { panic!("flips were asked for") };
        let absolute = workshop.root().join(&path);
        let is_told =
            told.damage.iter().any(|damage| damage.file == absolute && damage.offset <= byte as u64);
        let folder = path.iter().nth(1).unwrap().to_str().unwrap();
        let extension = path.extension().map_or(String::new(), |e| format!(" .{}", e.display()));
        let counts = told_of.entry(format!("{folder}{extension}")).or_default();
        counts.0 += u32::from(is_told);
        counts.1 += 1;
        let is_published = folder == "checkpoint" && extension.is_empty()
            || told
                .snapshots
                .iter()
                .any(|snapshot| path.ends_with(&snapshot.name) && !snapshot.named_by.is_empty());
        assert!(is_told || !is_published, "{}: byte {byte} is not told", path.display());
        let segment = told.segments.iter().find(|segment| {
            path.extension().is_some_and(|e| e == "wal") && path.ends_with(format!("{}.wal", segment.name))
        });
        let is_durable = segment.is_some_and(|segment| (byte as u64) < segment.durable);
        assert!(is_told || !is_durable, "{}: byte {byte} is not told", path.display());
    }
    let told = |part: &str| told_of[part].0;
    assert!(told("checkpoint") > 0 && told("state") > 0 && told("journal .wal") > 0, "{told_of:?}");
    assert!(told("journal .durable") > 0, "marks in the middle: {told_of:?}");
}

/// No start looks at what stands behind a mark in its slot.
#[test]
fn a_changed_bit_in_a_marks_padding_is_told_by_whoever_reads_every_byte() {
    let (workshop, image) = Workshop::at_work();
    let is_marks = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "durable");
    let marks: Vec<_> = image.folder("journal").into_iter().filter(is_marks).collect();
    let mut slots = 0;
    for path in marks {
        // Of the last one a crash may have left a part.
        for slot in 1..image.0[&path].len() / MARK_BYTES {
            let damage = Damage::Flip { byte: slot * MARK_BYTES - 1, bit: 0 };
            let told = assert_foretold(&workshop, &image, &path, damage).damage;
            let told: Vec<_> = told.iter().map(|damage| (damage.file.clone(), damage.offset)).collect();
            let at = ((slot - 1) * MARK_BYTES) as u64;
            assert_eq!(told, [(workshop.root().join(&path), at)], "{} slot {slot}", path.display());
            slots += 1;
            if slots > 5 {
                return;
            }
        }
    }
    assert!(slots > 0);
}

#[test]
fn a_whole_directory_is_told_whole() {
    let (workshop, _) = Workshop::at_work();
    let told = inspected(&workshop, Depth::Everything);
    assert!(told.is_sound(), "{told:?}");
    let Start::Recover { checkpoint, state, sinks, sources, .. } = &told.start else { panic!("{told:?}") };
    assert_eq!(told.checkpoints[0].id, *checkpoint);
    assert_eq!((told.checkpoints[0].age_batches, told.generations[0].generation.0), (Some(0), 2));
    assert!(told.checkpoints.len() >= 3 && told.checkpoints.iter().all(|found| found.restorable), "{told:?}");
    let ages: Vec<_> = told.checkpoints.iter().map(|found| found.age_ms).collect();
    assert!(ages.is_sorted() && ages[2] > Some(0), "{ages:?}");
    let [state] = &state[..] else { panic!("one operator keeps state: {state:?}") };
    assert!(state.description.contains("UpdateStateByKey") && state.bytes > 100, "{state:?}");
    assert_eq!(sinks.len(), 2);
    assert!(sources[0].blocks > 0 && sources[0].position.is_some_and(|lines| lines >= 120), "{sources:?}");
    let received: u64 = told.segments.iter().map(|segment| segment.received).sum();
    assert!(told.segments.len() >= 2 && received > 0, "{:?}", told.segments);
}

#[test]
fn a_live_driver_is_looked_at_without_being_disturbed() {
    let text: String = (0..600).map(|n| format!("line {n} of w{}\n", n % 7)).collect();
    let workshop = Workshop::new(&text);
    let mut life = workshop.start(PROGRAM, Some(400.0)).unwrap();
    life.wait(|progress| progress.acknowledged > 0);
    let mut recovers = 0;
    for depth in [Depth::Start, Depth::Everything].into_iter().cycle().take(60) {
        let told = inspected(&workshop, depth);
        let was_changing = told.notes.iter().any(|note| note.contains("the directory changed"));
        assert!(told.is_sound() || was_changing, "{told:?}");
        recovers += u32::from(told.is_sound() && matches!(told.start, Start::Recover { .. }));
    }
    assert!(recovers > 30, "{recovers} of 60");
    life.finish(workshop.lines).unwrap();
    workshop.assert_all_processed_once("after it was looked at");
}

#[test]
fn the_command_tells_a_sound_directory_a_damaged_one_and_none_apart() {
    let (workshop, image) = Workshop::at_work();
    let sound = run_in(workshop.root(), &["inspect", "checkpoint", "--verify"]);
    assert_eq!(sound.status, Some(0), "{}", sound.said);
    for wanted in [
        "a start would go on from checkpoint ",
        "CHECKPOINTS",
        "STATE",
        "JOURNAL",
        "none: every byte was read",
    ] {
        assert!(sound.out.contains(wanted), "{}", sound.out);
    }
    assert!(sound.out.lines().all(|line| line.trim_end() == line), "{}", sound.out);
    let json = run_in(workshop.root(), &["inspect", "checkpoint", "--format", "json"]).json();
    assert_eq!(json["start"]["would"], "recover");
    assert_eq!(json["damage"], serde_json::json!([]));

    let path = image.folder("checkpoint").pop().unwrap();
    Damage::Flip { byte: 60, bit: 3 }.done_to(&image, &path).write(workshop.root());
    let damaged = run_in(workshop.root(), &["inspect", "checkpoint", "--verify"]);
    assert_eq!(damaged.status, Some(1), "{}", damaged.out);
    assert!(
        damaged.out.contains(&format!("{} at byte 0: the record's payload", path.display())),
        "{}",
        damaged.out
    );
    assert_eq!(damaged.said, "error: 1 place is damaged\n");

    fs::create_dir_all(workshop.root().join("empty")).unwrap();
    fs::create_dir_all(workshop.root().join("other/journal")).unwrap();
    fs::write(workshop.root().join("other/journal/diary.txt"), "dear").unwrap();
    for (none, why) in [
        ("nowhere", "there is nothing"),
        ("word-count.txt", "it is a file"),
        ("empty", "no driver has written to it"),
        ("other", "no driver has written to it"),
    ] {
        let ended = run_in(workshop.root(), &["inspect", none]);
        assert_eq!(ended.status, Some(2), "{none}: {}{}", ended.out, ended.said);
        assert!(ended.said.contains(&format!("{none} is no checkpoint directory: {why}")), "{}", ended.said);
        assert_eq!(ended.out, "");
    }
}
