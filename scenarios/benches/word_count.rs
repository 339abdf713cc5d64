//! Words a second of the real `word-count` on one core and on two, beside a loop written by hand over the same files.
//!
//! 20 million words, 100,000 distinct ones, drawn by Zipf's law, ten a line, in files of 500,000. The engine's time is that of the one
//! batch that holds all the files, from its allocation to its completion: reading, lines, words, counting, sorting, writing and
//! all syncs. The loop runs on one core, reads the same files and counts into one hash map with a fast hasher, a word copied
//! once when it is new; it writes nothing. Both find the files in the page cache.
//!
//! Rounds of the three take turns, and each figure is the best of its rounds: a noisy neighbour slows all three.
//!
//! Run with `cargo bench --bench word_count`.

use highwater_core::{Interval, Options, StreamingContext, event::Event, os};
use highwater_scenarios::pipelines::Pipeline;
use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

const WORDS: usize = 20_000_000;
const DISTINCT: usize = 100_000;
const FILES: usize = 40;
const LINE_WORDS: usize = 10;
const ROUNDS: usize = 5;

fn main() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let texts = directory.path().join("texts");
    let bytes = write_texts(&texts);
    println!(
        "{} million words, {DISTINCT} distinct, {} MB in {FILES} files; best of {ROUNDS} rounds",
        WORDS / 1_000_000,
        bytes / 1_000_000
    );
    let mut best = [Duration::MAX; 3];
    for round in 0..ROUNDS {
        let directory = |threads: usize| directory.path().join(format!("{round}-{threads}"));
        let took = [by_hand(&texts), engine(&texts, &directory(1), 1), engine(&texts, &directory(2), 2)];
        best = std::array::from_fn(|index| best[index].min(took[index]));
    }
    let [by_hand, one, two] = best.map(|time| time.as_secs_f64());
    for (name, time) in [("loop by hand", by_hand), ("one core", one), ("two cores", two)] {
        println!("{name:15} {:8.1} ms  {:6.1} million words/s", time * 1e3, WORDS as f64 / time / 1e6);
    }
    println!("one core beside the loop:  {:.2}", by_hand / one);
    println!("two cores beside one:      {:.2}", one / two);
}

/// Writes the files, and returns how many bytes they have.
fn write_texts(texts: &Path) -> usize {
    fs::create_dir(texts).expect("a directory");
    // Zipf's law: the word of rank n comes 1 / n times as often as the first.
    let weights = (1..=DISTINCT).scan(0.0, |sum, rank| {
        *sum += 1.0 / rank as f64;
        Some(*sum)
    });
    let weights: Vec<f64> = weights.collect();
    let total = weights[DISTINCT - 1];
    let words: Vec<String> = (0..DISTINCT).map(word).collect();
    let (mut random, mut bytes) = (0x9e37_79b9_7f4a_7c15_u64, 0);
    for file in 0..FILES {
        let mut text = String::new();
        for place in 1..=WORDS / FILES {
            // Marsaglia's xorshift64.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let at = (random >> 11) as f64 / (1_u64 << 53) as f64 * total;
            text.push_str(&words[weights.partition_point(|weight| *weight <= at)]);
            text.push(if place % LINE_WORDS == 0 { '\n' } else { ' ' });
        }
        bytes += text.len();
        fs::write(texts.join(format!("{file:03}.txt")), text).expect("a file");
    }
    bytes
}

/// A word of a vocabulary: syllables, more of them the rarer it is.
fn word(rank: usize) -> String {
    let (mut word, mut rest) = (String::new(), rank + 1);
    while rest > 0 {
        word.push(char::from(b"bdfghjklmnprstvwxyz"[rest % 19]));
        word.push(char::from(b"aeiou"[rest / 19 % 5]));
        rest /= 95;
    }
    word
}

fn by_hand(texts: &Path) -> Duration {
    let started = Instant::now();
    let mut counts: HashMap<String, u64, foldhash::fast::RandomState> = HashMap::default();
    for file in fs::read_dir(texts).expect("the directory") {
        let text = fs::read_to_string(file.expect("an entry").path()).expect("a text");
        for line in text.lines() {
            for word in line.split_whitespace() {
                match counts.get_mut(word) {
                    Some(count) => *count += 1,
                    None => _ = counts.insert(word.to_owned(), 1),
                }
            }
        }
    }
    let took = started.elapsed();
    assert_eq!(counts.len(), DISTINCT);
    assert_eq!(counts.values().sum::<u64>(), WORDS as u64);
    took
}

fn engine(texts: &Path, directory: &Path, threads: usize) -> Duration {
    fs::create_dir(directory).expect("a directory");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    let times = Arc::new(Mutex::new((None, None)));
    let (done, finished) = std::sync::mpsc::channel();
    runtime.expect("a runtime").block_on(async {
        let options = Options::with_batch_interval(Interval::from_millis(50).expect("an interval"));
        let mut context = StreamingContext::new(&os::env_with_threads(threads), options).expect("a context");
        context.checkpoint(directory.join("checkpoint"));
        let shared = times.clone();
        context.add_listener(move |event: &Event| match event {
            Event::BatchAllocated { blocks: 1.., .. } => {
                shared.lock().expect("no panic").0 = Some(Instant::now());
            }
            Event::BatchCompleted { records: 1.., .. } => {
                shared.lock().expect("no panic").1 = Some(Instant::now());
                // The other side waits until it comes.
                let _ = done.send(());
            }
            _ => {}
        });
        let lines = context.text_file_stream(texts);
        let pipeline = Pipeline::find("word-count").expect("it is in the catalogue");
        pipeline.build(lines, &directory.join("counts.txt"));
        context.start().await.expect("it starts");
        tokio::task::spawn_blocking(move || finished.recv()).await.expect("no panic").expect("a batch");
        context.stop(true).await.expect("it stops");
    });
    let (allocated, completed) = *times.lock().expect("no panic");
    completed.expect("told") - allocated.expect("told")
}
