//! The built command on the machine: killed at any moment and started again, it loses and doubles nothing.
//!
//! `kill` is the main claim, `stop` the orderly end, `supervise` the restart by itself, `examples` what the five programs of the guide
//! print. The moments of the kills are drawn
//! from a seed that is printed; `HIGHWATER_KILL_SEED` repeats them, as far as a machine repeats anything. A SIGKILL leaves the
//! page cache as it is, so what was not synced survives here: losing that is the simulator's part.

#[path = "real_process/examples.rs"]
mod examples;
#[path = "real_process/feeding.rs"]
mod feeding;
#[path = "real_process/kill.rs"]
mod kill;
#[path = "real_process/stop.rs"]
mod stop;
#[path = "real_process/supervise.rs"]
mod supervise;

use std::ffi::OsStr;
use std::path::Path;

/// The corpus, cut to so many lines.
fn corpus(lines: usize) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/data/moby-dick.txt");
    let text = std::fs::read_to_string(path).expect("the corpus is in the repository");
    text.lines().take(lines).map(|line| format!("{line}\n")).collect()
}

/// The arguments of `highwater run` with everything in `directory`.
fn run_arguments(pipeline: &str, source: &str, directory: &Path, more: &[&str]) -> Vec<std::ffi::OsString> {
    let mut arguments: Vec<std::ffi::OsString> =
        ["run", pipeline, "--source", source, "--checkpoint"].map(Into::into).into();
    arguments.push(directory.join("checkpoint").into());
    arguments.push("--output".into());
    arguments.push(directory.join("output.txt").into());
    arguments.extend(more.iter().map(Into::into));
    arguments
}

fn borrowed(arguments: &[std::ffi::OsString]) -> Vec<&OsStr> {
    arguments.iter().map(AsRef::as_ref).collect()
}
