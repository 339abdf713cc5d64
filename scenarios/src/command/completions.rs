//! `highwater completions`: what a shell needs to complete the command line.

use super::{Cli, Failure};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io::Write;

const AFTER_HELP: &str = "\
Examples:
  highwater completions bash > ~/.local/share/bash-completion/completions/highwater
  highwater completions zsh > ~/.zfunc/_highwater      # a directory of $fpath
  highwater completions fish > ~/.config/fish/completions/highwater.fish";

/// Prints a script that completes the command line of a shell
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn main(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "highwater", &mut script);
        std::io::stdout().write_all(&script).map_err(Failure::failed)
    }
}
