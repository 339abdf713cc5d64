//! The file on the machine's disk when somebody else changes it, and its names when two drivers open it, on a disk in memory.

use super::*;
use crate::{
    ids::{BatchTime, Generation},
    sink::steps::{Inode, Medium, Name, Steps, go},
};
#[cfg(feature = "os")]
use std::fs;
use std::sync::Mutex;

#[test]
#[cfg(feature = "os")]
#[allow(clippy::disallowed_methods, reason = "the test changes the machine's files")]
fn a_file_that_somebody_else_changes_is_an_error_that_names_it_and_the_next_start_goes_on() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("output");
    let info = |time| BatchInfo { time: BatchTime(time), generation: Generation(1), repetition: false };
    let sink = || TextFile::new(path.clone(), |batch: &Batch<u64>| format!("{}\n", batch.records[0]));
    runtime.block_on(async {
        let env = crate::os::env_with_threads(1);
        let changes: [fn(&Path); 3] = [
            |path| fs::write(path, "1\nanother driver\n").unwrap(),
            |path| fs::write(path, "").unwrap(),
            |path| fs::write(path, "1").unwrap(),
        ];
        for change in changes {
            let _ = fs::remove_file(&path);
            let mut first = sink();
            first.open(&env, None).await.unwrap();
            let at = first.emit(info(1), b"1\n".to_vec()).await.unwrap();
            change(&path);
            let changed = fs::read(&path).unwrap();
            let error = first.emit(info(2), b"2\n".to_vec()).await.unwrap_err();
            assert!(error.to_string().starts_with(&format!("cannot write to {}: ", path.display())));
            assert!(!error.downcast_ref::<Error>().unwrap().is_unusable_input(), "{error}");
            assert_eq!(fs::read(&path).unwrap(), changed);

            let mut next = sink();
            next.open(&env, Some(at)).await.unwrap();
            next.emit(info(2), b"2\n".to_vec()).await.unwrap();
            let kept = &changed[..changed.len().min(2)];
            assert_eq!(fs::read(&path).unwrap(), [kept, b"2\n"].concat());
        }
    });
}

/// More operations than an opening takes.
const ALL: usize = 99;
const OUTPUT: &str = "out/counts";
const HIDDEN: &str = "out/counts.renaming";

type Opening = BoxFuture<'static, Result<(Box<dyn File>, u64), Error>>;

/// A driver's opening of the output.
fn opening(disk: &Steps) -> Opening {
    let disk = disk.clone();
    Box::pin(async move { open(&disk, Path::new(OUTPUT)).await })
}

/// A driver's whole opening; the length that it finds.
fn opened(medium: &Arc<Mutex<Medium>>) -> Result<u64, Error> {
    go(&mut opening(&Steps::new(medium, ALL))).expect("it has the steps").map(|(_, length)| length)
}

/// The files that there are, each with its content and whether its name is durable.
fn found(medium: &Mutex<Medium>) -> Vec<(String, Vec<u8>, bool)> {
    let medium = medium.lock().unwrap();
    let file = |(path, (inode, name)): (&PathBuf, &(Inode, Name))| {
        (path.display().to_string(), inode.0.lock().unwrap().clone(), *name == Name::Durable)
    };
    medium.names.iter().map(file).collect()
}

fn put(medium: &Mutex<Medium>, path: &str, content: &[u8]) {
    let inode = Inode(Arc::new(Mutex::new(content.to_vec())));
    medium.lock().unwrap().give(Path::new(path), &inode).unwrap();
}

#[test]
fn wherever_openings_end_the_next_one_finds_one_file_with_a_durable_name() {
    let mut ends = 0;
    for (first, second) in (1..12).flat_map(|first| (0..12).map(move |second| (first, second))) {
        for fails in [(false, false), (false, true), (true, false), (true, true)] {
            let medium = Arc::default();
            for (steps, last_fails) in [(first, fails.0), (second, fails.1)] {
                let disk = Steps { last_fails, ..Steps::new(&medium, steps) };
                ends += usize::from(go(&mut opening(&disk)).is_none_or(|outcome| outcome.is_err()));
            }
            assert_eq!(opened(&medium).unwrap(), 0);
            assert_eq!(found(&medium), [(OUTPUT.into(), Vec::new(), true)], "ends at {first} and {second}");
        }
    }
    assert!(ends > 200, "{ends}");
}

/// An older driver and a newer one that stand still at each of their steps, on an output that is not there or is empty; the newer
/// one may be killed where it stands. Then the older one goes on to its end or its death, and the newer one to its own.
#[test]
fn two_drivers_that_open_an_empty_output_in_turns_leave_one_that_the_next_start_opens() {
    let steps = (0..10).flat_map(|older| (0..10).map(move |newer| (older, newer)));
    let cases = steps.flat_map(|steps| (0..10).map(move |more| (steps, more)));
    let mut waited = 0;
    for ((older_steps, newer_steps), more) in cases {
        for (is_there, killed) in [(false, false), (false, true), (true, false), (true, true)] {
            let medium = Arc::default();
            if is_there {
                put(&medium, OUTPUT, b"");
            }
            let disks = [Steps::new(&medium, older_steps), Steps::new(&medium, newer_steps)];
            let (mut older, mut newer) = (opening(&disks[0]), opening(&disks[1]));
            let (older_stands, newer_stands) = (go(&mut older).is_none(), go(&mut newer).is_none());
            if older_stands {
                *disks[0].steps.lock().unwrap() = more;
                if let Some(Err(error)) = go(&mut older) {
                    assert!(!error.is_unusable_input(), "{error}");
                }
            }
            if newer_stands && !killed {
                *disks[1].steps.lock().unwrap() = ALL;
                go(&mut newer).expect("it has the steps").expect("it tries again");
                waited += 1;
            }
            // Of the older one's files none stays, whatever it did after this.
            let at = format!("at {older_steps} and {newer_steps}, then {more}, {is_there}, {killed}");
            assert_eq!(opened(&medium).expect(&at), 0, "{at}");
            assert_eq!(found(&medium), [(OUTPUT.into(), Vec::new(), true)], "{at}");
        }
    }
    assert!(waited > 500, "{waited}");
}

/// An older driver that stands still at each of its steps while a newer one opens the output and writes to it, and is killed at
/// each of those that follow.
#[test]
fn what_a_newer_driver_has_written_is_found_by_the_next_start_whatever_the_older_one_does() {
    for (standing, more) in (0..12).flat_map(|standing| (0..12).map(move |more| (standing, more))) {
        for is_there in [false, true] {
            let medium = Arc::default();
            if is_there {
                put(&medium, OUTPUT, b"");
            }
            let disk = Steps::new(&medium, standing);
            let mut older = opening(&disk);
            let stands = go(&mut older).is_none();
            let mut newer = go(&mut opening(&Steps::new(&medium, ALL)));
            let (file, _) = newer.as_mut().unwrap().as_mut().unwrap();
            let mut writing = file.write_at(0, 0, b"1\n");
            go(&mut writing).unwrap().unwrap();
            drop(writing);
            if stands {
                *disk.steps.lock().unwrap() = more;
                let _ = go(&mut older);
            }
            let at = format!("at {standing}, then {more}, {is_there}");
            assert_eq!(opened(&medium).expect(&at), 2, "{at}");
            let files = found(&medium);
            let (name, content, _) = &files[0];
            assert_eq!((&**name, &**content), (OUTPUT, &b"1\n"[..]), "{at}");
            // An empty one that the older driver did not come to remove is the most that is left.
            assert!(files[1..].iter().all(|(name, content, _)| name == HIDDEN && content.is_empty()), "{at}");
        }
    }
}

#[test]
fn of_two_files_the_one_with_content_is_the_output_and_where_that_is_not_clear_the_error_says_what_to_do() {
    let with = |hidden: &[u8], output: &[u8]| {
        let medium = Arc::default();
        put(&medium, HIDDEN, hidden);
        put(&medium, OUTPUT, output);
        (opened(&medium), found(&medium).len())
    };
    assert!(matches!(with(b"", b""), (Ok(0), 1)));
    assert!(matches!(with(b"", b"1\n"), (Ok(2), 1)));
    assert!(matches!(with(b"1\n", b"1\n2\n"), (Ok(4), 2)));
    let (unclear, files) = with(b"1\n", b"");
    let error = unclear.unwrap_err();
    assert!(error.is_unusable_input());
    assert_eq!(
        error.to_string(),
        "cannot open out/counts: it is empty, and out/counts.renaming has 2 bytes: if those are the output, remove the empty \
         file and give the other its name; if not, remove the other"
    );
    assert_eq!(files, 2);
}
