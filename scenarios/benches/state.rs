//! A million keys: what a batch of `update_state_by_key` and of `map_with_state` costs, beside a bare hash map that does the same;
//! and what their snapshots cost.
//!
//! Every batch has 100,000 records of as many keys. The operators count a key's records. `update_state_by_key` asks its function
//! about every key in every batch, so its bare map passes over all of its entries too; that of `map_with_state` touches what
//! came. The engine's time is that from a batch's allocation to its emission (reading and decoding its block, hashing,
//! bringing the records to their partitions, the function, a filter over the result that passes almost nothing on). The bare maps
//! get their records ready in memory, and have the fast hasher of hashbrown.
//!
//! Batches are an interval of 1 s apart, as long as a snapshot is written; a batch that one holds up is told beside one that none
//! does. Then the process is started again on the directory. Each engine runs in a process of its own, for its peak of memory.
//!
//! Run with `cargo bench --bench state`; `-- THREADS` for another number than 1.

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use highwater_core::{DStream, Interval, Options, State, StateSpec, StreamingContext, event::Event, os};
use std::{
    env, fs,
    path::Path,
    process::Command,
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

const KEYS: u64 = 1_000_000;
const RECORDS: u64 = 100_000;
/// Batches that bring in all keys.
const FILLING: u64 = KEYS / RECORDS;
/// Batches after them.
const BATCHES: u64 = 30;
const SNAPSHOT_EVERY: u64 = 10;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [life, operator, directory, threads] = &arguments[..] {
        return engine(life, operator, Path::new(directory), threads.parse().expect("a number of threads"));
    }
    let threads = arguments.first().map_or("1", String::as_str);
    println!(
        "{KEYS} keys, {RECORDS} records a batch, {threads} thread(s) for computing; medians of {BATCHES} batches"
    );
    for (operator, bare) in
        [("update_state_by_key", bare_update as fn() -> Vec<Duration>), ("map_with_state", bare_map)]
    {
        let reference = median(bare());
        println!("{operator}");
        println!("  bare hash map     {:8.1} ms a batch", ms(reference));
        let directory = tempfile::tempdir().expect("a temporary directory");
        for life in ["first", "second"] {
            let me = env::current_exe().expect("this program");
            let mut child = Command::new(me);
            child.args([life, operator]).arg(directory.path()).arg(threads);
            let output = child.env("REFERENCE_MS", ms(reference).to_string()).output().expect("it starts");
            print!("{}", String::from_utf8_lossy(&output.stdout));
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The records of a batch: keys that lie far apart in every table.
fn batch(number: u64) -> Vec<(u64, u64)> {
    let key = |record: u64| match number < FILLING {
        true => number * RECORDS + record,
        // Each key once: this number and that of the keys have no common divisor.
        false => (number * 7_919 + record * 611_953) % KEYS,
    };
    (0..RECORDS).map(|record| (key(record).wrapping_mul(0x9e37_79b9_7f4a_7c15), 1)).collect()
}

fn batches() -> Vec<Vec<(u64, u64)>> {
    (0..FILLING + BATCHES).map(batch).collect()
}

fn is_told(total: u64) -> bool {
    total > 1_000_000
}

fn bare_update() -> Vec<Duration> {
    let mut states: HashMap<u64, u64, RandomState> = HashMap::default();
    let step = |batch: Vec<(u64, u64)>| {
        let started = Instant::now();
        let mut values: HashMap<u64, Vec<u64>, RandomState> = HashMap::default();
        batch.into_iter().for_each(|(key, value)| values.entry(key).or_default().push(value));
        for (key, state) in &mut states {
            *state += values.remove(key).map_or(0, |values| values.into_iter().sum());
        }
        values.into_iter().for_each(|(key, values)| _ = states.insert(key, values.into_iter().sum()));
        let told = states.iter().filter(|(_, total)| is_told(**total)).count();
        assert_eq!(told, 0);
        started.elapsed()
    };
    batches().into_iter().map(step).skip(FILLING as usize).collect()
}

fn bare_map() -> Vec<Duration> {
    let mut states: HashMap<u64, u64, RandomState> = HashMap::default();
    let step = |batch: Vec<(u64, u64)>| {
        let started = Instant::now();
        let mut told = Vec::new();
        for (key, value) in batch {
            let total = states.entry(key).or_default();
            *total += value;
            if is_told(*total) {
                told.push((key, *total));
            }
        }
        assert_eq!(told.len(), 0);
        started.elapsed()
    };
    batches().into_iter().map(step).skip(FILLING as usize).collect()
}

fn updated(records: DStream<(u64, u64)>) -> DStream<(u64, u64)> {
    records
        .update_state_by_key(|values: Vec<u64>, total| {
            Some(total.unwrap_or(0) + values.into_iter().sum::<u64>())
        })
        .filter(|(_, total)| is_told(*total))
}

fn mapped(records: DStream<(u64, u64)>) -> DStream<(u64, u64)> {
    let total = |_, key: &u64, value: Option<u64>, total: &mut State<u64>| {
        let sum = total.get_option().unwrap_or(&0) + value?;
        total.update(sum);
        is_told(sum).then_some((*key, sum))
    };
    // Long enough that nothing times out, and every record is noted.
    let day = Interval::from_secs(24 * 3600);
    records.map_with_state(StateSpec::function(total).timeout(day)).mapped()
}

/// What was seen of a life.
#[derive(Default)]
struct Seen {
    allocated: Option<Instant>,
    recovered: Option<Instant>,
    /// Of each batch with records: from its allocation to its emission.
    took: Vec<Duration>,
    /// How many batches were emitted when a snapshot was written, and its size.
    snapshots: Vec<(usize, u64)>,
    records: u64,
    completed: Option<Instant>,
}

fn engine(life: &str, operator: &str, directory: &Path, threads: usize) {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let (done, finished) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let started = Instant::now();
    let mut opened = started;
    runtime.expect("a runtime").block_on(async {
        let mut options = Options::with_batch_interval(Interval::from_secs(1));
        options.checkpoint_interval = Interval::from_millis(1000 * SNAPSHOT_EVERY);
        let is_second = life == "second";
        let shared = seen.clone();
        let listen = move |event: &Event| {
            let mut seen = shared.lock().expect("no panic");
            match event {
                Event::BatchAllocated { .. } => seen.allocated = Some(Instant::now()),
                Event::BatchEmitted { .. } => {
                    let took = seen.allocated.take().map(|allocated| allocated.elapsed());
                    seen.took.extend(took);
                }
                Event::SnapshotWritten { bytes, .. } => {
                    let emitted = seen.took.len();
                    seen.snapshots.push((emitted, *bytes));
                }
                Event::Recovered(_) => seen.recovered = Some(Instant::now()),
                Event::BatchCompleted { records, .. } => {
                    seen.records += records;
                    if is_second || seen.records == KEYS + BATCHES * RECORDS {
                        seen.completed.get_or_insert_with(Instant::now);
                        // The other side waits until the first one comes.
                        let _ = done.send(());
                    }
                }
                _ => {}
            }
        };
        let create = |env: &_| {
            let context = StreamingContext::new(env, options)?;
            context.add_listener(listen);
            let records = context.queue_stream(batches());
            let output = match operator {
                "map_with_state" => mapped(records),
                _ => updated(records),
            };
            output.for_each_batch(|batch| assert_eq!(batch.records.len(), 0));
            Ok(context)
        };
        let env = os::env_with_threads(threads);
        let context = StreamingContext::get_or_create(env, directory.join("checkpoint"), create);
        let mut context = context.await.expect("a context");
        opened = Instant::now();
        context.start().await.expect("it starts");
        tokio::task::spawn_blocking(move || finished.recv()).await.expect("no panic").expect("a batch");
        // As a crash: the next life recovers.
        context.stop(false).await.expect("it stops");
    });
    let seen = seen.lock().expect("no panic");
    let reference: f64 = env::var("REFERENCE_MS").expect("told by the parent").parse().expect("a number");
    if life == "first" {
        let took = &seen.took[FILLING as usize..];
        let typical = ms(median(took.to_vec()));
        println!(
            "  engine            {typical:8.1} ms a batch; ratio to the bare map {:.2}",
            typical / reference
        );
        println!("  slowest batch     {:8.1} ms", ms(*took.iter().max().expect("batches")));
        let bytes: Vec<_> =
            seen.snapshots.iter().map(|(_, bytes)| format!("{:.1}", *bytes as f64 / 1e6)).collect();
        println!("  snapshots         {} MB", bytes.join(", "));
    } else {
        let recovered = seen.recovered.expect("told") - started;
        let first = seen.completed.expect("told") - started;
        println!(
            "  recovery          {:8.1} ms until it is known what to do ({:.1} ms of them before the start), {:.1} ms until a new batch",
            ms(recovered),
            ms(opened - started),
            ms(first)
        );
    }
    println!("  peak RSS          {:8.1} MB ({life} life)", peak_rss_mb());
}

fn peak_rss_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kib.map_or(f64::NAN, |kib| kib * 1024.0 / 1e6)
}
