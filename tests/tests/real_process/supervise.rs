//! `--supervise`: a killed pipeline comes back by itself; one that is asked to end, or cannot start, does not.

use crate::{borrowed, corpus, feeding::Feeding, run_arguments};
use highwater_tests::{
    command::{PATIENCE, Process},
    output::{self, assert_same, assert_times, count_words, parse},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs, thread,
    time::{Duration, Instant},
};

/// The process of the `n`-th child, as the supervisor says it.
fn child(supervisor: &mut Process, n: usize) -> Pid {
    let pid = supervisor.wait_said(|said| {
        let line = said.lines().filter(|line| line.contains("the pipeline runs as process ")).nth(n)?;
        line.rsplit(' ').next()?.parse().ok()
    });
    Pid::from_raw(pid).unwrap()
}

#[test]
fn a_killed_child_comes_back_and_loses_nothing() {
    let text = corpus(3_000);
    let lines = text.lines().count() as u64;
    let directory = tempfile::tempdir().unwrap();
    let feeding = Feeding::start(&text, true, 2_000.0);
    let more = ["--batch-interval", "200ms", "--supervise"];
    let arguments = run_arguments("word-count", &feeding.url, directory.path(), &more);
    let mut supervisor = Process::start(directory.path(), "supervisor", &borrowed(&arguments));
    let first = child(&mut supervisor, 0);
    feeding.wait(|progress| progress.acknowledged > 500);
    kill_process(first, Signal::KILL).unwrap();
    assert_ne!(child(&mut supervisor, 1), first);
    feeding.wait(|progress| progress.acknowledged == lines);
    supervisor.signal(Signal::INT);
    assert_eq!(supervisor.wait().code(), Some(0), "{}", supervisor.stderr());
    assert!(supervisor.stderr().contains("starting it again in 1 s"), "{}", supervisor.stderr());
    let written = parse(&fs::read(directory.path().join("output.txt")).unwrap());
    assert_same(&output::sum(&written), &count_words(&text), "the sum over all batches");
    assert_times(&written, 200);
}

#[test]
fn what_cannot_be_used_is_not_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("checkpoint"), "a file").unwrap();
    let arguments = run_arguments("word-count", "tcp://127.0.0.1:1", directory.path(), &["--supervise"]);
    let mut supervisor = Process::start(directory.path(), "supervisor", &borrowed(&arguments));
    assert_eq!(supervisor.wait().code(), Some(2), "{}", supervisor.stderr());
    assert!(!supervisor.stderr().contains("again"), "{}", supervisor.stderr());
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_does_not_outlive_its_supervisor() {
    let directory = tempfile::tempdir().unwrap();
    let more = ["--batch-interval", "50ms", "--supervise"];
    let arguments = run_arguments("word-count", "tcp://127.0.0.1:1", directory.path(), &more);
    let mut supervisor = Process::start(directory.path(), "supervisor", &borrowed(&arguments));
    let child = child(&mut supervisor, 0);
    supervisor.wait_said(|said| said.contains("not connected").then_some(()));
    supervisor.signal(Signal::KILL);
    supervisor.wait();
    let deadline = Instant::now() + PATIENCE;
    // Nobody may be there to wait for it: a process that has ended and was not waited for is in state Z.
    let runs = || {
        let status = fs::read_to_string(format!("/proc/{}/stat", child.as_raw_nonzero())).unwrap_or_default();
        status.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    };
    while runs() {
        assert!(Instant::now() < deadline, "the child runs on: {}", supervisor.stderr());
        thread::sleep(Duration::from_millis(5));
    }
}
