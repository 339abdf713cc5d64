//! `highwater.toml`: defaults for the options of the commands. What stands on the command line wins.
//!
//! The file is looked for from the working directory upwards, or named with `--config`. At its top it has the options that several
//! commands share; a table of a command's name has any of that command's options. They become clap's defaults, so `--help` tells them,
//! and clap checks their values. What no command knows is an error that names line and column.

use super::Failure;
use clap::{Arg, ArgAction, Command, error::ErrorKind};
use highwater_scenarios::bounded;
use highwater_sim::TextError;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

const NAME: &str = "highwater.toml";

/// The options at the top of the file, with the commands for which they are meant where they have another meaning for others.
const SHARED: [(&str, Option<&[&str]>); 6] = [
    ("jobs", None),
    ("format", None),
    ("faults", None),
    ("out", Some(&["sweep", "explore"])),
    ("seeds", Some(&["sweep"])),
    ("time-budget", Some(&["sweep"])),
];

/// Gives a command line the defaults of the file, if there is one; with the path of that.
///
/// # Errors
/// If the file that was named is not there, or something in it is wrong.
pub(super) fn apply(command: Command, arguments: &[OsString]) -> Result<(Command, Option<PathBuf>), Failure> {
    let Some(path) = named(arguments).or_else(found) else { return Ok((command, None)) };
    let told = path.display();
    let text = bounded::read(&path, bounded::WRITTEN_BY_HAND_MAX)
        .map_err(|error| Failure::unusable(format!("cannot read {told}: {error}")))?;
    let directory = path.parent().unwrap_or(Path::new("")).to_owned();
    let defaults = Defaults { text: &text, directory: &directory };
    let command = defaults.apply(command).map_err(|error| Failure::unusable(format!("{told}, {error}")))?;
    Ok((command, Some(path)))
}

/// The file that `--config` names. Clap cannot tell it: its own definition waits for what is in it.
fn named(arguments: &[OsString]) -> Option<PathBuf> {
    let mut arguments = arguments.iter().take_while(|argument| *argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument.to_str().and_then(|argument| argument.strip_prefix("--config=")) {
            return Some(PathBuf::from(path));
        }
    }
    None
}

/// The nearest file, from the working directory upwards.
fn found() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let is_here = |directory: &&Path| directory.join(NAME).is_file();
    let directory = here.ancestors().find(is_here)?;
    Some(if directory == here { PathBuf::from(NAME) } else { directory.join(NAME) })
}

/// A file that is read.
struct Defaults<'a> {
    text: &'a str,
    /// Where it is: the paths in it are relative to that.
    directory: &'a Path,
}

impl Defaults<'_> {
    fn apply(&self, mut command: Command) -> Result<Command, TextError> {
        let table = DeTable::parse(self.text).map_err(|error| TextError::of_toml(self.text, &error))?;
        for (key, value) in table.get_ref() {
            let name = long(key);
            let shared = SHARED.iter().find(|(shared, _)| *shared == name);
            command = match (shared, value.get_ref()) {
                (Some((_, of)), _) => self.share(command, &name, *of, value)?,
                (None, DeValue::Table(options)) if command.find_subcommand(&name).is_some() => {
                    self.of_command(command, &name, options)?
                }
                _ => return Err(self.unknown(key, &command)),
            };
        }
        Ok(command)
    }

    fn unknown(&self, key: &Spanned<impl AsRef<str>>, command: &Command) -> TextError {
        let shared = SHARED.map(|(name, _)| name).join(", ");
        let tables: Vec<_> =
            command.get_subcommands().map(|command| format!("[{}]", command.get_name())).collect();
        let message = format!(
            "unknown key `{}`; there are: {shared}, and the tables {}",
            key.get_ref().as_ref(),
            tables.join(", ")
        );
        TextError::at(self.text, key.span().start, message)
    }

    /// An option for every command that has it.
    fn share(
        &self,
        mut command: Command,
        name: &str,
        of: Option<&[&str]>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Command, TextError> {
        let with_it = command.get_subcommands().filter(|sub| option(sub, name).is_some());
        let with_it = with_it.map(|sub| sub.get_name().to_owned());
        let with_it: Vec<_> = with_it.filter(|sub| of.is_none_or(|of| of.contains(&sub.as_str()))).collect();
        let (mut taken, mut refused) = (false, None);
        for sub in with_it {
            let known = command.find_subcommand(&sub).expect("it was just listed");
            // A format that one command has is not always one that another has.
            match self.checked(known, name, value) {
                Ok(default) => {
                    taken = true;
                    command = command.mut_subcommand(sub, |sub| with_default(sub, name, default));
                }
                Err(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) if !taken => Err(error),
            _ => Ok(command),
        }
    }

    fn of_command(
        &self,
        mut command: Command,
        sub: &str,
        options: &DeTable<'_>,
    ) -> Result<Command, TextError> {
        for (key, value) in options {
            let (name, known) = (long(key), command.find_subcommand(sub).expect("the caller found it"));
            if option(known, &name).is_none() {
                let names = known.get_arguments().filter(|arg| is_option(arg)).filter_map(Arg::get_long);
                let names: Vec<_> = names.collect();
                let message = format!("unknown key `{}`; [{sub}] has: {}", key.get_ref(), names.join(", "));
                return Err(TextError::at(self.text, key.span().start, message));
            }
            let default = self.checked(known, &name, value)?;
            command = command.mut_subcommand(sub, |sub| with_default(sub, &name, default));
        }
        Ok(command)
    }

    /// The value as the command line would have it, if it is one that the command takes.
    fn checked(
        &self,
        command: &Command,
        name: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<String, TextError> {
        let wrong = |message: String| TextError::at(self.text, value.span().start, message);
        let option = option(command, name).expect("the caller found it");
        let is_flag = matches!(option.get_action(), ArgAction::SetTrue);
        let written = match value.get_ref() {
            DeValue::Boolean(flag) if is_flag => return Ok(flag.to_string()),
            _ if is_flag => return Err(wrong(format!("`{name}` is true or false"))),
            DeValue::Array(items) => {
                let items: Option<Vec<_>> = items.iter().map(|item| plain(item.get_ref())).collect();
                items.map(|items| items.join(","))
            }
            value => plain(value),
        };
        let mut written =
            written.ok_or_else(|| wrong(format!("`{name}` is a text, a number, or a list of these")))?;
        if name == "out" {
            written = self.directory.join(written).display().to_string();
        }
        let tried =
            command.clone().no_binary_name(true).try_get_matches_from([format!("--{name}={written}")]);
        match tried {
            Err(error) if matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) => {
                let told = error.to_string();
                let told: Vec<_> = told.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
                Err(wrong(told.join(" ").trim_start_matches("error: ").to_owned()))
            }
            // That other arguments are required is no matter here.
            _ => Ok(written),
        }
    }
}

/// Keys may be written with underscores.
fn long(key: &Spanned<impl AsRef<str>>) -> String {
    key.get_ref().as_ref().replace('_', "-")
}

fn plain(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n.to_string())
        }
        _ => None,
    }
}

/// What a person may set: not the way to this file, and not what only the command says to itself.
fn is_option(arg: &Arg) -> bool {
    !arg.is_hide_set()
        && !arg.is_positional()
        && !["config", "help", "version"].contains(&arg.get_id().as_str())
}

fn option<'a>(command: &'a Command, name: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|arg| arg.get_long() == Some(name) && is_option(arg))
}

fn with_default(command: Command, name: &str, default: String) -> Command {
    let Some(id) = option(&command, name).map(|arg| arg.get_id().clone()) else { return command };
    command.mut_arg(id, |arg| arg.required(false).default_value(default).hide_default_value(false))
}
