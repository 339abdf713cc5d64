//! `highwater man`: the help as manual pages, one a subcommand.

use super::{Cli, Failure, print_json, simulated::Format};
use clap::{Args, Command, CommandFactory};
use clap_mangen::Man as Page;
use highwater_core::Error;
use serde::Serialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

const AFTER_HELP: &str = "\
Examples:
  highwater man ~/.local/share/man/man1
  man highwater-sweep

With --format json the standard output has the paths of the pages, and the text of each.";

/// Writes the manual pages into a directory
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Man {
    /// The directory; made if it is not there
    directory: PathBuf,
    /// What is told of it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Serialize)]
struct Written {
    path: PathBuf,
    text: String,
}

impl Man {
    pub(super) fn main(self) -> Result<(), Failure> {
        let mut pages = Vec::new();
        let written = fs::create_dir_all(&self.directory)
            .and_then(|()| write(&whole(Cli::command()), &self.directory, &mut pages));
        written.map_err(|source| {
            Failure::from(Error::Disk { operation: "write to", path: self.directory.clone(), source })
        })?;
        match self.format {
            Format::Text => Ok(()),
            Format::Json => print_json(&pages),
        }
    }
}

/// With the names that the pages are called by.
fn whole(command: Command) -> Command {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    command
}

/// The pages of a command and of all below it.
fn write(command: &Command, directory: &Path, pages: &mut Vec<Written>) -> io::Result<()> {
    let page = Page::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text)?;
    let text = String::from_utf8(text).map_err(io::Error::other)?;
    let path = directory.join(page.get_filename());
    fs::write(&path, &text)?;
    pages.push(Written { path, text });
    command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set())
        .try_for_each(|sub| write(sub, directory, pages))
}
