//! Words a second of the real `word-count` on one core, beside a loop written by hand over the same files.
//!
//! The engine's time is that of the one batch that holds all the files, from its allocation to its completion: reading, lines,
//! words, counting, sorting, writing and all syncs. The loop reads the same files and counts into one hash map with a fast
//! hasher; it writes nothing. Both find the files in the page cache.
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

/// Copies of the corpus, a file each: about 50 MB.
const COPIES: usize = 42;
const ROUNDS: usize = 5;

fn main() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let texts = directory.path().join("texts");
    fs::create_dir(&texts).expect("a directory");
    let corpus = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/moby-dick.txt"));
    let corpus = corpus.expect("the corpus is in the repository");
    for copy in 0..COPIES {
        fs::write(texts.join(format!("{copy:03}.txt")), &corpus).expect("a file");
    }
    let words = corpus.split_whitespace().count() * COPIES;
    println!(
        "{words} words, {} MB in {COPIES} files; best of {ROUNDS} rounds",
        corpus.len() * COPIES / 1_000_000
    );

    let by_hand = (0..ROUNDS).map(|_| by_hand(&texts, words)).min().expect("rounds");
    let engine = (0..ROUNDS).map(|round| engine(&texts, &directory.path().join(format!("{round}"))));
    let engine = engine.min().expect("rounds");
    let rate = |time: Duration| words as f64 / time.as_secs_f64() / 1e6;
    println!("loop by hand:   {:8.1} ms  {:6.1} million words/s", by_hand.as_secs_f64() * 1e3, rate(by_hand));
    println!("word-count:     {:8.1} ms  {:6.1} million words/s", engine.as_secs_f64() * 1e3, rate(engine));
    println!("ratio:          {:8.2}", rate(engine) / rate(by_hand));
}

fn by_hand(texts: &Path, words: usize) -> Duration {
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
    assert_eq!(counts.values().sum::<u64>(), words as u64);
    took
}

fn engine(texts: &Path, directory: &Path) -> Duration {
    fs::create_dir(directory).expect("a directory");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let times = Arc::new(Mutex::new((None, None)));
    let (done, finished) = std::sync::mpsc::channel();
    runtime.expect("a runtime").block_on(async {
        let options = Options::with_batch_interval(Interval::from_millis(50).expect("an interval"));
        let mut context = StreamingContext::new(&os::env_with_threads(1), options).expect("a context");
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
