//! A disk in memory that knows which names are durable, on which each driver stops after a number of operations: so that tests
//! reach every step of one driver, and every two steps of two.

use crate::env::{BoxFuture, Disk, File, Lock, length_differs};
use std::{
    collections::BTreeMap,
    future::{Future, poll_fn},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

/// A file's content.
#[derive(Clone, Default)]
pub(super) struct Inode(pub Arc<Mutex<Vec<u8>>>);

/// What all drivers see.
#[derive(Default)]
pub(super) struct Medium {
    /// By path: the file, and whether its name is durable. A name that a failed sync gave up never is.
    pub names: BTreeMap<PathBuf, (Inode, Name)>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Name {
    New,
    GivenUp,
    Durable,
}

/// A disk as one driver has it: after `steps` operations it stops for good, or until it is given more.
#[derive(Clone)]
pub(super) struct Steps {
    pub medium: Arc<Mutex<Medium>>,
    pub steps: Arc<Mutex<usize>>,
    /// How many operations from the end of `steps` on fail.
    pub last_fails: bool,
}

impl Steps {
    pub fn new(medium: &Arc<Mutex<Medium>>, steps: usize) -> Self {
        Self { medium: medium.clone(), steps: Arc::new(Mutex::new(steps)), last_fails: false }
    }

    /// Waits for its turn; whether the operation is the one that fails.
    async fn step(&self) -> bool {
        poll_fn(|_| {
            let mut steps = self.steps.lock().unwrap();
            match *steps {
                0 => Poll::Pending,
                _ => {
                    *steps -= 1;
                    Poll::Ready(*steps == 0 && self.last_fails)
                }
            }
        })
        .await
    }

    fn run<'a, T: Send + 'a>(
        &'a self,
        operation: impl FnOnce(&mut Medium) -> io::Result<T> + Send + 'a,
    ) -> BoxFuture<'a, io::Result<T>> {
        Box::pin(async move {
            match self.step().await {
                true => Err(io::Error::other("injected")),
                false => operation(&mut self.medium.lock().unwrap()),
            }
        })
    }

    fn handle(&self, inode: &Inode) -> Box<dyn File> {
        Box::new(Handle { disk: self.clone(), inode: inode.clone() })
    }
}

impl Medium {
    fn find(&self, path: &Path) -> io::Result<&Inode> {
        self.names.get(path).map(|(inode, _)| inode).ok_or_else(|| ErrorKind::NotFound.into())
    }

    pub fn give(&mut self, path: &Path, inode: &Inode) -> io::Result<()> {
        if self.names.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.names.insert(path.to_owned(), (inode.clone(), Name::New));
        Ok(())
    }

    pub fn settle(&mut self, as_what: Name) {
        let new = self.names.values_mut().filter(|(_, name)| *name == Name::New);
        new.for_each(|(_, name)| *name = as_what);
    }
}

struct Handle {
    disk: Steps,
    inode: Inode,
}

impl File for Handle {
    fn append<'a>(&'a mut self, _bytes: &'a [u8]) -> BoxFuture<'a, io::Result<()>> {
        unreachable!("a sink writes at the length that it knows")
    }

    fn write_at<'a>(
        &'a mut self,
        offset: u64,
        length: u64,
        bytes: &'a [u8],
    ) -> BoxFuture<'a, io::Result<()>> {
        let inode = self.inode.clone();
        self.disk.run(move |_| {
            let mut content = inode.0.lock().unwrap();
            match content.len() as u64 {
                found if found != length => return Err(length_differs(length, found)),
                _ => {}
            }
            let end = (offset as usize + bytes.len()).max(content.len());
            content.resize(end, 0);
            content[offset as usize..][..bytes.len()].copy_from_slice(bytes);
            Ok(())
        })
    }

    fn sync(&mut self) -> BoxFuture<'_, io::Result<()>> {
        self.disk.run(|_| Ok(()))
    }
}

impl Disk for Steps {
    fn create_dir<'a>(&'a self, _path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        self.run(|_| Ok(()))
    }

    fn create_new<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn File>>> {
        self.run(move |medium| {
            let inode = Inode::default();
            medium.give(path, &inode)?;
            Ok(self.handle(&inode))
        })
    }

    fn open_append<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn File>>> {
        self.run(move |medium| Ok(self.handle(medium.find(path)?)))
    }

    fn length<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<u64>> {
        self.run(move |medium| Ok(medium.find(path)?.0.lock().unwrap().len() as u64))
    }

    fn truncate<'a>(&'a self, path: &'a Path, from: u64, to: u64) -> BoxFuture<'a, io::Result<()>> {
        self.run(move |medium| {
            let mut content = medium.find(path)?.0.lock().unwrap();
            match content.len() as u64 {
                found if found != from => Err(length_differs(from, found)),
                _ => {
                    content.truncate(to as usize);
                    Ok(())
                }
            }
        })
    }

    fn rename<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        self.run(move |medium| {
            let inode = medium.find(from)?.clone();
            medium.give(to, &inode)?;
            medium.names.remove(from);
            Ok(())
        })
    }

    fn replace<'a>(&'a self, from: &'a Path, to: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        self.run(move |medium| {
            let inode = medium.find(from)?.clone();
            medium.names.insert(to.to_owned(), (inode, Name::New));
            medium.names.remove(from);
            Ok(())
        })
    }

    fn sync_dir<'a>(&'a self, _path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async move {
            let fails = self.step().await;
            let mut medium = self.medium.lock().unwrap();
            match fails {
                true => {
                    medium.settle(Name::GivenUp);
                    Err(io::Error::other("injected"))
                }
                false => {
                    medium.settle(Name::Durable);
                    Ok(())
                }
            }
        })
    }

    fn read<'a>(&'a self, _: &'a Path, _: u64, _: usize) -> BoxFuture<'a, io::Result<Vec<u8>>> {
        unreachable!("a sink reads nothing back")
    }

    fn remove<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<()>> {
        self.run(move |medium| {
            medium.find(path)?;
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(name.starts_with('.') || name.ends_with(".renaming"), "{name} is removed");
            medium.names.remove(path);
            Ok(())
        })
    }

    fn list<'a>(&'a self, path: &'a Path) -> BoxFuture<'a, io::Result<Vec<String>>> {
        self.run(move |medium| {
            let below = medium.names.keys().filter_map(|name| name.strip_prefix(path).ok());
            Ok(below.map(|name| name.display().to_string()).collect())
        })
    }

    fn lock<'a>(&'a self, _path: &'a Path) -> BoxFuture<'a, io::Result<Box<dyn Lock>>> {
        unreachable!("a sink locks nothing")
    }
}

/// Lets a driver's work go as far as it has steps.
pub(super) fn go<T>(work: &mut BoxFuture<'_, T>) -> Option<T> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}
