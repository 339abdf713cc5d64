//! `highwater feed`: a file's lines over the network, for a pipeline to read.

use super::{Failure, print_json, runtime, signals::Signals, simulated::Format, voice::Voice};
use clap::Args;
use highwater_core::os;
use highwater_scenarios::feed::{self, Lines, Progress, Rate};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::watch;

const AFTER_HELP: &str = "\
Examples:
  highwater feed words.txt --listen 127.0.0.1:8880
  highwater feed words.txt --listen 127.0.0.1:0 --resume --rate 1000/s --once

Without --resume lines are sent as by `nc -lk`: what is under way when the connection breaks is lost, and the next client gets \
the lines after it. It goes on listening until Ctrl-C.

With --format json the standard output has one document, at the end: how many lines were sent and acknowledged, and how often and from \
where a client resumed.

Exit status: 0 every line was sent, or Ctrl-C; 2 the file cannot be read, or the address not be listened at.";

/// Sends a file's lines to whoever connects
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Feed {
    /// The file
    file: PathBuf,
    /// Where to listen, as HOST:PORT; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    listen: String,
    /// How many lines a second at most, such as 1000/s [default: as fast as they are read]
    #[arg(long)]
    rate: Option<Rate>,
    /// Lets a client say how many lines it has made durable, and sends the next ones
    #[arg(long)]
    resume: bool,
    /// Ends once every line is sent, or with --resume acknowledged
    #[arg(long)]
    once: bool,
    /// What is told at the end
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// The document at the end.
#[derive(Serialize)]
struct Told<'a> {
    file: &'a Path,
    address: String,
    lines: u64,
    sent: u64,
    /// Nobody acknowledges without `--resume`.
    acknowledged: Option<u64>,
    connections: u64,
    #[serde(flatten)]
    sessions: Sessions,
    /// Whether there was nothing left to send.
    done: bool,
}

/// What clients did.
#[derive(Clone, Debug, Default, Serialize)]
struct Sessions {
    /// How often one continued where it or another had been.
    resumed: u64,
    /// After how many lines the last one did.
    resumed_after: Option<u64>,
    /// Connections that failed, or whose client was closed for what it said.
    broken: u64,
}

impl Sessions {
    fn note(&mut self, notice: &feed::Notice) {
        match notice {
            feed::Notice::Resumed(lines) => {
                self.resumed += 1;
                self.resumed_after = Some(*lines);
            }
            feed::Notice::Closed(_) => self.broken += 1,
            _ => {}
        }
    }
}

/// How often progress is told, if there is any.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(5);

impl Feed {
    pub(super) fn main(self) -> Result<(), Failure> {
        let runtime = runtime()?;
        let log = Voice::new(std::io::stderr());
        let ended = runtime.block_on(self.serve(&log));
        log.finish(Duration::from_secs(1));
        ended
    }

    async fn serve(&self, log: &Voice) -> Result<(), Failure> {
        let mut signals = Signals::listen()?;
        let env = os::env_with_threads(1);
        let lines = Lines::read(&env, &self.file)
            .await
            .map_err(|error| Failure::unusable(format!("cannot read {}: {error}", self.file.display())))?;
        let listener = env
            .network
            .listen(&self.listen)
            .await
            .map_err(|error| Failure::unusable(format!("cannot listen at {}: {error}", self.listen)))?;
        let (scheme, count) = (if self.resume { "resume" } else { "tcp" }, lines.count());
        let address = format!("{scheme}://{}", listener.local_address());
        log.say(format!("listening at {address}, {count} lines of {}", self.file.display()));
        let feed = feed::Feed { lines: Arc::new(lines), rate: self.rate, resume: self.resume };
        let (sender, progress) = watch::channel(Progress::default());
        let sessions = Mutex::new(Sessions::default());
        let report = |notice: feed::Notice| {
            sessions.lock().expect("nobody panics over them").note(&notice);
            log.say(notice);
        };
        tokio::select! {
            never = feed.serve(&env, listener, &sender, &report) => match never {},
            () = self.follow(&feed, progress, log) => {}
            _ = signals.next() => {}
        }
        if self.format == Format::Text {
            return Ok(());
        }
        let last = *sender.borrow();
        let sessions = sessions.lock().expect("nobody panics over them").clone();
        print_json(&Told {
            file: &self.file,
            address,
            lines: count,
            sent: last.sent,
            acknowledged: self.resume.then_some(last.acknowledged),
            connections: last.connections,
            sessions,
            done: feed.is_done(&last),
        })
    }

    /// Tells of progress. With `--once` it ends when there is nothing left to do.
    async fn follow(&self, feed: &feed::Feed, mut progress: watch::Receiver<Progress>, log: &Voice) {
        let mut told = Progress::default();
        loop {
            let done = progress.wait_for(|progress| feed.is_done(progress));
            let finished = tokio::time::timeout(PROGRESS_INTERVAL, done).await.is_ok();
            let now = *progress.borrow();
            if (now.sent, now.acknowledged) != (told.sent, told.acknowledged) || finished {
                let acknowledged = match feed.resume {
                    true => format!(", {} acknowledged", now.acknowledged),
                    false => String::new(),
                };
                log.say(format!("{} of {} lines sent{acknowledged}", now.sent, feed.lines.count()));
                told = now;
            }
            if finished {
                if self.once {
                    return;
                }
                return std::future::pending().await;
            }
        }
    }
}
