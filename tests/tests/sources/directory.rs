//! The files of a directory: each is read once, and a batch that is run again reads what it read before, or says which file is not
//! as it was.

use super::{drive, records, two_deaths};
use highwater_core::{Error, Text, env::Env};
use highwater_sim::{
    simulation::{WorldOptions, run_simulation},
    world::{Node, World},
};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

async fn lines(env: Env) -> Result<(), Error> {
    env.disk.create_dir(Path::new("/input")).await.expect("nothing fails here");
    drive(env, |context| context.text_file_stream("/input"), Text::to_string).await
}

/// Makes a file appear whole.
async fn put(env: &Env, name: &str, text: &str) {
    let (aside, name) = (format!("/input/.{name}"), format!("/input/{name}"));
    let mut file = env.disk.create_new(Path::new(&aside)).await.expect("a new name");
    file.append(text.as_bytes()).await.expect("there is room");
    file.sync().await.expect("it syncs");
    env.disk.rename(Path::new(&aside), Path::new(&name)).await.expect("a new name");
    env.disk.sync_dir(Path::new("/input")).await.expect("it syncs");
}

#[test]
fn each_file_of_a_directory_is_read_once() {
    for seed in 0..20 {
        let found = run_simulation(WorldOptions::seeded(seed), |world| async move {
            let (driver, writer) = (world.add_node("driver"), world.add_node("writer"));
            let start = |driver: &Node| drop(driver.start(lines));
            start(&driver);
            drop(writer.start(|env| async move {
                for n in 0..12 {
                    env.clock.sleep(Duration::from_millis(650)).await;
                    put(&env, &n.to_string(), &format!("{n}a\n{n}b\n")).await;
                }
            }));
            two_deaths(&world, &driver, seed, start).await;
            world.sleep(Duration::from_secs(15)).await;
            records(&world)
        });
        let found = found.expect("nothing panics").join(",");
        let mut lines: Vec<_> = found.split(',').collect();
        lines.sort_unstable();
        let mut expected: Vec<_> = (0..12).flat_map(|n| [format!("{n}a"), format!("{n}b")]).collect();
        expected.sort_unstable();
        assert_eq!(lines, expected, "seed {seed}");
    }
}

/// Has a batch fail that reads the file `first`, does something to the directory, and starts again. How the second life ended, if it
/// did, and what is in the output.
fn between_two_runs_of_a_batch<F: Future<Output = ()> + Send + 'static>(
    change: impl FnOnce(Env) -> F + Send + 'static,
) -> (Option<Error>, Vec<String>) {
    run_simulation(WorldOptions::seeded(5), |world: Arc<World>| async move {
        let (driver, writer) = (world.add_node("driver"), world.add_node("writer"));
        let fails = Arc::new(AtomicBool::new(true));
        let failing = fails.clone();
        let start = |driver: &Node| {
            let failing = failing.clone();
            driver.start(|env| async move {
                env.disk.create_dir(Path::new("/input")).await.expect("nothing fails here");
                let format = move |line: &Text| {
                    assert!(!failing.load(Ordering::SeqCst), "a planned failure");
                    line.to_string()
                };
                drive(env, |context| context.text_file_stream("/input"), format).await
            })
        };
        let first = start(&driver);
        // The driver makes the directory.
        world.sleep(Duration::from_millis(100)).await;
        let written = writer.start(|env| async move { put(&env, "first", "1\n2\n").await });
        written.await.expect("nothing kills it");
        let error = first.await.expect("it ends by itself").expect_err("its batch fails");
        assert!(error.to_string().contains("a planned failure"), "{error}");
        assert!(records(&world).is_empty(), "nothing was emitted");
        let changed = writer.start(|env| async move { change(env).await });
        changed.await.expect("nothing kills it");
        fails.store(false, Ordering::SeqCst);
        let second = start(&driver);
        world.sleep(Duration::from_secs(5)).await;
        let ended = match second.is_finished() {
            true => second.await.expect("it ended by itself").err(),
            false => None,
        };
        (ended, records(&world))
    })
    .expect("nothing else panics")
}

#[test]
fn a_batch_that_is_run_again_reads_the_same_list_whatever_came_since() {
    let (ended, records) = between_two_runs_of_a_batch(|env| async move {
        // A name before and one behind: neither slips into the batch.
        put(&env, "a", "3\n").await;
        put(&env, "z", "4\n").await;
    });
    assert!(ended.is_none(), "{ended:?}");
    assert_eq!(records, ["1,2", "3,4"]);
}

#[track_caller]
fn assert_names_the_file(ended: Option<Error>, found: &str) {
    let error = ended.expect("it fails");
    assert!(error.is_unusable_input(), "{error}");
    let text = error.to_string();
    assert!(text.contains("/input/first") && text.contains(found), "{text}");
}

#[test]
fn a_file_that_vanished_before_its_batch_is_run_again_is_an_error_that_names_it() {
    let (ended, _) = between_two_runs_of_a_batch(|env| async move {
        env.disk.remove(Path::new("/input/first")).await.expect("it is there");
    });
    assert_names_the_file(ended, "it is gone");
}

#[test]
fn a_file_that_changed_before_its_batch_is_run_again_is_an_error_that_names_it() {
    for (text, found) in
        [("1\n", "2 bytes instead of 4"), ("1\n2\n3\n", "6 bytes instead of 4"), ("1\n3\n", "other content")]
    {
        let (ended, _) = between_two_runs_of_a_batch(move |env| async move {
            env.disk.remove(Path::new("/input/first")).await.expect("it is there");
            put(&env, "first", text).await;
        });
        assert_names_the_file(ended, found);
    }
}
