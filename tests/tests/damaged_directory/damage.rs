//! What can happen to a file.

use super::image::Image;
use highwater_core::codec::{HEADER_BYTES, read_frame};
use std::path::{Path, PathBuf};

/// One thing done to one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The file is gone.
    Delete,
    /// Only so many bytes are left.
    Truncate(usize),
    /// A bit of this byte is the other one.
    Flip {
        /// The byte.
        byte: usize,
        /// The bit in it.
        bit: u8,
    },
    /// The record at this offset says that it has another format version, with a sound checksum.
    Version(usize),
}

impl Damage {
    /// An image with this done to a file.
    pub fn done_to(self, image: &Image, path: &Path) -> Image {
        let mut damaged = image.clone();
        let bytes = damaged.0.get_mut(path).expect("the file is in the image");
        match self {
            Damage::Delete => {
                damaged.0.remove(path);
            }
            Damage::Truncate(length) => bytes.truncate(length),
            Damage::Flip { byte, bit } => bytes[byte] ^= 1 << bit,
            Damage::Version(at) => set_version(&mut bytes[at..], 2),
        }
        damaged
    }
}

/// Rewrites the version of the record at the start of `bytes`.
fn set_version(bytes: &mut [u8], version: u16) {
    bytes[4..6].copy_from_slice(&version.to_le_bytes());
    let checksum = crc32c::crc32c(&bytes[..HEADER_BYTES - 4]);
    bytes[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
}

/// Where the records of a file begin, and where the last one ends.
pub fn borders(bytes: &[u8]) -> Vec<usize> {
    let (mut borders, mut at) = (vec![0], 0);
    while let Ok((_, length)) = read_frame(&bytes[at..]) {
        at += length;
        borders.push(at);
    }
    borders
}

/// Every file with every cut: to nothing, to half, at each record's border and one byte beside it; and without it.
pub fn cuts_and_deletions(image: &Image) -> Vec<(PathBuf, Damage)> {
    let mut all = Vec::new();
    for path in image.data_files() {
        let bytes = &image.0[&path];
        let borders = borders(bytes);
        // Of many records the first and the last ones: those between are like them.
        let near_the_ends = |index: usize| index < 3 || index + 4 > borders.len();
        let mut lengths: Vec<_> =
            (0..borders.len()).filter(|i| near_the_ends(*i)).map(|i| borders[i]).collect();
        lengths.extend([0, bytes.len() / 2, bytes.len().saturating_sub(1)]);
        lengths.sort_unstable();
        lengths.dedup();
        lengths.retain(|length| *length < bytes.len());
        all.push((path.clone(), Damage::Delete));
        all.extend(lengths.into_iter().map(|length| (path.clone(), Damage::Truncate(length))));
    }
    all
}

/// A changed bit in every `step`-th byte of all files together, another bit each time.
pub fn flips(image: &Image, step: usize) -> Vec<(PathBuf, Damage)> {
    let places = image.data_files().into_iter().flat_map(|path| {
        let length = image.0[&path].len();
        (0..length).map(move |byte| (path.clone(), byte))
    });
    let flip = |(index, (path, byte)): (usize, (PathBuf, usize))| {
        (path, Damage::Flip { byte, bit: (index * 5 % 8) as u8 })
    };
    places.step_by(step).enumerate().map(flip).collect()
}
