//! A file without its name: what the page cache holds of it, and how much of that is durable.
//!
//! The durable content is a prefix of the cached content, plus, after a truncate that is not yet synced, the tail that was cut
//! off; writing over what is there is a truncate and an append. Appending and syncing therefore copy nothing. Two kinds of faults
//! bend this: a failed sync gives ranges up, which stay readable and never become durable; and damage (`damage`) changes what is
//! read, with the pristine bytes kept beside it.
//!
//! What was synced is promised, with a checksum of the bytes as they were written: [`Inode::check`] holds the file against it.

use super::damage::{Damaged, Latent};
use crate::{
    fault::FileSystem,
    rng::{Domain, Draws, stream},
    world::{Life, NodeIndex, VirtualTime},
};
use rand_chacha::{ChaCha8Rng, rand_core::Rng};
use std::ops::Range;

/// The unit in which a disk loses data.
pub(crate) const SECTOR: usize = 512;

/// A file.
#[derive(Default)]
pub(crate) struct Inode {
    /// As a reader sees it.
    pub content: Vec<u8>,
    /// So many bytes of `content` are durable, but for what was given up.
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
    /// When it was last written.
    pub written_at: VirtualTime,
    /// Whether it was renamed, with content, since the last power loss.
    pub renamed: bool,
    /// The length before the last change, if that was an append.
    pub length_before: Option<usize>,
    /// What is promised to survive, in order.
    pub promised: Vec<Promised>,
    /// What a failed sync gave up, in order.
    pub given_up: Vec<GivenUp>,
    /// What faults did to it.
    pub damaged: Option<Box<Damaged>>,
}

/// Bytes that were synced and not given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Promised {
    from: usize,
    until: usize,
    checksum: u32,
}

/// Bytes that a failed sync gave up: they can be read, and count as written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GivenUp {
    from: usize,
    until: usize,
    /// Whether the length is on the medium all the same.
    has_length: bool,
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

/// What a sector holds that has a place on the medium and no data: zeros, or whatever was there.
pub(crate) struct Stale {
    rng: ChaCha8Rng,
    garbage_percent: u64,
    /// Whether the image is none of the plain ones.
    is_drawn: bool,
}

impl Stale {
    /// That of an image; the plain ones have zeros only. A stream of its own, so that it shifts nothing of what survives.
    pub(crate) fn of(image_seed: u64) -> Self {
        let mut rng = stream(image_seed, Domain::Damage);
        let garbage_percent = if image_seed < 4 { 0 } else { *rng.pick(&[0, 0, 30, 100]) };
        Self { rng, garbage_percent, is_drawn: image_seed >= 4 }
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        if self.garbage_percent > 0 && self.rng.percent(self.garbage_percent) {
            self.rng.fill_bytes(&mut bytes);
        }
        bytes
    }

    /// What a lost sector holds, in whose place `old` stood until it was cut off or written over.
    fn sector(&mut self, length: usize, old: &[u8]) -> Vec<u8> {
        let mut bytes = self.bytes(length);
        if self.is_drawn && !old.is_empty() && self.rng.one_in(2) {
            bytes[..old.len()].copy_from_slice(old);
        }
        bytes
    }
}

impl Inode {
    /// The content without the damage that faults did to it.
    pub(crate) fn pristine(&self) -> &[u8] {
        self.damaged.as_ref().map_or(&self.content, |damaged| &damaged.pristine)
    }

    /// Writes from `offset` on, which is not behind the end. What stands there already is not touched; where the bytes differ, or
    /// were given up, the rest is cut off and appended anew.
    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) {
        let there = &self.content[offset..];
        let given_up = self.given_up.iter().find(|lost| lost.until > offset);
        let kept = given_up.map_or(bytes.len(), |lost| lost.from.saturating_sub(offset));
        let same = there.iter().zip(bytes).take_while(|(there, written)| there == written).count().min(kept);
        let tail = there.get(bytes.len()..).unwrap_or_default().to_vec();
        let end = offset + same;
        if end < self.content.len() && same < bytes.len() {
            self.truncate(end);
            self.append(&[&bytes[same..], &tail].concat());
        } else {
            self.append(&bytes[same..]);
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        self.length_before = Some(self.content.len());
        self.content.extend_from_slice(bytes);
        if let Some(damaged) = &mut self.damaged {
            damaged.pristine.extend_from_slice(bytes);
        }
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        if length < self.synced {
            let tail = length..self.synced;
            let given_up = self.given_up.clone();
            let cut = |bytes: &[u8], cut_off: &mut Vec<u8>| {
                let mut medium = bytes[tail.clone()].to_vec();
                for range in given_up.iter().filter_map(|lost| overlap(lost.from..lost.until, &tail)) {
                    medium[range.start - length..range.end - length].fill(0);
                }
                medium.append(cut_off);
                *cut_off = medium;
            };
            cut(&self.content, &mut self.cut_off);
            if let Some(damaged) = &mut self.damaged {
                cut(&damaged.pristine, &mut damaged.cut_off);
            }
            self.synced = length;
        }
        self.shorten(length);
        self.length_before = None;
    }

    /// Cuts what is there, without a memory of it.
    pub(super) fn shorten(&mut self, length: usize) {
        self.content.truncate(length);
        if let Some(damaged) = &mut self.damaged {
            damaged.shorten(length);
        }
        self.given_up.retain_mut(|lost| {
            lost.until = lost.until.min(length);
            lost.from < lost.until
        });
        while let Some(last) = self.promised.last().copied().filter(|last| last.until > length) {
            self.promised.pop();
            if last.from < length {
                self.promise(last.from..length);
            }
        }
    }

    /// Forgets all that it holds: nobody will read it again.
    pub(crate) fn clear(&mut self) {
        let seen = self.damaged.as_mut().map(|damaged| std::mem::take(&mut damaged.seen));
        self.shorten(0);
        self.settle();
        self.content = Vec::new();
        if let (Some(damaged), Some(seen)) = (&mut self.damaged, seen) {
            damaged.seen = seen;
        }
    }

    pub(crate) fn sync(&mut self) {
        self.promise_but_given_up(self.synced..self.content.len());
        self.synced = self.content.len();
        self.forget_cut_off();
    }

    fn forget_cut_off(&mut self) {
        self.cut_off.clear();
        if let Some(damaged) = &mut self.damaged {
            damaged.cut_off.clear();
        }
    }

    fn promise_but_given_up(&mut self, range: Range<usize>) {
        let mut from = range.start;
        for lost in self.given_up.clone() {
            if let Some(lost) = overlap(lost.from..lost.until, &range) {
                self.promise(from..lost.start);
                from = from.max(lost.end);
            }
        }
        self.promise(from..range.end);
    }

    /// Promises more bytes, behind all that are promised already.
    fn promise(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let bytes = match &self.damaged {
            Some(damaged) => &damaged.pristine[range.clone()],
            None => &self.content[range.clone()],
        };
        match self.promised.last_mut() {
            Some(last) if last.until == range.start => {
                last.checksum = crc32c::crc32c_append(last.checksum, bytes);
                last.until = range.end;
            }
            _ => {
                let checksum = crc32c::crc32c(bytes);
                self.promised.push(Promised { from: range.start, until: range.end, checksum });
            }
        }
    }

    /// A sync that fails. `is_written` says of each dirty sector, given how many are behind it, whether it was written all the
    /// same. Returns whether the content changed.
    pub(crate) fn fail_sync(
        &mut self,
        file_system: FileSystem,
        mut is_written: impl FnMut(usize) -> bool,
    ) -> bool {
        if file_system == FileSystem::Btrfs {
            let before = self.content.clone();
            self.lose_truncate();
            self.lose_given_up(&mut Stale::of(0));
            self.settle();
            return self.content != before;
        }
        let (mut from, end) = (self.synced, self.content.len());
        let has_length = file_system == FileSystem::Ext4;
        while from < end {
            let until = ((from / SECTOR + 1) * SECTOR).min(end);
            if !is_written((end - until).div_ceil(SECTOR)) {
                self.given_up.push(GivenUp { from, until, has_length });
            }
            from = until;
        }
        self.given_up.sort_by_key(|lost| lost.from);
        if has_length {
            self.sync();
        }
        false
    }

    /// What a power loss leaves durable if nothing but the synced survives.
    pub(crate) fn durable(&self) -> Vec<u8> {
        self.durable_of(&self.content, &self.cut_off)
    }

    /// The same without the damage that faults did to it.
    pub(crate) fn durable_pristine(&self) -> Vec<u8> {
        match &self.damaged {
            Some(damaged) => self.durable_of(&damaged.pristine, &damaged.cut_off),
            None => self.durable(),
        }
    }

    fn durable_of(&self, content: &[u8], cut_off: &[u8]) -> Vec<u8> {
        let mut durable = content[..self.synced].to_vec();
        for lost in self.given_up.iter().filter_map(|lost| overlap(lost.from..lost.until, &(0..self.synced)))
        {
            durable[lost].fill(0);
        }
        durable.extend_from_slice(cut_off);
        durable
    }

    /// Loses power: what remains becomes the content, and durable. Bytes that are promised and not cut off are never
    /// harmed, not even in a sector that they share with bytes that are not.
    pub(crate) fn lose_power(&mut self, survival: Survival, rng: &mut ChaCha8Rng, stale: &mut Stale) {
        let drawn = survival == Survival::Drawn;
        let truncate_lost = !self.cut_off.is_empty()
            && match survival {
                Survival::Nothing => true,
                Survival::Everything | Survival::LengthOnly => false,
                Survival::Drawn => rng.one_in(2),
            };
        if truncate_lost {
            self.lose_truncate();
        } else if self.content.len() > self.synced {
            self.tear(if drawn { drawn_survival(rng) } else { survival }, rng, stale);
        }
        self.lost_power(stale);
    }

    /// What is left after a power loss took the rest is all there is: also of what a failed sync gave up, and of damage.
    pub(super) fn lost_power(&mut self, stale: &mut Stale) {
        self.lose_given_up(stale);
        self.end_of_cache(|_| true);
        self.settle();
    }

    /// The truncate never reached the disk, so what was appended after it did not either.
    pub(super) fn lose_truncate(&mut self) {
        self.shorten(self.synced);
        self.content.append(&mut self.cut_off);
        if let Some(damaged) = &mut self.damaged {
            damaged.pristine.append(&mut damaged.cut_off);
        }
    }

    fn lose_given_up(&mut self, stale: &mut Stale) {
        for lost in std::mem::take(&mut self.given_up).into_iter().rev() {
            let length = self.content.len();
            if !lost.has_length && lost.from >= self.synced && lost.until >= length {
                self.shorten(length.min(lost.from));
            } else if let Some(range) = overlap(lost.from..lost.until, &(0..length)) {
                self.overwrite(range.start, &stale.bytes(range.len()));
            }
        }
    }

    fn tear(&mut self, survival: Survival, rng: &mut ChaCha8Rng, stale: &mut Stale) {
        let (durable, full) = (self.synced, self.content.len());
        match survival {
            Survival::Everything => {}
            Survival::Nothing => self.shorten(durable),
            Survival::LengthOnly => self.overwrite(durable, &vec![0; full - durable]),
            Survival::Drawn => {
                let length = rng.between(durable as u64..=full as u64) as usize;
                self.shorten(length);
                let lost_percent = *rng.pick(&[10, 50, 90]);
                for sector in durable / SECTOR..length.div_ceil(SECTOR) {
                    if rng.percent(lost_percent) {
                        let from = (sector * SECTOR).max(durable);
                        let to = ((sector + 1) * SECTOR).min(length);
                        let old = self.cut_off_at(from - durable..to - durable);
                        let lost = stale.sector(to - from, old);
                        self.overwrite(from, &lost);
                    }
                }
            }
        }
    }

    /// What was cut off in a range, which counts from what is durable.
    fn cut_off_at(&self, range: Range<usize>) -> &[u8] {
        let end = self.cut_off.len();
        &self.cut_off[range.start.min(end)..range.end.min(end)]
    }

    /// Changes bytes in place: no damage, but what there is.
    pub(crate) fn overwrite(&mut self, from: usize, bytes: &[u8]) {
        self.content[from..from + bytes.len()].copy_from_slice(bytes);
        if let Some(damaged) = &mut self.damaged {
            damaged.pristine[from..from + bytes.len()].copy_from_slice(bytes);
        }
    }

    /// What is there is durable, and promised.
    pub(crate) fn settle(&mut self) {
        self.promised.clear();
        self.given_up.clear();
        self.synced = 0;
        self.length_before = None;
        self.sync();
    }

    /// Takes note of damage: from now on what is read and the pristine bytes are two things.
    fn damaged(&mut self) -> &mut Damaged {
        let (content, cut_off) = (&self.content, &self.cut_off);
        self.damaged.get_or_insert_with(|| {
            Box::new(Damaged { pristine: content.clone(), cut_off: cut_off.clone(), ..Damaged::default() })
        })
    }

    /// A bit of it flips.
    pub(crate) fn rot(&mut self, fault: usize, byte: usize, bit: u8) {
        self.damaged().seen.push((fault, byte..byte + 1));
        self.content[byte] ^= 1 << (bit % 8);
    }

    /// A sabotage changes what is read of it.
    pub(crate) fn alter(&mut self, from: usize, bytes: &[u8]) {
        self.damaged().altered.push(from..from + bytes.len());
        self.content[from..from + bytes.len()].copy_from_slice(bytes);
    }

    /// A sabotage gives it another content, as durable as it was.
    pub(crate) fn replace(&mut self, content: Vec<u8>) {
        let synced = self.synced.min(content.len());
        self.clear();
        (self.content, self.synced, self.damaged) = (content, synced, None);
        self.promise(0..synced);
    }

    /// Damage that is read once the life is over that did it.
    pub(crate) fn damage_later(&mut self, latent: Latent) {
        self.damaged().latent.push(latent);
    }

    /// A life is over, and with it what hid its damage.
    pub(crate) fn end_of_cache(&mut self, is_over: impl Fn((NodeIndex, Life)) -> bool) {
        let Some(damaged) = &mut self.damaged else { return };
        let (over, latent) =
            std::mem::take(&mut damaged.latent).into_iter().partition(|latent| is_over(latent.by));
        damaged.latent = latent;
        for Latent { fault, from, bytes, .. } in over {
            let until = (from + bytes.len()).min(self.content.len());
            if from < until {
                self.content[from..until].copy_from_slice(&bytes[..until - from]);
                damaged.seen.push((fault, from..until));
            }
        }
    }

    /// The first byte where the file breaks a promise: pristine bytes that are not what was synced, or another byte than the
    /// pristine one where no fault did damage.
    pub(crate) fn check(&self, promised: &[Promised]) -> Option<usize> {
        let pristine = self.pristine();
        let kept = |promised: &&Promised| {
            pristine.get(promised.from..promised.until).map(crc32c::crc32c) == Some(promised.checksum)
        };
        let broken = promised.iter().find(|promised| !kept(promised)).map(|promised| promised.from);
        broken.or_else(|| self.damaged.as_ref()?.stray(&self.content))
    }
}

/// What two ranges have in common.
fn overlap(one: Range<usize>, other: &Range<usize>) -> Option<Range<usize>> {
    let both = one.start.max(other.start)..one.end.min(other.end);
    (!both.is_empty()).then_some(both)
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
        inode.lose_power(Survival::Drawn, &mut stream(seed, Domain::Image), &mut Stale::of(seed));
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
    fn a_lost_sector_of_what_was_written_over_is_old_or_zero_or_garbage() {
        let rewritten = || {
            let mut inode = Inode { content: vec![b'o'; 4 * SECTOR], ..Inode::default() };
            inode.sync();
            inode.write(0, &[b'n'; 4 * SECTOR]);
            inode
        };
        let images: Vec<Vec<u8>> = (0..200).map(|seed| image(rewritten, seed)).collect();
        let has = |image: &Vec<u8>, byte: u8| image.chunks(SECTOR).any(|sector| sector == [byte; SECTOR]);
        let seen = |other: u8| images.iter().any(|image| has(image, b'n') && has(image, other));
        assert!(seen(b'o'), "old beside new");
        assert!(seen(0), "zeros beside new");
        let is_garbage = |sector: &[u8]| sector.iter().any(|byte| !b"on\0".contains(byte));
        assert!(images.iter().any(|image| has(image, b'n') && image.chunks(SECTOR).any(is_garbage)));
    }

    #[test]
    fn an_unsynced_truncate_happens_or_not() {
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
