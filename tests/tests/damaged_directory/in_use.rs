//! Two drivers on one directory: the second is refused, and where that fails the first is.

use super::workshop::{PROGRAM, Workshop};
use highwater_core::{Error, Interval, Options, StreamingContext, env::Env, os};
use std::{path::Path, time::Duration};

fn text() -> String {
    (0..200).map(|n| format!("line {n} of {}\n", n % 9)).collect()
}

#[test]
fn a_directory_in_use_is_refused_and_the_live_driver_goes_on() {
    let workshop = Workshop::new(&text());
    let mut live = workshop.start(PROGRAM, Some(1_000.0)).unwrap();
    live.wait(|progress| progress.acknowledged > 0);
    let error = workshop.start(PROGRAM, None).err().expect("it is refused");
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    assert!(error.is_unusable_input());
    assert!(error.to_string().contains(workshop.checkpoint().to_str().unwrap()), "{error}");
    live.finish(workshop.lines).unwrap();
    workshop.assert_all_processed_once("after a second driver was refused");
}

#[test]
fn a_driver_whose_lock_was_taken_away_stops_when_another_has_started() {
    let workshop = Workshop::new(&text());
    let mut older = workshop.start(PROGRAM, Some(500.0)).unwrap();
    older.wait(|progress| progress.acknowledged > 0);
    std::fs::remove_file(workshop.checkpoint().join("lock")).unwrap();
    let newer = workshop.start(PROGRAM, None).unwrap();
    let error = older.finish(u64::MAX).expect_err("it is replaced");
    assert!(error.to_string().contains("generation 1 was replaced by generation 2"), "{error}");
    // Its supervisor may start it again: then the newer one is live, and it is told so.
    assert!(!error.is_unusable_input());
    let error = workshop.start(PROGRAM, None).err().expect("it is refused");
    assert!(matches!(error, Error::InUse { .. }), "{error}");
    drop(newer);
}

/// A context that waits for a source that is not there.
async fn open(env: &Env, directory: &Path) -> Result<StreamingContext, Error> {
    let open = StreamingContext::get_or_create(env.clone(), directory, |env| {
        let interval = Interval::from_millis(5).expect("an interval");
        let context = StreamingContext::new(env, Options::with_batch_interval(interval))?;
        context.socket_text_stream("tcp://127.0.0.1:1")?.for_each_batch(|_| {});
        Ok(context)
    });
    let mut context = open.await?;
    context.start().await?;
    Ok(context)
}

#[test]
fn a_context_that_was_cut_off_has_let_go_of_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let env = os::env_with_threads(1);
        for life in 0..200 {
            let opened = open(&env, directory.path()).await;
            let mut context = opened.unwrap_or_else(|error| panic!("life {life}: {error}"));
            // Cut off in the middle of whatever it does then.
            env.clock.sleep(Duration::from_micros(life % 20 * 500)).await;
            context.stop(false).await.unwrap();
        }
    });
}
