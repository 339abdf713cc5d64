//! Names that are not durable yet: which changes of directories a power loss undoes.
//!
//! Each change happens or not, on its own, with what is true of every file system kept: a file has one name (a rename
//! leaves the old one or the new one, never both, never neither), and a name that a later change took over was given up
//! by its former file. A change that touches two directories is durable when either of them is synced.
//!
//! A failed sync of a directory gives changes up: they are seen until a power loss, and no later sync makes them durable. A file
//! whose place on the medium somebody else takes after that is lost with the next power loss, as on a real disk.

use super::volume::{InodeId, directory_of};
use std::fmt;

/// A change of a directory.
#[derive(Clone, Debug)]
pub(crate) struct NameChange {
    pub inode: InodeId,
    pub what: What,
}

/// What changed.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Created {
        at: Box<str>,
    },
    Renamed {
        from: Box<str>,
        to: Box<str>,
    },
    /// The file that had the name keeps it until this happens.
    Replaced {
        from: Box<str>,
        to: Box<str>,
    },
    Removed {
        at: Box<str>,
    },
}

impl NameChange {
    pub(crate) fn touches(&self, directory: &str) -> bool {
        self.directories().any(|touched| touched == directory)
    }

    /// The directories that it touches.
    pub(crate) fn directories(&self) -> impl Iterator<Item = &str> {
        let taken = self.taken().map(directory_of);
        let given_up = self.given_up().map(directory_of).filter(move |directory| taken != Some(*directory));
        taken.into_iter().chain(given_up)
    }

    /// The name that the file gets by it.
    pub(crate) fn taken(&self) -> Option<&str> {
        match &self.what {
            What::Created { at } => Some(at),
            What::Renamed { to, .. } | What::Replaced { to, .. } => Some(to),
            What::Removed { .. } => None,
        }
    }

    /// The name that is free after it.
    fn given_up(&self) -> Option<&str> {
        match &self.what {
            What::Created { .. } => None,
            What::Renamed { from, .. } | What::Replaced { from, .. } => Some(from),
            What::Removed { at } => Some(at),
        }
    }
}

impl fmt::Display for NameChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Created { at } => write!(f, "create {at}"),
            What::Renamed { from, to } => write!(f, "rename {from} to {to}"),
            What::Replaced { from, to } => write!(f, "rename {from} over {to}"),
            What::Removed { at } => write!(f, "remove {at}"),
        }
    }
}

/// Completes a choice of changes that happen: whoever gave up a name that a chosen later change takes did give it up.
pub(crate) fn complete(changes: &[NameChange], happen: &mut [bool]) {
    let mut taken: Vec<&str> = Vec::new();
    for (n, change) in changes.iter().enumerate().rev() {
        if change.given_up().is_some_and(|path| taken.contains(&path)) {
            happen[n] = true;
        }
        if happen[n]
            && let Some(path) = change.taken()
        {
            taken.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_over_was_given_up() {
        let changes = [
            NameChange { inode: InodeId(0), what: What::Removed { at: "/a/y".into() } },
            NameChange { inode: InodeId(1), what: What::Renamed { from: "/a/x".into(), to: "/a/y".into() } },
            NameChange { inode: InodeId(2), what: What::Created { at: "/a/x".into() } },
        ];
        let mut happen = [false, false, true];
        complete(&changes, &mut happen);
        assert_eq!(happen, [true; 3]);
        let mut happen = [true, false, false];
        complete(&changes, &mut happen);
        assert_eq!(happen, [true, false, false]);
    }
}
