//! `highwater run --supervise`: the pipeline in a child process that is started again whenever it dies.
//!
//! - It is started again after a signal and after an error that may go away, after a pause that doubles from 1 s to 30 s and
//!   is 1 s again once a child has lived for a minute. It is not after it ended well, after input that has to be mended, and
//!   after somebody asked for the end.
//! - The child is in a process group of its own: Ctrl-C reaches the supervisor alone, which passes it on, so that one Ctrl-C
//!   is one for the child.
//! - With `--format json` each child's document is read, and the supervisor's own has them all; a killed one left none.
//! - A child whose supervisor is gone stops in order. That needs Linux; elsewhere it goes on.

use super::{FAILED, Failure, INTERRUPTED, UNUSABLE, print_json, signals::Signals, simulated::Format, tell};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use serde_json::Value;
use std::{
    ffi::OsString,
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{io::AsyncReadExt, process::Command, time::Instant};

const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// A child that lived so long was well.
const HEALTHY: Duration = Duration::from_secs(60);

/// The supervisor's document.
#[derive(Default, Serialize)]
struct Told {
    /// How often the pipeline was started.
    starts: u64,
    /// What the last lives said at their ends, at most [`LIVES_KEPT`] of them.
    lives: Vec<Life>,
}

/// A life of the pipeline.
#[derive(Serialize)]
struct Life {
    /// How its process ended, in words.
    status: String,
    /// Its document; `None` if it was killed.
    told: Option<Value>,
}

/// A pipeline that dies for days must not fill the supervisor's memory.
const LIVES_KEPT: usize = 100;

/// Runs this process's own command without `--supervise` until it ends for good.
pub(super) fn supervise(format: Format) -> Result<(), Failure> {
    // On this thread: the child learns of the end of the thread that started it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime
        .map_err(|error| Failure::failed(format!("cannot start the runtime: {error}")))?
        .block_on(keep_alive(format))
}

async fn keep_alive(format: Format) -> Result<(), Failure> {
    let mut told = Told::default();
    let ended = keep_going(format, &mut told).await;
    if format == Format::Json {
        print_json(&told)?;
    }
    ended
}

async fn keep_going(format: Format, told: &mut Told) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let mut pause = PAUSE_MIN;
    loop {
        let started = Instant::now();
        let (status, stopping, document) = run_child(format, &mut signals).await?;
        told.starts += 1;
        if told.lives.len() == LIVES_KEPT {
            told.lives.remove(0);
        }
        told.lives.push(Life { status: status.to_string(), told: document });
        if stopping || !may_go_away(status) {
            return end(status);
        }
        if started.elapsed() >= HEALTHY {
            pause = PAUSE_MIN;
        }
        tell(format_args!(
            "supervisor: the pipeline died ({status}); starting it again in {} s",
            pause.as_secs()
        ));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = signals.next() => return Err(Failure::failed("stopped before the pipeline was started again")),
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

/// Whether the same start may do better.
fn may_go_away(status: ExitStatus) -> bool {
    status.code().is_none_or(|code| code != 0 && code != i32::from(UNUSABLE))
}

/// Runs the child to its end; says whether it was asked to end, and with what document it did.
async fn run_child(
    format: Format,
    signals: &mut Signals,
) -> Result<(ExitStatus, bool, Option<Value>), Failure> {
    let failed = |error| Failure::failed(format!("cannot start the pipeline: {error}"));
    let program = std::env::current_exe().map_err(failed)?;
    let arguments = child_arguments(std::env::args_os().skip(1), std::process::id());
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).process_group(0);
    if format == Format::Json {
        command.stdout(Stdio::piped());
    }
    let mut child = command.spawn().map_err(failed)?;
    // Read while it lives, or it could not write more than a pipe holds.
    let written = child.stdout.take().map(|mut stdout| {
        tokio::spawn(async move {
            let mut written = Vec::new();
            stdout.read_to_end(&mut written).await.map(|_| written)
        })
    });
    let pid = child.id().and_then(|id| Pid::from_raw(id as i32));
    if let Some(pid) = pid {
        tell(format_args!("supervisor: the pipeline runs as process {}", pid.as_raw_nonzero()));
    }
    let mut stopping = false;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(failed)?,
            signal = signals.next() => {
                stopping = true;
                if let Some(pid) = pid {
                    // It has not been waited for, so the id is still its own; it may have ended all the same.
                    let _ = kill_process(pid, signal);
                }
            }
        }
    };
    let document = match written {
        Some(written) => written.await.ok().and_then(|read| serde_json::from_slice(&read.ok()?).ok()),
        None => None,
    };
    Ok((status, stopping, document))
}

fn child_arguments(own: impl Iterator<Item = OsString>, supervisor: u32) -> Vec<OsString> {
    let mut arguments: Vec<_> = own.filter(|argument| argument != "--supervise").collect();
    arguments.push(format!("--supervised-by={supervisor}").into());
    arguments
}

/// Ends as the child did, which has said why.
fn end(status: ExitStatus) -> Result<(), Failure> {
    let told = |status| Err(Failure { status, message: String::new() });
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => told(u8::try_from(code).unwrap_or(FAILED)),
        (None, Some(signal)) if signal == Signal::INT.as_raw() => told(INTERRUPTED),
        _ => Err(Failure::failed(format!("the pipeline died while it was stopping ({status})"))),
    }
}

/// Makes this process stop in order when its supervisor is gone.
///
/// # Errors
/// If it is gone already.
pub(super) fn tie_to(supervisor: i32) -> Result<(), Failure> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::TERM))
        .map_err(|error| Failure::failed(format!("cannot follow the supervisor: {error}")))?;
    // It may have died before the line above.
    match rustix::process::getppid() {
        Some(parent) if parent.as_raw_nonzero().get() == supervisor => Ok(()),
        _ => Err(Failure::failed("the supervisor is gone")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_told_who_supervises_it() {
        let own = ["run", "word-count", "--supervise", "--output", "o"].map(OsString::from);
        let expected = ["run", "word-count", "--output", "o", "--supervised-by=7"].map(OsString::from);
        assert_eq!(child_arguments(own.into_iter(), 7), expected);
    }

    #[test]
    fn only_what_may_go_away_is_tried_again() {
        // Raw wait statuses: an exit code in the second byte, or a signal in the first.
        for (raw, again) in
            [(0, false), (1 << 8, true), (2 << 8, false), (101 << 8, true), (9, true), (11, true)]
        {
            assert_eq!(may_go_away(ExitStatus::from_raw(raw)), again, "{raw}");
        }
    }
}
