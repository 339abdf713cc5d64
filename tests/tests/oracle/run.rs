//! A case in a simulated world: virtual time, one queue an input, one output. A case takes milliseconds.

use super::{
    case::{Batch, Case, interval},
    pipeline,
};
use highwater_core::{BatchTime, DStream, Data, Error, Options, StreamingContext, env::Env, event::Event};
use highwater_sim::simulation::{WorldOptions, run_simulation};
use serde::Serialize;
use serde_json::Value;
use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

/// The batches that a pipeline emitted, in order, over all its lives.
#[derive(Clone, Default)]
pub struct Collected(Arc<Inner>);

#[derive(Default)]
struct Inner {
    zero_time: OnceLock<BatchTime>,
    batches: Mutex<Vec<Batch>>,
}

impl Collected {
    /// Takes a stream's batches.
    pub fn take<T: Data + Serialize>(&self, stream: DStream<T>) {
        let collected = self.clone();
        stream.for_each_batch(move |batch| {
            let time_ms = collected.since_start(batch.time());
            let records =
                batch.records.iter().map(|record| serde_json::to_value(record).expect("it is JSON"));
            let batch = Batch::new(time_ms, records.collect::<Vec<Value>>());
            collected.0.batches.lock().unwrap().push(batch);
        });
    }

    /// How long after the first start a batch is, in milliseconds.
    pub fn since_start(&self, time: BatchTime) -> u64 {
        time.0 - self.zero_time().0
    }

    /// The zero time of the first start.
    pub fn zero_time(&self) -> BatchTime {
        *self.0.zero_time.get().expect("the first start tells it")
    }

    /// What was emitted so far, which it takes, up to a time in milliseconds.
    fn until(&self, time_ms: u64) -> Vec<Batch> {
        let mut batches = std::mem::take(&mut *self.0.batches.lock().unwrap());
        batches.retain(|batch| batch.time_ms <= time_ms);
        batches
    }

    fn listen(&self, context: &StreamingContext) {
        let collected = self.clone();
        context.add_listener(move |event: &Event| {
            if let Event::StartedFresh { zero_time, .. } = event {
                collected.0.zero_time.set(*zero_time).expect("there is one first start");
            }
        });
    }
}

/// One life of a driver, until half an interval after the batch at `until_ms`; then it is cut off, as in a crash.
async fn live(
    env: Env,
    case: Arc<Case>,
    collected: Collected,
    until_ms: u64,
    build: impl FnOnce(&StreamingContext, &Case, &Collected) -> Option<pipeline::Slice>,
) -> Result<Option<Vec<Batch>>, Error> {
    let mut slice = None;
    let mut context = StreamingContext::get_or_create(env.clone(), "/checkpoint", |env| {
        let mut options = Options::with_batch_interval(case.interval());
        let every = case.params.number_or_none("checkpoint_interval_batches");
        options.checkpoint_interval = every.map(|batches| interval(batches * case.batch_ms));
        let context = StreamingContext::new(env, options)?;
        collected.listen(&context);
        slice = build(&context, &case, &collected);
        Ok(context)
    })
    .await?;
    context.start().await?;
    let until_ms = collected.zero_time().0 + until_ms + case.batch_ms / 2;
    env.clock.sleep(Duration::from_millis(until_ms.saturating_sub(env.clock.wall().0))).await;
    context.stop(false).await?;
    Ok(slice.map(|slice| pipeline::slice(&case, &slice, collected.zero_time())))
}

/// The wall clock of a simulated world is so far into an interval of any of the cases at its start.
const INTO_INTERVAL_MS: i64 = 300;

/// What the engine makes of a case.
pub fn outcome(case: &Arc<Case>) -> Vec<Batch> {
    let last_ms = case.batches() * case.batch_ms;
    // A slice is asked for after a batch; the others are of all batches.
    let until_ms = case.params.number_or_none("after_batch_ms").unwrap_or(last_ms);
    let case = case.clone();
    run_simulation(WorldOptions::seeded(1), |world| async move {
        world.step_wall_clock_ms(-INTO_INTERVAL_MS);
        let collected = Collected::default();
        let of_life = collected.clone();
        let life =
            world.add_node("driver").start(move |env| live(env, case, of_life, until_ms, pipeline::build));
        let slice = life.await.expect("nothing kills the driver").unwrap_or_else(|error| panic!("{error}"));
        slice.unwrap_or_else(|| collected.until(last_ms))
    })
    .unwrap_or_else(|panicked| panic!("{panicked}"))
}

/// What it emits before and after the restart of a case that has one.
pub fn outcome_with_restart(case: &Arc<Case>) -> (Vec<Batch>, Vec<Batch>) {
    let stopped_ms = case.params.number("stopped_after_batch") * case.batch_ms;
    let restart_ms = case.params.number("restart_clock_ms");
    let last_ms = case.batches() * case.batch_ms;
    // Spark begins again with that batch; here it is the first one that was not completed, whatever the checkpoint is of.
    assert!(case.params.number("checkpoint_time_ms") <= stopped_ms, "a checkpoint of a batch that never was");
    let case = case.clone();
    run_simulation(WorldOptions::seeded(1), |world| async move {
        world.step_wall_clock_ms(-INTO_INTERVAL_MS);
        let driver = world.add_node("driver");
        let collected = Collected::default();
        let mut outputs = Vec::new();
        for until_ms in [stopped_ms, last_ms.max(restart_ms)] {
            let (case, of_life) = (case.clone(), collected.clone());
            let build = |context: &StreamingContext, case: &Case, collected: &Collected| {
                pipeline::build_restarted(context, case, collected);
                case.params.assert_all_known();
                None
            };
            let life = driver.start(move |env| live(env, case, of_life, until_ms, build));
            life.await.expect("nothing kills the driver").unwrap_or_else(|error| panic!("{error}"));
            outputs.push(collected.until(last_ms));
            let restart_at = collected.zero_time().0 + restart_ms;
            world.step_wall_clock_ms(restart_at as i64 - world.wall().0 as i64);
        }
        let after = outputs.pop().expect("two lives");
        (outputs.pop().expect("two lives"), after)
    })
    .unwrap_or_else(|panicked| panic!("{panicked}"))
}
