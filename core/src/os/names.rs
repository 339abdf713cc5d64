//! What happens to names: directories and renaming.

use super::directories::{parent, sync, sync_dir};
use std::fs;
use std::io;
use std::path::Path;

/// Makes a directory and its parents, each durable before the next. One whose sync fails is removed again: the next life would
/// take it for durable, and no sync would tell. (A crash in between leaves it.)
pub(super) fn create_dir(path: &Path) -> io::Result<()> {
    let mut missing = Vec::new();
    for level in path.ancestors() {
        if level.as_os_str().is_empty() {
            break;
        }
        match fs::metadata(level) {
            Ok(metadata) if metadata.is_dir() => {
                // A former life may have made it and crashed before it was durable. Only the deepest level can be such
                // a one, as each is synced before the next is made.
                tolerate_foreign(sync_parent(level))?;
                break;
            }
            Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(level),
            Err(error) => return Err(error),
        }
    }
    for level in missing.into_iter().rev() {
        // Open before it is named in it, to be told of a sync that fails for somebody else.
        let parent = fs::File::open(parent(level))?;
        let made = match fs::create_dir(level) {
            Ok(()) => true,
            // Somebody else was faster; the sync below does for both.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && level.is_dir() => false,
            Err(error) => return Err(error),
        };
        if let Err(error) = sync(&parent) {
            if made {
                // An empty directory that stays is not worth another error.
                let _ = fs::remove_dir(level);
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Where a directory exists in one that we may not open, or that lies on a file system that is not for writing, it was
/// not us who made it.
fn tolerate_foreign(synced: io::Result<()>) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, ReadOnlyFilesystem, Unsupported};
    match synced {
        Err(error)
            if matches!(error.kind(), InvalidInput | PermissionDenied | ReadOnlyFilesystem | Unsupported) =>
        {
            Ok(())
        }
        outcome => outcome,
    }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        // The root has no name.
        None => Ok(()),
        Some(_) => sync_dir(parent(path)),
    }
}

/// The names of the files in a directory, sorted. A name that is not UTF-8 is none of ours.
pub(super) fn list(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let is_file = match entry.file_type() {
            // Whoever puts a link in the place of a file means the file.
            Ok(kind) if kind.is_symlink() => fs::metadata(entry.path()).is_ok_and(|target| target.is_file()),
            Ok(kind) => kind.is_file(),
            // Removed while we read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        };
        if let (true, Ok(name)) = (is_file, entry.file_name().into_string()) {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Renames a file; a target that exists stays as it is.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // The system or this file system cannot do it in one step.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => link_then_remove(from, to),
        Err(error) => Err(error.into()),
    }
}

/// Renames a file; a target that exists stays as it is.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    link_then_remove(from, to)
}

/// The next best thing: it never replaces either, but a crash in between leaves the file with both names.
fn link_then_remove(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to)?;
    fs::remove_file(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fallback_of_rename_never_replaces_either() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&a, "a").unwrap();
        fs::write(&b, "b").unwrap();
        assert_eq!(link_then_remove(&a, &b).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!((fs::read(&a).unwrap(), fs::read(&b).unwrap()), (b"a".to_vec(), b"b".to_vec()));
        fs::remove_file(&b).unwrap();
        link_then_remove(&a, &b).unwrap();
        assert!(!a.exists());
        assert_eq!(fs::read(&b).unwrap(), b"a");
    }

    #[cfg(unix)]
    #[test]
    fn a_list_follows_links_and_leaves_out_names_that_are_not_text() {
        use std::os::unix::{ffi::OsStrExt, fs::symlink};
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("file"), "").unwrap();
        fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
        symlink(at("file"), at("link")).unwrap();
        symlink(at("nowhere"), at("dangling")).unwrap();
        symlink(dir.path(), at("up")).unwrap();
        assert_eq!(list(dir.path()).unwrap(), ["file", "link"]);
    }

    #[test]
    fn a_directory_that_exists_where_nothing_can_be_synced_is_left_as_it_is() {
        create_dir(Path::new("/")).unwrap();
        create_dir(Path::new(".")).unwrap();
        #[cfg(target_os = "linux")]
        create_dir(Path::new("/proc/self")).unwrap();
    }
}
