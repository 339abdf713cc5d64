//! The built `highwater` command as a process, with its output in files.
//!
//! A process is killed when its value is dropped, so a test that fails leaves none behind.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

/// How long a test waits for what must come. Far more than it takes, for a machine that has other things to do.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The path of the command, built first, in the profile of this test.
///
/// # Panics
/// If it cannot be built.
pub fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        // This test is TARGET/PROFILE/deps/NAME, the command is TARGET/PROFILE/highwater.
        let test = std::env::current_exe().expect("a test knows where it is");
        let profile = test.ancestors().nth(2).expect("a test lies in the target directory");
        let profile_name = match profile.file_name().and_then(OsStr::to_str) {
            Some("debug") | None => "dev",
            Some(name) => name,
        };
        let target = profile.parent().expect("a profile lies in the target directory");
        let built = Command::new(env!("CARGO"))
            // All members, so that dependencies have the features with which the tests were built: nothing is built twice.
            .args(["build", "--quiet", "--workspace", "--bin", "highwater", "--profile", profile_name])
            .arg("--target-dir")
            .arg(target)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .status();
        assert!(built.expect("cargo starts").success(), "the command does not build");
        profile.join("highwater")
    })
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// What it wrote to its standard output.
    pub out: String,
    /// What it said.
    pub said: String,
}

impl Ended {
    /// Its standard output as one JSON document.
    ///
    /// # Panics
    /// If it is none, or more than one.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("no JSON document: {error}\n{}\n{}", self.out, self.said))
    }
}

/// Runs the command with `directory` as its working directory, to its end.
///
/// # Panics
/// If it does not start, or writes what is no text.
pub fn run_in(directory: &Path, arguments: &[&str]) -> Ended {
    let output = Command::new(path())
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .expect("the command starts");
    let text = |bytes| String::from_utf8(bytes).expect("it writes text");
    Ended { status: output.status.code(), out: text(output.stdout), said: text(output.stderr) }
}

/// A running command.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Process {
    /// Starts the command with these arguments; its outputs go to `NAME.out` and `NAME.err` in `directory`.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(directory: &Path, name: &str, arguments: &[&OsStr]) -> Self {
        let stdout = File::create(directory.join(format!("{name}.out"))).expect("an output file");
        Self::start_with(directory, name, arguments, stdout.into())
    }

    /// As [`start`](Self::start), with its standard output in a pipe that nobody reads.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_unread(directory: &Path, name: &str, arguments: &[&OsStr]) -> Self {
        Self::start_with(directory, name, arguments, Stdio::piped())
    }

    fn start_with(directory: &Path, name: &str, arguments: &[&OsStr], out: Stdio) -> Self {
        let (stdout, stderr) = (directory.join(format!("{name}.out")), directory.join(format!("{name}.err")));
        let file = |path| File::create(path).expect("an output file");
        let child = Command::new(path())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(file(&stderr))
            .spawn()
            .expect("the command starts");
        Self { child, stdout, stderr }
    }

    /// What it has written to its standard output so far, unless that is not read.
    pub fn stdout(&self) -> Option<Vec<u8>> {
        fs::read(&self.stdout).ok()
    }

    /// What it has said so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.stderr).expect("the output file")).into_owned()
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// If it has been waited for.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).expect("a process id");
        kill_process(pid, signal).expect("it has not been waited for");
    }

    /// Waits until it has said something that `wanted` finds.
    ///
    /// # Panics
    /// If it ends before, or does not say it for [`PATIENCE`].
    pub fn wait_said<T>(&mut self, wanted: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ended = self.child.try_wait().expect("a child");
            if let Some(found) = wanted(&self.stderr()) {
                return found;
            }
            assert!(ended.is_none(), "it ended ({ended:?}) and said only:\n{}", self.stderr());
            assert!(Instant::now() < deadline, "it said only:\n{}", self.stderr());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not end for [`PATIENCE`].
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end; it said:\n{}", self.stderr());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
