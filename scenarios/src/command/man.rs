//! `highwater man`: the help as manual pages, one a subcommand.

use super::{Cli, Failure};
use clap::{Args, CommandFactory};
use std::{fs, path::PathBuf};

const AFTER_HELP: &str = "\
Examples:
  highwater man ~/.local/share/man/man1
  man highwater-sweep";

/// Writes the manual pages into a directory
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Man {
    /// The directory; made if it is not there
    directory: PathBuf,
}

impl Man {
    pub(super) fn main(self) -> Result<(), Failure> {
        let written = fs::create_dir_all(&self.directory)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), &self.directory));
        written.map_err(|error| {
            Failure::unusable(format!("cannot write to {}: {error}", self.directory.display()))
        })
    }
}
