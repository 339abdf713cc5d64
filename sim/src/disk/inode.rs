//! A file without its name: what the page cache holds of it, and how much of that is durable.
//!
//! Files are append-only, so the durable content is a prefix of the cached content, plus, after a truncate that is not
//! yet synced, the tail that was cut off. Appending and syncing therefore copy nothing.

use crate::rng::Draws;
use rand_chacha::ChaCha8Rng;

/// The unit in which a disk loses data.
pub(crate) const SECTOR: usize = 512;

/// A file.
#[derive(Default)]
pub(crate) struct Inode {
    /// As a reader sees it.
    pub content: Vec<u8>,
    /// So many bytes of `content` are durable.
    pub synced: usize,
    /// Durable bytes behind `synced` that a truncate cut off and no sync has confirmed as gone.
    pub cut_off: Vec<u8>,
    /// The name that a power loss would leave it.
    pub durable_name: Option<Box<str>>,
    /// The name it has, or had last.
    pub name: Box<str>,
    /// Whether a directory holds it.
    pub linked: bool,
    /// Whether every change of its content is kept for the judges.
    pub recorded: bool,
    /// Whether it was renamed since the last power loss.
    pub renamed: bool,
}

/// What of the unsynced content a power loss leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Survival {
    /// Nothing.
    Nothing,
    /// All of it.
    Everything,
    /// The length, and zeros.
    LengthOnly,
    /// Any length, and each sector or not.
    Drawn,
}

impl Inode {
    pub(crate) fn truncate(&mut self, length: usize) {
        if length < self.synced {
            let mut cut_off = self.content[length..self.synced].to_vec();
            cut_off.append(&mut self.cut_off);
            self.cut_off = cut_off;
            self.synced = length;
        }
        self.content.truncate(length);
    }

    pub(crate) fn sync(&mut self) {
        self.synced = self.content.len();
        self.cut_off.clear();
    }

    /// What a power loss leaves durable if nothing but the synced survives.
    pub(crate) fn durable(&self) -> Vec<u8> {
        [&self.content[..self.synced], &self.cut_off].concat()
    }

    /// Loses power: what remains becomes the content, and durable. Bytes that were synced and not cut off are never
    /// harmed, not even in a sector that they share with bytes that were not.
    pub(crate) fn lose_power(&mut self, survival: Survival, rng: &mut ChaCha8Rng) {
        let drawn = survival == Survival::Drawn;
        let truncate_lost = !self.cut_off.is_empty()
            && match survival {
                Survival::Nothing => true,
                Survival::Everything | Survival::LengthOnly => false,
                Survival::Drawn => rng.one_in(2),
            };
        if truncate_lost {
            // The truncate never reached the disk, so what was appended after it did not either.
            self.content.truncate(self.synced);
            let mut cut_off = std::mem::take(&mut self.cut_off);
            self.content.append(&mut cut_off);
        } else if self.content.len() > self.synced {
            self.tear(if drawn { drawn_survival(rng) } else { survival }, rng);
        }
        self.sync();
    }

    fn tear(&mut self, survival: Survival, rng: &mut ChaCha8Rng) {
        let (durable, full) = (self.synced, self.content.len());
        match survival {
            Survival::Everything => {}
            Survival::Nothing => self.content.truncate(durable),
            Survival::LengthOnly => self.content[durable..].fill(0),
            Survival::Drawn => {
                let length = rng.between(durable as u64..=full as u64) as usize;
                self.content.truncate(length);
                let lost_percent = *rng.pick(&[10, 50, 90]);
                for sector in durable / SECTOR..length.div_ceil(SECTOR) {
                    if rng.percent(lost_percent) {
                        let from = (sector * SECTOR).max(durable);
                        let to = ((sector + 1) * SECTOR).min(length);
                        self.content[from..to].fill(0);
                    }
                }
            }
        }
    }
}

/// The plain cases are as likely as the torn ones: each is a bug of its own.
fn drawn_survival(rng: &mut ChaCha8Rng) -> Survival {
    *rng.pick(&[
        Survival::Nothing,
        Survival::Everything,
        Survival::LengthOnly,
        Survival::Drawn,
        Survival::Drawn,
        Survival::Drawn,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Domain, stream};

    fn image(inode: impl Fn() -> Inode, seed: u64) -> Vec<u8> {
        let mut inode = inode();
        inode.lose_power(Survival::Drawn, &mut stream(seed, Domain::Image));
        assert_eq!(inode.durable(), inode.content, "what was read after the boot is durable");
        inode.content
    }

    fn half_synced() -> Inode {
        let mut inode = Inode { content: vec![b'd'; 700], ..Inode::default() };
        inode.sync();
        inode.content.extend([b'u'; 2000]);
        inode
    }

    #[test]
    fn synced_bytes_survive_every_image_also_in_a_shared_sector() {
        for seed in 0..2000 {
            let image = image(half_synced, seed);
            assert!(image.len() >= 700 && image[..700] == [b'd'; 700], "image {seed}");
            assert!(image.len() <= 2700);
        }
    }

    #[test]
    fn unsynced_sectors_are_lost_torn_reordered_and_kept() {
        let images: Vec<Vec<u8>> = (0..500).map(|seed| image(half_synced, seed)).collect();
        let seen = |claim: &dyn Fn(&[u8]) -> bool| images.iter().any(|image| claim(&image[700..]));
        assert!(seen(&|new| new.is_empty()), "all lost");
        assert!(seen(&|new| new == [b'u'; 2000]), "all kept");
        assert!(seen(&|new| !new.is_empty() && new.len() % SECTOR != 324), "cut inside a sector");
        assert!(
            seen(&|new| new.len() == 2000 && new.iter().all(|byte| *byte == 0)),
            "the length ahead of the data"
        );
        assert!(
            seen(&|new| new.first() == Some(&0) && new.last() == Some(&b'u')),
            "a later sector without an earlier one"
        );
        assert!(seen(&|new| new.first() == Some(&b'u') && new.last() == Some(&0)));
    }

    #[test]
    fn an_unsynced_truncate_happens_or_not_and_never_mixes() {
        let truncated = || {
            let mut inode = Inode { content: vec![b'd'; 1000], ..Inode::default() };
            inode.sync();
            inode.truncate(600);
            inode.truncate(400);
            inode.content.extend([b'u'; 100]);
            inode
        };
        assert_eq!(truncated().durable(), [b'd'; 1000]);
        let images: Vec<Vec<u8>> = (0..200).map(|seed| image(truncated, seed)).collect();
        assert!(images.iter().all(|image| image[..400] == [b'd'; 400]));
        assert!(images.iter().all(|image| image.len() <= 500 || *image == [b'd'; 1000]));
        assert!(
            images.iter().any(|image| image.len() == 1000) && images.iter().any(|image| image.len() == 500)
        );
    }
}
