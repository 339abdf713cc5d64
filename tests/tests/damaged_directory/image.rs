//! All files of a directory tree, to be put back and compared.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Bytes by path, relative to the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image(pub BTreeMap<PathBuf, Vec<u8>>);

impl Image {
    /// Reads the tree at `root`.
    pub fn read(root: &Path) -> Self {
        let mut image = Self::default();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    image.0.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
                }
            }
        }
        image
    }

    /// Makes the tree at `root` this one.
    pub fn write(&self, root: &Path) {
        if root.exists() {
            fs::remove_dir_all(root).unwrap();
        }
        fs::create_dir_all(root).unwrap();
        for (path, bytes) in &self.0 {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    /// The checkpoint directory's files, the lock left out.
    pub fn data_files(&self) -> Vec<PathBuf> {
        let is_data = |path: &&PathBuf| path.starts_with("checkpoint") && !path.ends_with("lock");
        self.0.keys().filter(is_data).cloned().collect()
    }

    /// The files in a folder of the checkpoint directory, by name, but for one that was never published.
    pub fn folder(&self, name: &str) -> Vec<PathBuf> {
        let folder = Path::new("checkpoint").join(name);
        let is_published = |path: &&PathBuf| path.extension().is_none_or(|extension| extension != "tmp");
        self.0.keys().filter(|path| path.starts_with(&folder)).filter(is_published).cloned().collect()
    }

    /// The highest generation that any file's name tells of.
    pub fn newest_generation(&self) -> Option<u64> {
        let name = |path: &PathBuf| path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
        let generation = |name: String| name.rsplit('-').next().and_then(|digits| digits.parse().ok());
        self.data_files().iter().filter_map(name).filter_map(generation).max()
    }

    /// Without what a start may change before it fails: the lock and the claims.
    pub fn without_claims(&self) -> Self {
        let mut rest = self.clone();
        rest.0.retain(|path, _| !path.starts_with("checkpoint/generation") && !path.ends_with("lock"));
        rest
    }
}
