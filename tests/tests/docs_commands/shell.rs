//! A directory, a home and a shell for the commands of a page, and the servers that they start.

use highwater_tests::command::{self, PATIENCE};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, File},
    net::TcpListener,
    os::unix::{fs::symlink, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Where a page's commands are run.
pub struct Shell {
    directory: TempDir,
    /// Stands for 8880.
    port: u16,
    servers: Vec<Server>,
}

/// A command that goes on.
struct Server {
    command: String,
    child: Child,
    out: PathBuf,
    said: PathBuf,
}

impl Shell {
    /// An empty directory, but for what a checkout has that commands read.
    pub fn new(page: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        symlink(checkout.join("scenarios"), directory.path().join("scenarios")).expect("a link");
        fs::create_dir(directory.path().join("home")).expect("a directory");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("{page}: {error}"));
        let port = listener.local_addr().expect("it has one").port();
        Self { directory, port, servers: Vec::new() }
    }

    /// A command line, with the built commands first on its path.
    fn sh(&self, script: &str, directory: &Path) -> Command {
        let built = command::path().parent().expect("it lies in a directory");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command
            .args(["-e", "-c", &script.replace("8880", &self.port.to_string())])
            .env("PATH", format!("{}:{}:{path}", built.display(), built.join("examples").display()))
            .env("HOME", self.directory.path().join("home"))
            .current_dir(directory)
            .stdin(Stdio::null());
        command
    }

    /// Runs a script to its end.
    pub fn run(&self, place: &str, script: &str, status: i32) {
        let ended = self.sh(script, self.directory.path()).output().expect("there is a shell");
        let told = [&ended.stdout, &ended.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert_eq!(ended.status.code(), Some(status), "{place}:\n{script}\n{}\n{}", told[0], told[1]);
    }

    /// Starts a server, and waits until it says something: of a pipeline, until a batch is done.
    pub fn start(&mut self, place: &str, command: &str) {
        let server = self.started_in(place, command, self.directory.path());
        self.servers.push(server);
    }

    /// Starts a server in a directory of its own, and ends it.
    pub fn run_alone(&self, place: &str, command: &str) {
        command::examples();
        let own = tempfile::tempdir().expect("a directory");
        self.started_in(place, &of_example(command), own.path()).end();
    }

    fn started_in(&self, place: &str, command: &str, directory: &Path) -> Server {
        let number = self.servers.len();
        let file = |ending: &str| directory.join(format!("server-{number}.{ending}"));
        let (out, said) = (file("out"), file("err"));
        let create = |path: &Path| File::create(path).expect("a file");
        let child = self
            .sh(&format!("exec {command}"), directory)
            .stdout(create(&out))
            .stderr(create(&said))
            .spawn()
            .expect("there is a shell");
        let mut server = Server { command: format!("{place}: {command}"), child, out, said };
        let deadline = Instant::now() + PATIENCE;
        let is_feed = command.starts_with("highwater feed");
        while fs::metadata(if is_feed { &server.said } else { &server.out }).expect("a file").len() == 0 {
            let ended = server.child.try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < deadline, "{ended:?}: {}", server.told());
            thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// Ends the servers, the last first.
    pub fn end(&mut self) {
        while let Some(server) = self.servers.pop() {
            server.end();
        }
    }
}

/// An example is a program that was built beside the command.
fn of_example(command: &str) -> String {
    let named = command.strip_prefix("cargo run --release -p highwater-core --example ");
    named.map_or(command.to_owned(), |rest| rest.replacen(" -- ", " ", 1))
}

impl Server {
    fn told(&self) -> String {
        let text = |path| fs::read_to_string(path).unwrap_or_default();
        format!("{}\n{}\n{}", self.command, text(&self.out), text(&self.said))
    }

    fn end(mut self) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).expect("a process id");
        // As Ctrl-C does. A program that does not listen for that may have been started where it is ignored, as in the background of a shell.
        let signal = if self.command.contains("highwater ") { Signal::INT } else { Signal::TERM };
        kill_process(pid, signal).expect("it has not been waited for");
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end: {}", self.told());
            thread::sleep(Duration::from_millis(5));
        };
        let by_signal = signal == Signal::TERM && status.signal() == Some(signal.as_raw());
        assert!(status.success() || by_signal, "{status}: {}", self.told());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
