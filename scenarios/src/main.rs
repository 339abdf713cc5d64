//! The `highwater` command: pipelines run for real, fed, and proved. `command` has a file for each subcommand.

mod command;

fn main() -> std::process::ExitCode {
    command::main()
}
