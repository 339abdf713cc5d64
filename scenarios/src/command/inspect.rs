//! `highwater inspect`: what a checkpoint directory holds, and whether it restores.

mod text;

use super::{Failure, runtime, simulated::Format};
use clap::Args;
use highwater_core::{
    inspect::{Depth, inspect},
    os,
};
use std::{io::Write, path::PathBuf};

const AFTER_HELP: &str = "\
It reads only: no lock is taken and no file is touched, so it may look into the directory of a live driver. Without --verify it reads \
what a start would read; what a crash left unfinished is no damage.

Examples:
  highwater inspect checkpoint
  highwater inspect checkpoint --verify
  highwater inspect checkpoint --format json

Exit status: 0 a start would go well, and nothing is damaged; 1 something is damaged; 2 DIR is no checkpoint directory.";

/// Tells what a checkpoint directory holds: what a start would recover, checkpoints, pending batches, state, journal
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Inspect {
    /// The directory that a driver was started with
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Reads every byte, and names file and offset of all that is damaged
    #[arg(long)]
    verify: bool,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

impl Inspect {
    pub(super) fn main(self) -> Result<(), Failure> {
        let depth = if self.verify { Depth::Everything } else { Depth::Start };
        let inspection =
            runtime()?.block_on(async { inspect(&os::env_with_threads(1), &self.directory, depth).await })?;
        let told = match self.format {
            Format::Text => text::render(&inspection),
            Format::Json => serde_json::to_string_pretty(&inspection).map_err(Failure::failed)? + "\n",
        };
        std::io::stdout().write_all(told.as_bytes()).map_err(Failure::failed)?;
        match (inspection.damage.len(), inspection.is_sound()) {
            (_, true) => Ok(()),
            (0, _) => Err(Failure::failed("a start would be refused")),
            (1, _) => Err(Failure::failed("1 place is damaged")),
            (places, _) => Err(Failure::failed(format!("{places} places are damaged"))),
        }
    }
}
