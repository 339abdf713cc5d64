//! The command line: what can be asked for, and how it ends.
//!
//! Every failure is one line, `error: ..`, on the standard error output, and a status that a script can act on.

// They panic where nobody can read what is printed.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod colour;
mod completions;
mod config;
mod explore;
mod faces;
mod feed;
mod files;
mod inspect;
mod interrupt;
mod interval;
mod listing;
mod man;
mod narrator;
mod new;
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

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use highwater_core::Error;
use serde::Serialize;
use std::{fmt::Display, io::Write, path::PathBuf, process::ExitCode};

const AFTER_HELP: &str = "\
Begin with:
  highwater scenarios                      what there is
  highwater sweep word-count               200 runs of it, each with faults of its own
  highwater replay word-count --seed 7     one of them, as a story

Defaults for the options of all commands are read from highwater.toml, found from the working directory upwards: \
docs/command.md tells its keys.

Exit status: 0 all went well; 1 it failed in a way that may go away (a full disk), or an invariant was broken; 2 wrong \
usage, or input that has to be mended first (a damaged checkpoint, a port in use, a file that is not there, or is somebody's); 130 ended at \
once by a second Ctrl-C.";

/// A micro-batch stream engine whose recovery is proved by simulation.
#[derive(Parser)]
#[command(name = "highwater", version, after_help = AFTER_HELP)]
struct Cli {
    /// Reads defaults for options from this file [default: highwater.toml, from the working directory upwards]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
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
    Inspect(inspect::Inspect),
    New(new::New),
    Scenarios(listing::Scenarios),
    Faults(listing::Faults),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Does what the command line says.
pub fn main() -> ExitCode {
    let done = parsed().and_then(|command| match command {
        Command::Run(run) => run.main(),
        Command::Feed(feed) => feed.main(),
        Command::Sweep(sweep) => sweep.main(),
        Command::Replay(replay) => replay.main(),
        Command::Report(report) => report.main(),
        Command::Explore(explore) => explore.main(),
        Command::Prove(prove) => prove.main(),
        Command::Shrink(shrink) => shrink.main(),
        Command::Inspect(inspect) => inspect.main(),
        Command::New(new) => new.main(),
        Command::Scenarios(scenarios) => scenarios.main(),
        Command::Faults(faults) => faults.main(),
        Command::Completions(completions) => completions.main(),
        Command::Man(man) => man.main(),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { status, message }) => {
            if !message.is_empty() {
                tell(format_args!("error: {message}"));
            }
            ExitCode::from(status)
        }
    }
}

/// The command line, over the defaults of a file. Ends the process where it is wrong, or asks for help.
fn parsed() -> Result<Command, Failure> {
    let arguments: Vec<_> = std::env::args_os().collect();
    let (command, config) = config::apply(Cli::command(), &arguments)?;
    let matches = command.get_matches_from(arguments);
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Some(config) = config {
        tell(format_args!("defaults are taken from {}", config.display()));
    }
    Ok(cli.command)
}

/// Says a line beside the result, on standard error. Where nobody can read it (a full disk, a closed pipe) the work goes on all the same.
fn tell(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
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

    /// Of what was to be printed. One who reads the first lines and leaves (`highwater sweep | head`) needs no message.
    fn unprinted(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self { status: FAILED, message: String::new() },
            _ => Self::failed(format!("cannot print: {error}")),
        }
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

/// Prints the one document of `--format json`.
fn print_json(document: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(document).map_err(Failure::failed)? + "\n";
    std::io::stdout().write_all(text.as_bytes()).map_err(Failure::unprinted)
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

    #[test]
    fn every_command_teaches_by_examples() {
        for command in Cli::command().get_subcommands_mut() {
            let help = command.render_help().to_string();
            assert!(help.contains("Example"), "{help}");
            assert!(help.contains(&format!("  highwater {}", command.get_name())), "{help}");
        }
    }
}
