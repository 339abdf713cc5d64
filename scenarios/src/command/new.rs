//! `highwater new`: a crate of one's own, with a pipeline and a test that sweeps it.
//!
//! The crates are not published, so it depends on a checkout by its path: the one that this command was built from, unless another is
//! named. Its lock file is that checkout's, so that it builds with what was downloaded for that.

use super::{Failure, simulated::Format};
use clap::Args;
use serde::Serialize;
use std::{
    fs, io,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

const AFTER_HELP: &str = "\
Examples:
  highwater new ship-log
  cd ship-log && cargo test

  highwater new ship-log --highwater ../highwater      # another checkout than the one of this command

The crate has a pipeline (src/lib.rs), a program that runs it (src/main.rs), and a test with a model of its output that lives through 40 \
seeds of faults (tests/recovery.rs). It builds and passes at once.";

/// The files, by their paths in the crate.
const FILES: [(&str, &str); 8] = [
    ("Cargo.toml", include_str!("new/Cargo.toml.in")),
    (".cargo/config.toml", include_str!("new/cargo-config.toml.in")),
    (".gitignore", include_str!("new/gitignore.in")),
    ("README.md", include_str!("new/README.md.in")),
    ("src/lib.rs", include_str!("new/lib.rs.in")),
    ("src/main.rs", include_str!("new/main.rs.in")),
    ("tests/recovery.rs", include_str!("new/recovery.rs.in")),
    ("tests/plans/power-loss-at-a-checkpoint.toml", include_str!("new/plan.toml.in")),
];

/// Words that no crate can be called by.
const RESERVED: [&str; 9] = ["test", "core", "std", "alloc", "proc-macro", "self", "super", "crate", "build"];

/// Makes a crate with a pipeline of your own and a test that sweeps it
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct New {
    /// Its name, and that of the new directory: small letters, digits, `-` and `_`
    #[arg(value_parser = checked)]
    name: String,
    /// The checkout of Highwater to depend on [default: the one that this command was built from]
    #[arg(long, value_name = "DIR")]
    highwater: Option<PathBuf>,
    /// How it is told
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Serialize)]
struct Made<'a> {
    name: &'a str,
    directory: &'a Path,
    highwater: &'a Path,
    files: Vec<&'a str>,
}

impl New {
    pub(super) fn main(self) -> Result<(), Failure> {
        let checkout = checkout(self.highwater.as_deref())?;
        let directory = Path::new(&self.name);
        match fs::create_dir(directory) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(Failure::unusable(format!(
                    "{} is there already: choose another name",
                    self.name
                )));
            }
            made => made.map_err(|error| Failure::unusable(format!("cannot make {}: {error}", self.name)))?,
        }
        let made = self.fill(directory, &checkout);
        made.map_err(|error| Failure::failed(format!("cannot write to {}: {error}", self.name)))?;
        let made = Made {
            name: &self.name,
            directory,
            highwater: &checkout,
            files: FILES.iter().map(|(path, _)| *path).collect(),
        };
        let told = match self.format {
            Format::Text => format!(
                "made {0}/, which depends on {1}\n\n  cd {0}\n  cargo test\n",
                made.name,
                checkout.display()
            ),
            Format::Json => serde_json::to_string_pretty(&made).map_err(Failure::failed)? + "\n",
        };
        std::io::stdout().write_all(told.as_bytes()).map_err(Failure::failed)
    }

    fn fill(&self, directory: &Path, checkout: &Path) -> io::Result<()> {
        let (module, checkout_text) = (self.name.replace('-', "_"), checkout.display().to_string());
        for (path, template) in FILES {
            let path = directory.join(path);
            fs::create_dir_all(path.parent().unwrap_or(directory))?;
            let text = template.replace("{{name}}", &self.name).replace("{{crate}}", &module);
            fs::write(path, text.replace("{{highwater}}", &checkout_text))?;
        }
        // Cargo takes out what is not needed.
        match fs::copy(checkout.join("Cargo.lock"), directory.join("Cargo.lock")) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            copied => copied.map(drop),
        }
    }
}

fn checked(name: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    match () {
        () if !name.starts_with(|c: char| c.is_ascii_lowercase()) => {
            Err("it must begin with a small letter".into())
        }
        () if !name.chars().all(is_plain) => Err("it may have small letters, digits, `-` and `_`".into()),
        () if name.len() > 64 => Err("it may have at most 64 letters".into()),
        () if RESERVED.contains(&name) || name.starts_with("highwater") || name == "tokio" => {
            Err("a crate of that name would hide another one".into())
        }
        () => Ok(name.to_owned()),
    }
}

/// The checkout to depend on, as an absolute path.
fn checkout(named: Option<&Path>) -> Result<PathBuf, Failure> {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let wanted = named.unwrap_or(&built_from);
    let found = fs::canonicalize(wanted).ok().filter(|path| {
        ["core", "sim", "reports"].iter().all(|member| path.join(member).join("Cargo.toml").is_file())
    });
    let path = found.ok_or_else(|| {
        Failure::unusable(format!(
            "{} is no checkout of Highwater: name one with --highwater",
            wanted.display()
        ))
    })?;
    // It is written into a TOML text.
    match path.to_str().is_some_and(|path| !path.contains(['"', '\\', '\n'])) {
        true => Ok(path),
        false => Err(Failure::unusable(format!("the path {} cannot stand in a Cargo.toml", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_crate_can_have_is_refused() {
        for name in ["a", "ship-log", "b2_c"] {
            assert_eq!(checked(name).as_deref(), Ok(name));
        }
        for name in
            ["", "2a", "Ship", "a b", "a/b", "..", "-a", "core", "highwater-sim", "ä", &"a".repeat(65)]
        {
            assert!(checked(name).is_err(), "{name}");
        }
    }
}
