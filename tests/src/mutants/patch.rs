//! A mutant's file: a header, then a unified diff.
//!
//! ```text
//! Mutant: the file's name, without its extension
//! Part: the part of the engine that it is planted in
//! Repeats: the real mistake; further lines are indented
//! Breaks: the invariants that should break, such as I7, I8
//! Shown by: the faults that should show it, by their names in commands
//!
//! diff --git a/.. b/..
//! ```
//!
//! What holds: a patch changes files that exist and adds or removes none. Its context must be found word for word, though maybe on other
//! lines than it says; otherwise the mutant is stale.

use diffy::{
    Patch,
    patch_set::{FileOperation, ParseOptions, PatchKind, PatchSet},
};
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

/// The parts of the engine.
pub const PARTS: [&str; 8] =
    ["journal", "checkpoint", "allocation", "batch", "state", "source", "clock", "fencing"];

/// What a header may say that breaks.
pub const INVARIANTS: [&str; 15] =
    ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I13", "I14", "NoPanic"];

/// What is told of a mutant before its first run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Where it is planted: one of [`PARTS`].
    pub part: String,
    /// The mistake that it repeats.
    pub repeats: String,
    /// What should break: some of [`INVARIANTS`].
    pub breaks: Vec<String>,
    /// The faults that should show it.
    pub shown_by: Vec<String>,
}

/// A planted bug.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Its name.
    pub name: String,
    /// What is told of it.
    pub header: Header,
    diff: String,
}

/// A patch that does not apply: the file, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// Relative to the repository.
    pub path: PathBuf,
    /// Why not.
    pub reason: String,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

/// The mutants of a directory, by name.
///
/// # Errors
/// A file that cannot be read, or is not of the form.
pub fn read_all(directory: &Path) -> Result<Vec<Mutant>, String> {
    let told = |error: io::Error| format!("{}: {error}", directory.display());
    let mut mutants = Vec::new();
    for entry in fs::read_dir(directory).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.extension().is_some_and(|extension| extension == "patch") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            mutants
                .push(Mutant::parse(&name, &text).map_err(|error| format!("{}: {error}", path.display()))?);
        }
    }
    mutants.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(mutants)
}

impl Mutant {
    /// Reads a mutant's file.
    ///
    /// # Errors
    /// What of the form is missing or wrong.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let at = text.find("\ndiff --git ").ok_or("there is no line that begins with `diff --git`")? + 1;
        let (header, diff) = text.split_at(at);
        let mutant = Self { name: name.into(), header: parse_header(name, header)?, diff: diff.into() };
        for (path, patch) in mutant.files()? {
            if patch.hunks().is_empty() {
                return Err(format!("it changes nothing in {}", path.display()));
            }
        }
        Ok(mutant)
    }

    /// The files that it changes, with what they hold then.
    ///
    /// # Errors
    /// The first file that it does not fit.
    pub fn apply(&self, root: &Path) -> Result<Vec<(PathBuf, String)>, Stale> {
        let stale = |path: &Path, reason: String| Stale { path: path.to_owned(), reason };
        let files = self.files().map_err(|reason| stale(Path::new("."), reason))?;
        let changed = files.into_iter().map(|(path, patch)| {
            let text =
                fs::read_to_string(root.join(&path)).map_err(|error| stale(&path, error.to_string()))?;
            let text = diffy::apply(&text, &patch).map_err(|error| stale(&path, error.to_string()))?;
            Ok((path, text))
        });
        changed.collect()
    }

    fn files(&self) -> Result<Vec<(PathBuf, Patch<'_, str>)>, String> {
        let mut files = Vec::new();
        for file in PatchSet::parse(self.diff.as_str(), ParseOptions::gitdiff()) {
            let file = file.map_err(|error| error.to_string())?;
            let operation = file.operation().strip_prefix(1);
            let (FileOperation::Modify { modified, .. }, PatchKind::Text(patch)) = (operation, file.patch())
            else {
                return Err("it does more than change the text of files".into());
            };
            files.push((PathBuf::from(modified.as_ref()), patch.clone()));
        }
        Ok(files)
    }
}

fn parse_header(name: &str, text: &str) -> Result<Header, String> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match (line.strip_prefix("  "), fields.last_mut(), line.split_once(": ")) {
            (Some(more), Some((_, value)), _) => {
                value.push(' ');
                value.push_str(more.trim());
            }
            (None, _, Some((field, value))) => fields.push((field, value.trim().into())),
            _ => return Err(format!("what is this line of the header: {line:?}")),
        }
    }
    let names: Vec<_> = fields.iter().map(|(field, _)| *field).collect();
    let expected = ["Mutant", "Part", "Repeats", "Breaks", "Shown by"];
    if names != expected {
        return Err(format!("the header has {names:?}, and should have {expected:?}"));
    }
    let [mutant, part, repeats, breaks, shown_by] =
        <[_; 5]>::try_from(fields).expect("counted above").map(|(_, value)| value);
    let list = |text: &str| text.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>();
    let (breaks, shown_by) = (list(&breaks), list(&shown_by));
    if mutant != name {
        return Err(format!("the header is of `{mutant}`"));
    }
    if !PARTS.contains(&part.as_str()) {
        return Err(format!("there is no part `{part}`; there are: {}", PARTS.join(", ")));
    }
    if let Some(unknown) = breaks.iter().find(|invariant| !INVARIANTS.contains(&invariant.as_str())) {
        return Err(format!("there is no invariant `{unknown}`; there are: {}", INVARIANTS.join(", ")));
    }
    if repeats.is_empty() || shown_by.iter().any(String::is_empty) {
        return Err("a field of the header is empty".into());
    }
    Ok(Header { part, repeats, breaks, shown_by })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Mutant: a-b\nPart: clock\nRepeats: one\n  two\nBreaks: I1, NoPanic\nShown by: crash, bit-rot\n\n\
        diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n";

    fn applied(content: &str) -> Result<Vec<(PathBuf, String)>, Stale> {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("x"), content).unwrap();
        Mutant::parse("a-b", TEXT).unwrap().apply(root.path())
    }

    #[test]
    fn a_header_is_read() {
        let header = Mutant::parse("a-b", TEXT).unwrap().header;
        assert_eq!((header.part.as_str(), header.repeats.as_str()), ("clock", "one two"));
        assert_eq!(header.breaks, ["I1", "NoPanic"]);
        assert_eq!(header.shown_by, ["crash", "bit-rot"]);
    }

    #[test]
    fn a_header_that_is_not_whole_is_refused() {
        for (from, to, why) in [
            ("Mutant: a-b", "Mutant: c", "the header is of `c`"),
            ("Part: clock\n", "", "the header has"),
            ("Part: clock", "Part: cloak", "no part `cloak`"),
            ("I1", "I15", "no invariant `I15`"),
            ("crash, ", ", ", "is empty"),
            ("@@ -1,2 +1,2 @@\n one\n-two\n+three\n", "", "changes nothing"),
            ("diff --git", "diff", "no line that begins"),
        ] {
            let error = Mutant::parse("a-b", &TEXT.replace(from, to)).unwrap_err();
            assert!(error.contains(why), "{to:?}: {error}");
        }
    }

    #[test]
    fn a_patch_applies_where_its_context_is() {
        assert_eq!(applied("zero\none\ntwo\n").unwrap(), [("x".into(), "zero\none\nthree\n".to_owned())]);
    }

    #[test]
    fn a_patch_whose_context_is_gone_is_stale() {
        assert_eq!(applied("one\nfour\n").unwrap_err().path, Path::new("x"));
    }
}
