//! Operators in a program that really runs, stops, and is started again.

use super::{Remembered, SliceError};
use crate::{BatchTime, Error, GraphError, Interval, Options, Result, StreamingContext, event::Event};
use std::path::Path;
use tokio::sync::mpsc::{self, UnboundedReceiver};

const BATCHES: [[u64; 2]; 4] = [[1, 2], [3, 3], [5, 1], [7, 8]];

fn run(program: impl AsyncFnOnce(&Path)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    runtime.block_on(program(directory.path()));
}

fn options() -> Options {
    let mut options = Options::with_batch_interval(Interval::from_millis(20).unwrap());
    options.checkpoint_interval = Interval::from_millis(60);
    options
}

/// A program that remembers what two queues have, and writes it down; with the times and sizes of its completed batches.
async fn start(
    directory: &Path,
) -> Result<(StreamingContext, Remembered<u64>, UnboundedReceiver<(BatchTime, u64)>)> {
    let mut made = None;
    let prefix = directory.join("out/numbers").display().to_string();
    let env = crate::os::env_with_threads(2);
    let mut context = StreamingContext::get_or_create(env, directory.join("checkpoint"), |env| {
        let context = StreamingContext::new(env, options())?;
        let queue = context.queue_stream(BATCHES.map(Vec::from).to_vec());
        let tens = queue.clone().map(|n| n * 10).cache();
        let all = context.transform([queue, tens], |rdds, _| {
            rdds.into_iter().reduce(|one, other| one.union(other)).expect("two streams").repartition(2)
        });
        let remembered = all.remember(Interval::from_secs(3600));
        remembered.stream().save_as_text_files(prefix, "txt");
        made = Some(remembered);
        Ok(context)
    })
    .await?;
    let (completed, completions) = mpsc::unbounded_channel();
    context.add_listener(move |event: &Event| {
        if let Event::BatchCompleted { time, records } = event {
            // The test may have seen enough.
            let _ = completed.send((*time, *records));
        }
    });
    context.start().await?;
    Ok((context, made.expect("the program was built"), completions))
}

fn expected() -> Vec<Vec<u64>> {
    BATCHES.map(|[a, b]| vec![a, b, 10 * a, 10 * b]).to_vec()
}

fn records(remembered: &Remembered<u64>, until: BatchTime) -> std::result::Result<Vec<Vec<u64>>, SliceError> {
    let batches = remembered.slice(BatchTime(0), until)?.into_iter();
    Ok(batches.map(|(_, records)| records).filter(|records| !records.is_empty()).collect())
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the test looks at the machine's files")]
fn what_is_remembered_can_be_sliced_while_the_program_runs_and_after_a_recovery() {
    run(async |directory| {
        let (mut context, remembered, mut completions) = start(directory).await.unwrap();
        let (mut last, mut received) = (BatchTime(0), 0);
        while received < BATCHES.as_flattened().len() as u64 {
            let (time, records) = completions.recv().await.unwrap();
            let written = directory.join(format!("out/numbers-{}.txt", time.0));
            assert!(written.join("_SUCCESS").exists(), "{time}");
            (last, received) = (time, received + records);
        }
        assert_eq!(records(&remembered, last).unwrap(), expected());
        context.stop(false).await.unwrap();

        let (mut context, remembered, mut completions) = start(directory).await.unwrap();
        let time = completions.recv().await.unwrap().0;
        assert_eq!(records(&remembered, time.max(last)).unwrap(), expected());
        context.stop(true).await.unwrap();
    });
}

#[test]
fn streams_that_do_not_fit_together_are_told_when_the_program_is_built() {
    run(async |directory| {
        let env = crate::os::env_with_threads(1);
        let other = StreamingContext::new(&env, options()).unwrap();
        let foreign = other.queue_stream(vec![vec![1u64]]);
        let built = StreamingContext::get_or_create(env, directory.join("checkpoint"), |env| {
            let context = StreamingContext::new(env, options())?;
            context.union([context.queue_stream(vec![vec![2u64]]), foreign]).print();
            Ok(context)
        });
        let error = built.await.unwrap_err();
        assert!(matches!(error, Error::Graph(GraphError::DifferentContexts { .. })), "{error}");
        assert!(!directory.join("checkpoint").exists(), "nothing was claimed");
    });
}
