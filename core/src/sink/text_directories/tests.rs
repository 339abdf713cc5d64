//! Crashes and replaced drivers at every step, on a disk in memory that knows what is durable.

use super::*;
use crate::{
    ids::Generation,
    sink::steps::{Inode, Medium, Name, Steps, go},
};
use std::sync::Mutex;

/// More operations than a batch takes.
const ALL: usize = 99;

type Emission = BoxFuture<'static, std::result::Result<SinkPosition, SinkError>>;

/// A driver's emission of the batch of 2 s.
fn emission(disk: &Steps, generation: u64, records: &[&'static str]) -> Emission {
    let mut sink = TextDirectories { disk: Some(Arc::new(disk.clone())), ..sink() };
    let time = BatchTime(2000);
    let info = BatchInfo { time, generation: Generation(generation), repetition: generation > 1 };
    let prepared = sink.prepare(Batch { info, records: records.to_vec() });
    Box::pin(async move { Sink::<&str>::emit(&mut sink, info, prepared).await })
}

fn sink() -> TextDirectories {
    TextDirectories::new("out/words".into(), "txt".into())
}

/// What a reader sees in the batch's directory, all of it durable.
fn found(medium: &Mutex<Medium>) -> Vec<(String, String)> {
    let mut files = all(medium);
    files.retain(|(name, _)| !name.starts_with('.'));
    files
}

fn all(medium: &Mutex<Medium>) -> Vec<(String, String)> {
    let medium = medium.lock().unwrap();
    let file = |(path, (inode, name)): (&PathBuf, &(Inode, Name))| {
        assert_eq!(*name, Name::Durable, "{}", path.display());
        let name = path.strip_prefix("out/words-2000.txt").unwrap().display().to_string();
        (name, String::from_utf8(inode.0.lock().unwrap().clone()).unwrap())
    };
    medium.names.iter().map(file).collect()
}

fn files<const N: usize>(files: [(&str, &str); N]) -> Vec<(String, String)> {
    files.map(|(name, content)| (name.to_owned(), content.to_owned())).to_vec()
}

fn whole() -> Vec<(String, String)> {
    files([(SUCCESS, "records: 2\n"), (PART, "the\na\n")])
}

const WORDS: [&str; 2] = ["the", "a"];

#[test]
fn a_batch_is_a_part_and_then_success() {
    let medium = Arc::default();
    go(&mut emission(&Steps::new(&medium, ALL), 1, &WORDS)).unwrap().unwrap();
    assert_eq!(found(&medium), whole());
    let medium = Arc::default();
    go(&mut emission(&Steps::new(&medium, ALL), 1, &[])).unwrap().unwrap();
    assert_eq!(found(&medium), files([(SUCCESS, "records: 0\n")]));
}

#[test]
fn the_directory_is_named_as_sparks() {
    let name =
        |prefix: &str, suffix: &str| Sink::<u8>::name(&TextDirectories::new(prefix.into(), suffix.into()));
    assert_eq!(name("out/words", "txt"), "out/words-*.txt");
    assert_eq!([name("words", ""), name("", "txt"), name("", "")], ["words-*", "*.txt", "*"]);
    assert_eq!(sink().directory("2000"), Path::new("out/words-2000.txt"));
}

#[test]
fn success_is_there_only_when_the_part_is_whole_and_durable() {
    for steps in 0..ALL {
        let medium = Arc::default();
        let outcome = go(&mut emission(&Steps::new(&medium, steps), 1, &WORDS));
        let medium = medium.lock().unwrap();
        if medium.names.contains_key(Path::new("out/words-2000.txt/_SUCCESS")) {
            let (part, name) = &medium.names[Path::new("out/words-2000.txt/part-00000")];
            assert_eq!((&**part.0.lock().unwrap(), *name), (b"the\na\n" as &[u8], Name::Durable));
        }
        if outcome.is_some() {
            return;
        }
    }
    panic!("it never ends");
}

/// Drivers that end, one after the other, at each of their steps, the operation failing or the process dying there; then one that
/// does not. Of a chain of three every pair of steps is tried.
#[test]
fn wherever_drivers_end_the_next_one_makes_the_batch_whole() {
    let mut ends = 0;
    for (first, second) in (1..20).flat_map(|first| (0..20).map(move |second| (first, second))) {
        for fails in [(false, false), (false, true), (true, false), (true, true)] {
            let medium = Arc::default();
            for (generation, steps, last_fails) in [(1, first, fails.0), (2, second, fails.1)] {
                let disk = Steps { last_fails, ..Steps::new(&medium, steps) };
                let outcome = go(&mut emission(&disk, generation, &WORDS));
                ends += usize::from(outcome.is_none_or(|outcome| outcome.is_err()));
            }
            go(&mut emission(&Steps::new(&medium, ALL), 3, &WORDS)).unwrap().unwrap();
            assert_eq!(all(&medium), whole(), "ends at {first} and {second}, failing {fails:?}");
        }
    }
    assert!(ends > 500, "{ends}");
}

/// An older driver that stands still at each of its steps, while a newer one emits the batch, and then goes on to its end.
#[test]
fn a_replaced_driver_that_wakes_up_does_no_harm() {
    for crashed in 0..20 {
        for standing in 0..20 {
            let medium = Arc::default();
            let _ = go(&mut emission(&Steps::new(&medium, crashed), 1, &WORDS));
            let disk = Steps::new(&medium, standing);
            let mut older = emission(&disk, 2, &WORDS);
            let stands = go(&mut older).is_none();
            let newer = go(&mut emission(&Steps::new(&medium, ALL), 3, &WORDS)).unwrap();
            newer.unwrap();
            if stands {
                *disk.steps.lock().unwrap() = ALL;
                // It may find out that it was replaced.
                let _ = go(&mut older).unwrap();
            }
            // A name that it has given anew is synced by nobody if it is told so before.
            medium.lock().unwrap().settle(Name::Durable);
            assert_eq!(found(&medium), whole(), "crashed at {crashed}, standing at {standing}");
        }
    }
}

/// A newer driver is in the middle of the batch when the older one goes on.
#[test]
fn two_drivers_in_turns_make_the_batch_whole() {
    let mut stood = 0;
    let steps = (0..12).flat_map(|crashed| (0..16).map(move |older| (crashed, older)));
    for ((crashed, older_steps), newer_steps) in steps.flat_map(|two| (0..16).map(move |newer| (two, newer)))
    {
        let medium = Arc::default();
        let _ = go(&mut emission(&Steps::new(&medium, crashed), 1, &WORDS));
        let disks = [Steps::new(&medium, older_steps), Steps::new(&medium, newer_steps)];
        let (mut older, mut newer) = (emission(&disks[0], 2, &WORDS), emission(&disks[1], 3, &WORDS));
        let (older_stands, newer_stands) = (go(&mut older).is_none(), go(&mut newer).is_none());
        disks.iter().for_each(|disk| *disk.steps.lock().unwrap() = ALL);
        let _ = older_stands.then(|| go(&mut older));
        if newer_stands {
            stood += u64::from(older_stands);
            go(&mut newer).unwrap().unwrap();
        }
        assert_eq!(found(&medium), whole(), "at {crashed}, {older_steps} and {newer_steps}");
    }
    assert!(stood > 1_000, "{stood}");
}

/// An older driver goes on after the newer one has emitted the batch, and dies at each of its steps.
#[test]
fn a_replaced_driver_that_dies_after_all_does_no_harm() {
    for ((crashed, standing), more) in (0..12)
        .flat_map(|crashed| (0..16).map(move |one| (crashed, one)))
        .flat_map(|two| (0..16).map(move |more| (two, more)))
    {
        let medium = Arc::default();
        let _ = go(&mut emission(&Steps::new(&medium, crashed), 1, &WORDS));
        let disk = Steps::new(&medium, standing);
        let mut older = emission(&disk, 2, &WORDS);
        let stands = go(&mut older).is_none();
        go(&mut emission(&Steps::new(&medium, ALL), 3, &WORDS)).unwrap().unwrap();
        if stands {
            *disk.steps.lock().unwrap() = more;
            let _ = go(&mut older);
        }
        medium.lock().unwrap().settle(Name::Durable);
        assert_eq!(
            found(&medium),
            whole(),
            "crashed at {crashed}, standing at {standing}, dying {more} later"
        );
    }
}

#[test]
fn what_a_changed_program_leaves_out_does_not_remain() {
    for (records, left) in [
        (&["an"][..], files([(SUCCESS, "records: 1\n"), (PART, "an\n")])),
        (&[][..], files([(SUCCESS, "records: 0\n"), (PART, "")])),
        (&["the", "a", "whale"][..], files([(SUCCESS, "records: 3\n"), (PART, "the\na\nwhale\n")])),
    ] {
        let medium = Arc::default();
        go(&mut emission(&Steps::new(&medium, ALL), 1, &WORDS)).unwrap().unwrap();
        go(&mut emission(&Steps::new(&medium, ALL), 2, records)).unwrap().unwrap();
        assert_eq!(found(&medium), left);
    }
}

#[test]
fn a_file_of_somebody_else_is_an_error_or_left_as_it_is() {
    let medium: Arc<Mutex<Medium>> = Arc::default();
    let foreign = |name: &str| {
        let inode = Inode(Arc::new(Mutex::new(b"theirs".to_vec())));
        medium.lock().unwrap().give(&Path::new("out/words-2000.txt").join(name), &inode).unwrap();
    };
    foreign("notes");
    foreign(PART);
    let error = go(&mut emission(&Steps::new(&medium, ALL), 1, &WORDS)).unwrap().unwrap_err();
    let error = error.downcast::<Error>().unwrap();
    assert!(error.to_string().starts_with("cannot create out/words-2000.txt/part-00000: "), "{error}");
    assert!(error.is_unusable_input());
    medium.lock().unwrap().settle(Name::Durable);
    assert_eq!(found(&medium), files([("notes", "theirs"), (PART, "theirs")]));
}

#[cfg(feature = "os")]
#[test]
#[allow(clippy::disallowed_methods, reason = "the test looks at the machine's files")]
fn on_a_machine_a_batch_is_written_and_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let prefix = directory.path().join("deep/words").display().to_string();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let env = crate::os::env_with_threads(1);
        for repetition in [false, true] {
            let info = BatchInfo { time: BatchTime(5), generation: Generation(1), repetition };
            let mut sink = TextDirectories::new(prefix.clone(), String::new());
            Sink::<&str>::open(&mut sink, &env, None).await.unwrap();
            let prepared = sink.prepare(Batch { info, records: WORDS.to_vec() });
            Sink::<&str>::emit(&mut sink, info, prepared).await.unwrap();
            let read = |name| std::fs::read(directory.path().join("deep/words-5").join(name)).unwrap();
            assert_eq!((read(PART), read(SUCCESS)), (b"the\na\n".to_vec(), b"records: 2\n".to_vec()));
        }
    });
}
