//! SIGKILL at random moments: everything acknowledged is in the output once, and what is emitted again is the same.

use crate::{borrowed, corpus, feeding::Feeding, run_arguments};
use highwater_tests::{
    command::{Process, path},
    output::{self, OutputLine, assert_same, assert_times, count_words, parse},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use rustix::process::Signal;
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::Path,
    thread,
    time::{Duration, SystemTime},
};

const KILLS: usize = 6;
const INTERVAL_MS: i64 = 200;

fn kill_seed() -> u64 {
    let seed = std::env::var("HIGHWATER_KILL_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let drawn = || SystemTime::UNIX_EPOCH.elapsed().expect("a clock after 1970").as_nanos() as u64;
    let seed = seed.unwrap_or_else(drawn);
    eprintln!("HIGHWATER_KILL_SEED={seed}");
    seed
}

/// What was seen of a batch, wherever: it must be the same everywhere.
#[derive(Default)]
struct Seen(BTreeMap<i64, String>);

impl Seen {
    fn add(&mut self, lines: Vec<OutputLine>) {
        for line in lines {
            let first = self.0.entry(line.time_ms).or_insert_with(|| line.text.clone());
            assert!(
                *first == line.text,
                "a batch was emitted again with other bytes:\n{first}\n{}",
                line.text
            );
        }
    }
}

type Start = fn(&Path, &str, &[&OsStr]) -> Process;

/// Runs a pipeline over a text through many lives and returns its output.
fn run_through_kills(pipeline: &str, text: &str, lines_per_second: f64, start: Start) -> Vec<OutputLine> {
    path();
    let mut random = ChaCha8Rng::seed_from_u64(kill_seed());
    let directory = tempfile::tempdir().unwrap();
    let feeding = Feeding::start(text, true, lines_per_second);
    let more = ["--batch-interval", "200ms", "--checkpoint-interval", "600ms"];
    let arguments = run_arguments(pipeline, &feeding.url, directory.path(), &more);
    let output = directory.path().join("output.txt");
    let mut seen = Seen::default();
    for life in 1..=KILLS {
        let mut process = start(directory.path(), &format!("life-{life}"), &borrowed(&arguments));
        // The first has nothing to recover yet; a later one may be killed while it recovers.
        if life == 1 {
            feeding.wait(|progress| progress.acknowledged > 0);
        }
        let after = Duration::from_millis(random.next_u64() % 900);
        thread::sleep(after);
        process.signal(Signal::KILL);
        process.wait();
        eprintln!("life {life}: killed after {after:?}, {:?}\n{}", feeding.progress(), process.stderr());
        seen.add(parse(&fs::read(&output).unwrap()));
        if let Some(shown) = process.stdout() {
            seen.add(parse(&shown));
        }
    }
    let mut last = start(directory.path(), "last", &borrowed(&arguments));
    let lines = text.lines().count() as u64;
    feeding.wait(|progress| progress.acknowledged == lines);
    last.signal(Signal::INT);
    assert!(last.wait().success(), "{}", last.stderr());
    eprintln!("last life:\n{}", last.stderr());
    assert!(last.stderr().contains("recovered from checkpoint"), "{}", last.stderr());
    let written = parse(&fs::read(&output).unwrap());
    seen.add(written.clone());
    if let Some(shown) = last.stdout() {
        seen.add(parse(&shown));
    }
    assert_times(&written, INTERVAL_MS);
    let missing = seen.0.keys().find(|time| !written.iter().any(|line| line.time_ms == **time));
    assert_eq!(missing, None, "a batch that was emitted is not in the output");
    written
}

#[test]
fn word_count_loses_and_doubles_no_line_over_six_kills() {
    let text = corpus(8_000);
    let written = run_through_kills("word-count", &text, 1_500.0, Process::start);
    assert_same(&output::sum(&written), &count_words(&text), "the sum over all batches");
}

#[test]
fn running_total_equals_a_straight_count_after_six_kills_with_an_unread_terminal() {
    let text = corpus(6_000);
    let written = run_through_kills("running-total", &text, 1_200.0, Process::start_unread);
    assert_same(&written.last().unwrap().counts, &count_words(&text), "the last total");
    for pair in written.windows(2) {
        let fewer = pair[0].counts.iter().find(|(word, count)| pair[1].counts.get(*word) < Some(*count));
        assert_eq!(fewer, None, "a total went back at {}", pair[1].time_ms);
    }
}
