//! The command line: what can be asked for, and how it ends.
//!
//! Every failure is one line, `error: ..`, on the standard error output, and a status that a script can act on.

mod colour;
mod explore;
mod faces;
mod faults;
mod feed;
mod interval;
mod narrator;
mod prove;
mod replay;
mod report;
mod run;
mod shrink;
mod signals;
mod simulated;
mod supervise;
mod sweep;
mod voice;

use clap::{Parser, Subcommand};
use highwater_core::Error;
use highwater_scenarios::catalogue::scenarios;
use std::process::ExitCode;

const AFTER_HELP: &str = "\
Exit status: 0 all went well; 1 it failed in a way that may go away (a full disk), or an invariant was broken; 2 wrong \
usage, or input that has to be mended first (a damaged checkpoint, a port in use, a file that is not there); 130 ended at \
once by a second Ctrl-C.";

/// A micro-batch stream engine whose recovery is proved by simulation.
#[derive(Parser)]
#[command(name = "highwater", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Run),
    Feed(feed::Feed),
    Sweep(sweep::Sweep),
    Replay(replay::Replay),
    Report(report::Report),
    Explore(explore::Explore),
    Prove(prove::Prove),
    Shrink(shrink::Shrink),
    Faults(faults::Faults),
    /// Lists the scenarios, a line each: `run` takes those without a source's name at their end
    Scenarios,
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(run) => run.main(),
        Command::Feed(feed) => feed.main(),
        Command::Sweep(sweep) => sweep.main(),
        Command::Replay(replay) => replay.main(),
        Command::Report(report) => report.main(),
        Command::Explore(explore) => explore.main(),
        Command::Prove(prove) => prove.main(),
        Command::Shrink(shrink) => shrink.main(),
        Command::Faults(faults) => faults.main(),
        Command::Scenarios => {
            let scenarios = scenarios();
            let width = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
            for scenario in scenarios {
                println!("{:width$}  {}", scenario.name, scenario.about);
            }
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { status, message }) => {
            if !message.is_empty() {
                eprintln!("error: {message}");
            }
            ExitCode::from(status)
        }
    }
}

/// How a command ends if not well.
#[derive(Debug)]
struct Failure {
    status: u8,
    /// Empty if it was told already.
    message: String,
}

/// It failed, and may work when it is tried again.
const FAILED: u8 = 1;
/// It would fail again until somebody mends the input.
const UNUSABLE: u8 = 2;
/// As a shell reports a process that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

impl Failure {
    fn failed(message: impl ToString) -> Self {
        Self { status: FAILED, message: message.to_string() }
    }

    fn unusable(message: impl ToString) -> Self {
        Self { status: UNUSABLE, message: message.to_string() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if error.is_unusable_input() { Self::unusable(error) } else { Self::failed(error) }
    }
}

/// A runtime on all cores.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start the runtime: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
