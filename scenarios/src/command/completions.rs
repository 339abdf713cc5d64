//! `highwater completions`: what a shell needs to complete the command line.

use super::{Cli, Failure, print_json, simulated::Format};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde::Serialize;
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
    /// The script as it is, or in a document
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Serialize)]
struct Told {
    shell: String,
    script: String,
}

impl Completions {
    pub(super) fn main(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "highwater", &mut script);
        if self.format == Format::Text {
            return std::io::stdout().write_all(&script).map_err(Failure::unprinted);
        }
        let script = String::from_utf8(script).map_err(Failure::failed)?;
        print_json(&Told { shell: self.shell.to_string(), script })
    }
}
