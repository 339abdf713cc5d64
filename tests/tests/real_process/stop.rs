//! Ctrl-C: what was received is processed, then the process ends with 0. And what ends it before it has begun.

use crate::{borrowed, corpus, feeding::Feeding, run_arguments};
use highwater_core::journal::{Record, SegmentName, decode_segment};
use highwater_tests::{
    command::{PATIENCE, Process},
    output::{self, assert_same, assert_times, count_words, parse},
};
use rustix::process::Signal;
use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// How many records the journal in `directory` holds.
fn journalled(directory: &Path) -> u64 {
    let Ok(files) = fs::read_dir(directory.join("checkpoint/journal")) else { return 0 };
    let mut records = 0;
    for file in files {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(name) = name.strip_suffix(".wal").and_then(SegmentName::parse) else { continue };
        // It is being written: it may have no header yet, or a torn end.
        let Ok(segment) = decode_segment(name, &fs::read(&path).unwrap()) else { continue };
        for (_, _, record) in segment.records {
            if let Record::Block(block) = record {
                records += block.records;
            }
        }
    }
    records
}

#[test]
fn ctrl_c_processes_what_a_plain_source_sent() {
    let text = corpus(2_000);
    let directory = tempfile::tempdir().unwrap();
    let feeding = Feeding::start(&text, false, 1e6);
    let arguments =
        run_arguments("word-count", &feeding.url, directory.path(), &["--batch-interval", "500ms"]);
    let mut process = Process::start(directory.path(), "run", &borrowed(&arguments));
    let deadline = Instant::now() + PATIENCE;
    while journalled(directory.path()) < 2_000 {
        assert!(
            Instant::now() < deadline,
            "{} records came\n{}",
            journalled(directory.path()),
            process.stderr()
        );
        thread::sleep(Duration::from_millis(5));
    }
    process.signal(Signal::INT);
    assert_eq!(process.wait().code(), Some(0), "{}", process.stderr());
    let written = parse(&fs::read(directory.path().join("output.txt")).unwrap());
    assert_same(&output::sum(&written), &count_words(&text), "the sum over all batches");
    assert_times(&written, 500);
    assert_eq!(process.stdout(), Some(fs::read(directory.path().join("output.txt")).unwrap()));
}

#[test]
fn a_source_that_is_not_there_is_said_once_and_sigterm_ends_the_waiting() {
    // A port that was just free: nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let url = format!("tcp://{free}");
    let arguments = run_arguments("word-count", &url, directory.path(), &["--batch-interval", "50ms"]);
    let mut process = Process::start(directory.path(), "run", &borrowed(&arguments));
    process.wait_said(|said| said.contains("not connected").then_some(()));
    // Long enough for several more attempts, the first of which comes after 100 ms at most.
    let lines = || parse(&fs::read(directory.path().join("output.txt")).unwrap_or_default()).len();
    let deadline = Instant::now() + PATIENCE;
    while lines() < 20 {
        assert!(Instant::now() < deadline, "batches do not go on: {}", process.stderr());
        thread::sleep(Duration::from_millis(5));
    }
    process.signal(Signal::TERM);
    assert_eq!(process.wait().code(), Some(0), "{}", process.stderr());
    assert_eq!(process.stderr().matches("not connected").count(), 1, "{}", process.stderr());
}

#[test]
fn what_cannot_be_used_ends_with_status_2_and_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("file"), "").unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let text = |name: &str| at(name).display().to_string();
    let (file, missing, below, ok) = (text("file"), text("missing"), text("file/below"), text("ok"));
    let run = |checkpoint: &str, output: &str| {
        ["run", "word-count", "--source", "tcp://127.0.0.1:1", "--checkpoint", checkpoint, "--output", output]
            .map(str::to_owned)
            .to_vec()
    };
    let feed = |file: &str, listen: &str| ["feed", file, "--listen", listen].map(str::to_owned).to_vec();
    for (name, arguments, named) in [
        ("checkpoint-is-a-file", run(&file, &ok), &file),
        ("checkpoint-below-a-file", run(&below, &ok), &below),
        ("output-in-no-directory", run(&ok, &format!("{missing}/o")), &missing),
        ("output-is-a-directory", run(&text("ok-2"), &text(".")), &text(".")),
        ("port-in-use", feed(&file, &taken), &taken),
        ("no-such-file", feed(&missing, "127.0.0.1:0"), &missing),
        ("feed-of-a-directory", feed(&text("."), "127.0.0.1:0"), &text(".")),
    ] {
        let arguments: Vec<_> = arguments.into_iter().map(Into::into).collect();
        let mut process = Process::start(directory.path(), name, &borrowed(&arguments));
        let status = process.wait();
        let said = process.stderr();
        assert_eq!(status.code(), Some(2), "{name}: {said}");
        let error = said.lines().last().unwrap();
        assert!(error.starts_with("error: ") && error.contains(named), "{name}: {said}");
    }
}
