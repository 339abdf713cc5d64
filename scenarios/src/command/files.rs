//! The files that commands leave: whole or not at all, and never over somebody else's.
//!
//! - A file is written under another name beside its own and renamed, so that a full disk or a signal leaves no half of it.
//! - What is there is replaced if such a command wrote it: it begins as its files do. Anything else stays, and is an error.
//! - A report that cannot be written ends nothing: what was found out is told all the same, then what is missing.

use super::{Failure, tell};
use highwater_core::Error;
use highwater_sim::fault::PlanFile;
use std::{
    ffi::OsString,
    fs, io,
    io::Read,
    path::{Path, PathBuf},
};

/// So much of a file shows whose it is: the style of a page comes before its head.
const LOOKED_AT_BYTES: u64 = 256 << 10;

/// Makes the directory of reports, if it is not there.
pub(super) fn make_directory(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| cannot_write(path, error))
}

/// Writes a report or a plan, in place of one that is there, and makes the directory that it is in.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    check(path)?;
    replace(path, text)
}

/// Writes a file, in place of whatever file is there, and makes the directory that it is in.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(directory) = path.parent() {
        make_directory(directory)?;
    }
    replace_in_its_directory(path, text).map_err(|error| cannot_write(path, error))
}

fn replace_in_its_directory(path: &Path, text: &str) -> io::Result<()> {
    // A link stays one.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    // A device stays one, too, and a directory says itself that it is none.
    if fs::metadata(&path).is_ok_and(|there| !there.is_file()) {
        return fs::write(&path, text);
    }
    let part = part_of(&path);
    let done = fs::write(&part, text).and_then(|()| fs::rename(&part, &path));
    if done.is_err() {
        // It may not even be there.
        let _ = fs::remove_file(&part);
    }
    done
}

/// The name of a file until it is whole; of this process alone.
fn part_of(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}

/// Whether a report or a plan may be written there.
///
/// # Errors
/// If something else is there.
pub(super) fn check(path: &Path) -> Result<(), Failure> {
    // What cannot be read may be written all the same, or says why not.
    let Ok(file) = fs::File::open(path) else { return Ok(()) };
    let is_file = file.metadata().is_ok_and(|there| there.is_file());
    let mut begin = Vec::new();
    if !is_file || file.take(LOOKED_AT_BYTES).read_to_end(&mut begin).is_err() {
        return Ok(());
    }
    match is_ours(&String::from_utf8_lossy(&begin)) {
        true => Ok(()),
        false => Err(Failure::unusable(format!(
            "cannot write {}: what is there is no report of Highwater's, and stays; move it away, or choose another \
             directory with --out",
            path.display()
        ))),
    }
}

/// Whether a file that begins so is a report, a plan of an exploration, or empty.
fn is_ours(begin: &str) -> bool {
    let mut lines = begin.lines();
    let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let is_story = first.starts_with("scenario   ") && second.starts_with("seed       ");
    let is_table = first.split_whitespace().take(4).eq(["scenario", "seeds", "lives", "crashes"]);
    let is_page = first.starts_with("<!DOCTYPE html>") && begin.contains("<p class=\"kind\">Highwater ");
    let is_plan = || PlanFile::read(begin).is_ok_and(|plan| plan.scenario.is_some());
    begin.is_empty()
        || is_story
        || is_table
        || is_page
        || begin.starts_with("{\"schema\":\"highwater.")
        || second.starts_with("<testsuites name=\"highwater\"")
        || is_plan()
}

fn cannot_write(path: &Path, source: io::Error) -> Failure {
    // The engine knows which errors may go away.
    let mut failure = Failure::from(Error::Disk { operation: "write", path: path.to_owned(), source });
    failure.message.push_str("; choose another place with --out");
    failure
}

/// What could not be written while the rest went on: the first of it.
#[derive(Debug, Default)]
pub(super) struct Unwritten(Option<Failure>);

impl Unwritten {
    /// Takes note of a file that was written or was not. Whether it was.
    pub(super) fn note<T>(&mut self, written: Result<T, Failure>) -> Option<T> {
        written.map_err(|failure| self.0.get_or_insert(failure)).ok()
    }

    /// How the command ends, which would have ended so if all was written.
    pub(super) fn end(self, otherwise: Result<(), Failure>) -> Result<(), Failure> {
        match (self.0, otherwise) {
            (Some(unwritten), Err(otherwise)) => {
                tell(format_args!("error: {}", unwritten.message));
                Err(otherwise)
            }
            (Some(unwritten), Ok(())) => Err(unwritten),
            (None, otherwise) => otherwise,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_stays_unless_it_is_ours() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("word-count-1.txt");
        for ours in [
            "",
            "scenario   word-count, fed by a resume source\nseed       1 draws\n",
            "{\"schema\":\"highwater.run\",\"version\":1}",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"highwater\" tests=\"30\">\n",
            "about = \"breaks I1\"\nscenario = \"word-count\"\nseed = 1\n",
        ] {
            fs::write(&path, ours).expect("a file");
            write(&path, "{\"schema\":\"highwater.").unwrap_or_else(|failure| panic!("{ours}: {failure:?}"));
            assert_eq!(fs::read_to_string(&path).expect("it is there"), "{\"schema\":\"highwater.");
        }
        for other in [
            "my notes\n",
            "scenario ideas\n",
            "<!DOCTYPE html><title>Highwater</title>",
            "seed = 1\n",
            "\u{0}",
        ] {
            fs::write(&path, other).expect("a file");
            let refused = write(&path, "x").expect_err(other);
            assert!(
                refused.status == super::super::UNUSABLE && refused.message.contains("and stays"),
                "{refused:?}"
            );
            assert_eq!(fs::read_to_string(&path).expect("it is there"), other);
        }
    }

    #[test]
    fn what_was_not_written_leaves_nothing_and_what_was_there() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("index.html");
        fs::create_dir_all(path.join("full")).expect("a directory in the way");
        assert!(write(&path, "x").is_err());
        let names = fs::read_dir(directory.path()).expect("it is there").count();
        assert_eq!(names, 1, "no part is left");
    }
}
