//! A million keys: what a batch of `update_state_by_key` and of `map_with_state` costs, beside a bare hash map that does the same;
//! and what their snapshots cost.
//!
//! Every batch has 100,000 records of as many keys. The operators count a key's records. `update_state_by_key` asks its function
//! about every key in every batch, so its bare map passes over all of its entries too; that of `map_with_state` touches what
//! came. The engine's time is that from a batch's allocation to its emission (reading and decoding its block, hashing,
//! bringing the records to their partitions, the function, a filter over the result that passes almost nothing on). The bare maps
//! get their records ready in memory, and have the fast hasher of hashbrown.
//!
//! Batches come every 100 ms, so that the next ones are run while a snapshot is written: those are told beside the others. At an
//! interval of 1 s it is written long before the next batch. Then the process is started again on the directory. Each engine runs
//! in a process of its own, for its peak of memory; the batches to come, about 50 MB, are in it too.
//!
//! The same batches come to a tenth of the keys, too: what a batch costs more with all of them is told for the engine and for the bare
//! map. With `map_with_state` neither touches what did not come, so what is left of it is memory that is farther away; with
//! `update_state_by_key` both pass over every key.
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
/// As many as a batch has records.
const FEW_KEYS: u64 = RECORDS;
const RECORDS: u64 = 100_000;
/// Batches after those that bring in all keys.
const BATCHES: u64 = 30;
const INTERVAL_MS: u64 = 100;
const SNAPSHOT_EVERY: u64 = 10;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if let [life, operator, directory, threads, keys] = &arguments[..] {
        let (threads, keys) =
            (threads.parse().expect("a number of threads"), keys.parse().expect("a number of keys"));
        return engine(life, operator, Path::new(directory), threads, keys);
    }
    let threads = arguments.first().map_or("1", String::as_str);
    println!("{RECORDS} records a batch, {threads} thread(s) for computing; medians of {BATCHES} batches");
    for (operator, bare) in
        [("update_state_by_key", bare_update as fn(u64) -> Vec<Duration>), ("map_with_state", bare_map)]
    {
        println!("{operator}");
        let few = measured(operator, bare, threads, FEW_KEYS, &["first"]);
        let all = measured(operator, bare, threads, KEYS, &["first", "second"]);
        println!(
            "  {KEYS} keys cost {:.2} of what {FEW_KEYS} do with the same updates; the bare map's {:.2}",
            all.engine_ms / few.engine_ms,
            all.bare_ms / few.bare_ms
        );
    }
}

/// What a batch takes.
struct Measured {
    engine_ms: f64,
    bare_ms: f64,
}

/// Measures the lives of an engine on a directory of its own, beside the bare map.
fn measured(
    operator: &str,
    bare: fn(u64) -> Vec<Duration>,
    threads: &str,
    keys: u64,
    lives: &[&str],
) -> Measured {
    let bare_ms = ms(median(bare(keys)));
    println!("  {keys} keys");
    println!("  bare hash map     {bare_ms:8.1} ms a batch");
    let directory = tempfile::tempdir().expect("a temporary directory");
    for life in lives {
        let mut child = Command::new(env::current_exe().expect("this program"));
        child.args([life, operator]).arg(directory.path()).args([threads, &keys.to_string()]);
        let output = child.env("REFERENCE_MS", bare_ms.to_string()).output().expect("it starts");
        print!("{}", String::from_utf8_lossy(&output.stdout));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let told = fs::read_to_string(directory.path().join(TYPICAL)).expect("the first life has told");
    Measured { engine_ms: told.parse().expect("a number"), bare_ms }
}

/// The file in which the first life tells the median of its batches, in milliseconds.
const TYPICAL: &str = "typical-ms";

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Batches that bring in all keys.
fn filling(keys: u64) -> u64 {
    keys / RECORDS
}

/// The records of a batch: keys that lie far apart in every table.
fn batch(number: u64, keys: u64) -> Vec<(u64, u64)> {
    let key = |record: u64| match number < filling(keys) {
        true => number * RECORDS + record,
        // Each key once: this number and that of the keys have no common divisor.
        false => (number * 7_919 + record * 611_953) % keys,
    };
    (0..RECORDS).map(|record| (key(record).wrapping_mul(0x9e37_79b9_7f4a_7c15), 1)).collect()
}

fn batches(keys: u64) -> Vec<Vec<(u64, u64)>> {
    (0..filling(keys) + BATCHES).map(|number| batch(number, keys)).collect()
}

fn is_told(total: u64) -> bool {
    total > 1_000_000
}

fn bare_update(keys: u64) -> Vec<Duration> {
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
    batches(keys).into_iter().map(step).skip(filling(keys) as usize).collect()
}

fn bare_map(keys: u64) -> Vec<Duration> {
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
    batches(keys).into_iter().map(step).skip(filling(keys) as usize).collect()
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
    /// Of each batch: from its allocation to its emission, and whether a snapshot was being written then.
    took: Vec<(Duration, bool)>,
    is_writing: bool,
    /// Their sizes.
    snapshots: Vec<u64>,
    records: u64,
    completed: Option<Instant>,
}

fn engine(life: &str, operator: &str, directory: &Path, threads: usize, keys: u64) {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let (done, finished) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let started = Instant::now();
    let mut opened = started;
    runtime.expect("a runtime").block_on(async {
        let interval = Interval::from_millis(INTERVAL_MS).expect("an interval");
        let mut options = Options::with_batch_interval(interval);
        options.checkpoint_interval = Interval::from_millis(INTERVAL_MS * SNAPSHOT_EVERY);
        let is_second = life == "second";
        let shared = seen.clone();
        let listen = move |event: &Event| {
            let mut seen = shared.lock().expect("no panic");
            match event {
                Event::BatchAllocated { .. } => seen.allocated = Some(Instant::now()),
                Event::BatchEmitted { .. } => {
                    let is_writing = seen.is_writing;
                    let took = seen.allocated.take().map(|allocated| (allocated.elapsed(), is_writing));
                    seen.took.extend(took);
                }
                Event::CheckpointPublished { completed, .. } => {
                    seen.is_writing |= completed.0.is_multiple_of(INTERVAL_MS * SNAPSHOT_EVERY);
                }
                Event::SnapshotWritten { bytes, .. } => {
                    seen.is_writing = false;
                    seen.snapshots.push(*bytes);
                }
                Event::Recovered(_) => seen.recovered = Some(Instant::now()),
                Event::BatchCompleted { records, .. } => {
                    seen.records += records;
                    if is_second || seen.records == keys + BATCHES * RECORDS {
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
            let records = context.queue_stream(batches(keys));
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
        let took = &seen.took[filling(keys) as usize..];
        let of = |writing: bool| -> Vec<_> {
            took.iter().filter(|(_, beside)| *beside == writing).map(|(took, _)| *took).collect()
        };
        let typical = ms(median(of(false)));
        fs::write(directory.join(TYPICAL), typical.to_string()).expect("it is written");
        println!(
            "  engine            {typical:8.1} ms a batch; {:.2} of the bare map's",
            typical / reference
        );
        let beside = of(true);
        if let Some(slowest) = beside.iter().max() {
            println!(
                "  beside a snapshot {:8.1} ms a batch, at most {:.1} ({} batches)",
                ms(median(beside.clone())),
                ms(*slowest),
                beside.len()
            );
        }
        let bytes: Vec<_> =
            seen.snapshots.iter().map(|bytes| format!("{:.1}", *bytes as f64 / 1e6)).collect();
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
