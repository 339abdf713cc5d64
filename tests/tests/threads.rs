//! One worker or many, the output is the same bytes: what order keyed results have is a function of the input alone.

use highwater_core::{Error, Interval, Options, StreamingContext, env::Random, os};
use std::{path::Path, sync::Arc};

const BATCHES: usize = 6;

struct Always;

impl Random for Always {
    fn next_u64(&self) -> u64 {
        7
    }
}

/// The lines that a pipeline with a shuffle and a state appends to its output, without their times, on so many threads.
fn output(threads: usize, directory: &Path) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let path = directory.join(format!("out-{threads}"));
    runtime
        .block_on(async {
            let mut env = os::env_with_threads(threads);
            // Each directory draws the seed of its key hash, on which the order of keys stands.
            env.random = Arc::new(Always);
            let checkpoint = directory.join(format!("checkpoint-{threads}"));
            let mut context = StreamingContext::get_or_create(env, checkpoint, |env| {
                let interval = Interval::from_millis(50).expect("it is positive");
                let context = StreamingContext::new(env, Options::with_batch_interval(interval))?;
                let batch =
                    |n: usize| (0..4000).map(|i| format!("w{}", (i * 7919 + n * 31) % 1500)).collect();
                let words = context.queue_stream::<String>((0..BATCHES).map(batch).collect());
                let pairs = words.map(|word| (word, 1u64));
                let counts = pairs.clone().reduce_by_key(|a, b| a + b);
                counts.write_text(path.with_extension("counts"), |batch| format!("{:?}\n", batch.records));
                pairs
                    .update_state_by_key(|values, state: Option<u64>| {
                        let sum = state.unwrap_or(0) + values.iter().sum::<u64>();
                        // Some keys go, so that the order over removals is looked at too.
                        (!sum.is_multiple_of(11)).then_some(sum)
                    })
                    .write_text(path.with_extension("totals"), |batch| format!("{:?}\n", batch.records));
                Ok(context)
            })
            .await?;
            context.start().await?;
            let totals = path.with_extension("totals");
            let lines = || std::fs::read_to_string(&totals).map_or(0, |text| text.lines().count());
            while lines() < 2 * BATCHES {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            context.stop(true).await?;
            Ok::<_, Error>(())
        })
        .expect("nothing fails");
    [lines(&path.with_extension("counts")), lines(&path.with_extension("totals"))].concat()
}

/// The lines of batches that had records. The queue may be late for a tick: that batch is empty, and leaves the totals as they
/// were.
fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut lines: Vec<_> = text.lines().filter(|line| *line != "[]").map(str::to_owned).collect();
    lines.dedup();
    lines
}

#[test]
fn the_output_does_not_depend_on_the_number_of_threads() {
    let directory = tempfile::tempdir().unwrap();
    let alone = output(1, directory.path());
    assert_eq!(alone.len(), 2 * BATCHES);
    for threads in [2, 5] {
        assert!(output(threads, directory.path()) == alone, "{threads} threads");
    }
}
