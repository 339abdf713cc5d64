//! From the start of the process to its first completed batch after a SIGKILL, with a batch interval of 200 ms.
//!
//! The command runs `running-total` on the corpus, fed at 5000 lines a second, and is killed again and again after half a
//! second of work. What is measured is the time from starting the process to the first line that it shows, which it does once
//! the line is in the output file. A batch that was due while it was dead is made up for at once, so the time may be below an
//! interval.
//!
//! Run with `cargo bench --bench restart`.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

const RESTARTS: usize = 15;

/// Ends with the bench, however that ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/moby-dick.txt");
    let mut feed = Command::new(env!("CARGO_BIN_EXE_highwater"));
    feed.arg("feed").arg(corpus).args(["--listen", "127.0.0.1:0", "--resume", "--rate", "5000/s"]);
    let mut feed = Killed(feed.stderr(Stdio::piped()).spawn().expect("the feed starts"));
    let mut said = BufReader::new(feed.0.stderr.take().expect("it is piped"));
    let mut first = String::new();
    said.read_line(&mut first).expect("it says where it listens");
    let url =
        first.split([' ', ',']).find(|word| word.starts_with("resume://")).expect("its address").to_owned();
    // What else it says must be read, or it may have to wait.
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));

    let mut times: Vec<_> = (0..=RESTARTS).map(|_| life(&url, directory.path())).skip(1).collect();
    times.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "process start to first completed batch after a SIGKILL, batch interval 200 ms, {RESTARTS} restarts:"
    );
    println!(
        "median {:.0} ms, least {:.0} ms, most {:.0} ms",
        ms(times[RESTARTS / 2]),
        ms(times[0]),
        ms(times[RESTARTS - 1])
    );
}

/// Starts the pipeline, waits for its first batch, lets it work, kills it.
fn life(url: &str, directory: &Path) -> Duration {
    let mut command = Command::new(env!("CARGO_BIN_EXE_highwater"));
    command.args(["run", "running-total", "--batch-interval", "200ms", "--source", url, "--checkpoint"]);
    command.arg(directory.join("checkpoint")).arg("--output").arg(directory.join("totals.txt"));
    let started = Instant::now();
    let mut process =
        Killed(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the pipeline starts"));
    let mut shown: BufReader<ChildStdout> = BufReader::new(process.0.stdout.take().expect("it is piped"));
    let mut line = Vec::new();
    shown.read_until(b'\n', &mut line).expect("it shows its batches");
    let took = started.elapsed();
    assert!(line.ends_with(b"]\n"), "it ended without a batch");
    std::thread::sleep(Duration::from_millis(500));
    took
}
