//! Directories in which something was named, each open from before that until a sync has confirmed it.
//!
//! The system tells of what it could not write once to each that has the file or the directory open (Linux since 4.13: `errseq_t`, see
//! fsync(2)). Whoever opened a directory only to sync it would not hear of a sync that failed for another process a moment before, and
//! took back what this one had just named.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The directories that are held open; clones share them.
#[derive(Clone, Default)]
pub(super) struct Directories(Arc<Mutex<BTreeMap<PathBuf, Vec<Arc<File>>>>>);

impl Directories {
    /// Does what gives a file the name `path`, with its directory held open.
    pub(super) fn naming<T>(&self, path: &Path, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let directory = parent(path);
        let held = self.held().get(directory).and_then(|open| open.first().cloned());
        let open = held.map_or_else(|| File::open(directory).map(Arc::new), Ok)?;
        let result = act();
        let mut held = self.held();
        let others = held.entry(directory.to_owned()).or_default();
        // A sync meanwhile may have let go of it, and it may have come too early for this name.
        if !others.iter().any(|other| Arc::ptr_eq(other, &open)) {
            others.push(open);
        }
        result
    }

    /// Makes the names in a directory durable. What is named from then on holds it anew.
    pub(super) fn sync(&self, path: &Path) -> io::Result<()> {
        match self.held().remove(path) {
            // Each of them is to be asked, whatever another one says.
            Some(held) => held.iter().map(|open| sync(open)).fold(Ok(()), Result::and),
            None => sync_dir(path),
        }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Vec<Arc<File>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The directory that holds `path`.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes the names in a directory durable that nobody holds open.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    sync(&File::open(path)?)
}

/// Makes the names in an open directory durable.
pub(super) fn sync(directory: &File) -> io::Result<()> {
    if !directory.metadata()?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    directory.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(directories: &Directories) -> usize {
        directories.held().values().map(Vec::len).sum()
    }

    #[test]
    fn a_directory_is_open_from_before_a_name_is_given_until_its_sync() {
        let dir = tempfile::tempdir().unwrap();
        let directories = Directories::default();
        let name = |name: &str| {
            let path = dir.path().join(name);
            let opened_before = held(&directories);
            directories.naming(&path, || {
                assert_eq!(held(&directories), opened_before);
                File::create(&path)
            })
        };
        name("a").unwrap();
        name("b").unwrap();
        assert_eq!(held(&directories), 1, "one is enough for both");
        directories.sync(dir.path()).unwrap();
        assert_eq!(held(&directories), 0);
        directories.sync(dir.path()).unwrap();
    }

    #[test]
    fn what_is_named_during_a_sync_keeps_the_directory_open() {
        let dir = tempfile::tempdir().unwrap();
        let directories = Directories::default();
        let path = dir.path().join("a");
        directories.naming(&path, || File::create(&path)).unwrap();
        let other = dir.path().join("b");
        directories
            .naming(&other, || {
                directories.sync(dir.path()).unwrap();
                File::create(&other)
            })
            .unwrap();
        assert_eq!(held(&directories), 1);
    }

    #[test]
    fn a_directory_that_is_not_there_holds_nothing_and_a_failed_name_does() {
        let dir = tempfile::tempdir().unwrap();
        let directories = Directories::default();
        let missing = dir.path().join("missing");
        let never = || -> io::Result<()> { panic!("the directory is opened first") };
        let error = directories.naming(&missing.join("a"), never).unwrap_err();
        assert_eq!((error.kind(), held(&directories)), (io::ErrorKind::NotFound, 0));
        assert_eq!(directories.sync(&missing).unwrap_err().kind(), io::ErrorKind::NotFound);
        // What failed may have been done.
        let path = dir.path().join("a");
        directories.naming(&path, || Err::<(), _>(io::Error::other("late"))).unwrap_err();
        assert_eq!(held(&directories), 1);
    }
}
