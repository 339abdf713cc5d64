//! `highwater run --supervise`: the pipeline in a child process that is started again whenever it dies.
//!
//! - It is started again after a signal and after an error that may go away, after a pause that doubles from 1 s to 30 s and
//!   is 1 s again once a child has lived for a minute. It is not after it ended well, after input that has to be mended, and
//!   after somebody asked for the end.
//! - The child is in a process group of its own: Ctrl-C reaches the supervisor alone, which passes it on, so that one Ctrl-C
//!   is one for the child.
//! - A child whose supervisor is gone stops in order. That needs Linux; elsewhere it goes on.

use super::{FAILED, Failure, INTERRUPTED, UNUSABLE, signals::Signals};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    ffi::OsString,
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{process::Command, time::Instant};

const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// A child that lived so long was well.
const HEALTHY: Duration = Duration::from_secs(60);

/// Runs this process's own command without `--supervise` until it ends for good.
pub(super) fn supervise() -> Result<(), Failure> {
    // On this thread: the child learns of the end of the thread that started it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime
        .map_err(|error| Failure::failed(format!("cannot start the runtime: {error}")))?
        .block_on(keep_alive())
}

async fn keep_alive() -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let mut pause = PAUSE_MIN;
    loop {
        let started = Instant::now();
        let (status, stopping) = run_child(&mut signals).await?;
        if stopping || !may_go_away(status) {
            return end(status);
        }
        if started.elapsed() >= HEALTHY {
            pause = PAUSE_MIN;
        }
        eprintln!("supervisor: the pipeline died ({status}); starting it again in {} s", pause.as_secs());
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

/// Runs the child to its end; says whether it was asked to end.
async fn run_child(signals: &mut Signals) -> Result<(ExitStatus, bool), Failure> {
    let failed = |error| Failure::failed(format!("cannot start the pipeline: {error}"));
    let program = std::env::current_exe().map_err(failed)?;
    let arguments = child_arguments(std::env::args_os().skip(1), std::process::id());
    let mut command = Command::new(program);
    let mut child = command.args(arguments).stdin(Stdio::null()).process_group(0).spawn().map_err(failed)?;
    let pid = child.id().and_then(|id| Pid::from_raw(id as i32));
    if let Some(pid) = pid {
        eprintln!("supervisor: the pipeline runs as process {}", pid.as_raw_nonzero());
    }
    let mut stopping = false;
    loop {
        tokio::select! {
            status = child.wait() => return Ok((status.map_err(failed)?, stopping)),
            signal = signals.next() => {
                stopping = true;
                if let Some(pid) = pid {
                    // It has not been waited for, so the id is still its own; it may have ended all the same.
                    let _ = kill_process(pid, signal);
                }
            }
        }
    }
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
