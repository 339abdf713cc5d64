//! Sabotages of single steps and single checks, where the steps are made and what the checks look at.
//!
//! What changes before a life changes what is read and leaves the pristine bytes beside it, so that judges know what the engine was
//! owed; only a file that is shortened is shortened for everybody.

use super::{
    Way,
    fate::Entry,
    volume::{InodeId, Volume},
};
use crate::{
    fault::{DiskOperation, Place, Step},
    sabotage::Sabotage,
    world::{Seat, State},
};
use highwater_core::{
    BatchTime,
    checkpoint::Checkpoint,
    codec::{self, HEADER_BYTES, Kind, read_frame},
    journal::{Block, Completion, MARK_BYTES, Marks, SegmentName, decode_marks},
    source::{BlockData, FileRange},
};
use std::{ops::Range, sync::Arc};

/// A sync that takes effect later.
pub(super) enum Postponed {
    File(InodeId),
    Directory(String),
}

/// A record of a file.
struct Framed {
    kind: Kind,
    range: Range<usize>,
}

impl Framed {
    fn payload(&self) -> Range<usize> {
        self.range.start + HEADER_BYTES..self.range.end
    }
}

/// The whole records at the beginning of a file.
fn frames(bytes: &[u8]) -> Vec<Framed> {
    let mut frames = Vec::new();
    let mut at = 0;
    while let Ok((frame, length)) = read_frame(&bytes[at..]) {
        frames.push(Framed { kind: frame.kind, range: at..at + length });
        at += length;
    }
    frames
}

/// The files that a block names.
fn files(block: &Block) -> &[FileRange] {
    match &*block.data {
        BlockData::Files(files) => files,
        _ => &[],
    }
}

/// A record with another payload and with checksums that are right.
pub(super) fn reframe(record: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = record[..32].to_vec();
    bytes.extend((payload.len() as u32).to_le_bytes());
    bytes.extend(crc32c::crc32c(payload).to_le_bytes());
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// A time before all batches whose encoding is as long as theirs.
const LONG_AGO: BatchTime = BatchTime(1 << 32);

impl State {
    /// In which way a sabotage has an operation take effect.
    pub(super) fn sabotaged_way(&mut self, entry: Entry<'_>) -> Way {
        let step = self.step(entry.operation, &entry.target.path(&self.disk));
        if step.operation.is_durable_step() {
            self.catch_up();
        }
        for sabotage in self.disk.sabotage.clone() {
            match sabotage {
                Sabotage::Skip(skipped) if skipped == step => return Way::Nothing,
                Sabotage::Late(first, second) if first == step => {
                    let postponed = match entry.target {
                        super::Target::File(inode, ..) => Postponed::File(inode),
                        super::Target::Path(path) => Postponed::Directory(path.to_owned()),
                    };
                    self.disk.struck.postponed.push((second, postponed));
                    return Way::Nothing;
                }
                Sabotage::Overwrite(place)
                    if place == step.place
                        && matches!(step.operation, DiskOperation::CreateNew | DiskOperation::Rename) =>
                {
                    return Way::Overwrite;
                }
                Sabotage::HideClaims
                    if step == (Step { operation: DiskOperation::List, place: Place::Generation }) =>
                {
                    return Way::OwnClaims;
                }
                _ => {}
            }
        }
        Way::Whole
    }

    /// An operation succeeded, and what a sabotage let wait for it is overdue: there is a moment in which the one is done and not the
    /// other.
    pub(super) fn after_step(&mut self, seat: &Seat, entry: Entry<'_>) {
        let path = entry.target.path(&self.disk);
        let step = self.step(entry.operation, &path);
        if step == (Step { operation: DiskOperation::CreateNew, place: Place::Generation }) {
            self.disk.struck.claims.insert((seat.node, seat.life), path);
        }
        let struck = &mut self.disk.struck;
        let (due, postponed) =
            std::mem::take(&mut struck.postponed).into_iter().partition(|(awaited, _)| *awaited == step);
        struck.postponed = postponed;
        let due: Vec<(Step, Postponed)> = due;
        struck.overdue.extend(due.into_iter().map(|(_, postponed)| postponed));
    }

    /// What came too late takes effect.
    fn catch_up(&mut self) {
        for overdue in std::mem::take(&mut self.disk.struck.overdue) {
            match overdue {
                Postponed::File(inode) => self.disk.sync(inode),
                Postponed::Directory(path) => {
                    self.disk.sync_dir(&path).expect("a directory is never removed");
                }
            }
        }
    }

    /// What sabotages do before a life that is not the first.
    pub(crate) fn sabotage_restart(&mut self) {
        for sabotage in self.disk.sabotage.clone() {
            match sabotage {
                Sabotage::Forge(Place::Elsewhere) => self.forge_input(),
                Sabotage::Forge(place) => self.forge(place),
                Sabotage::Shorten(place) => self.shorten(place),
                Sabotage::Misname(Place::Journal) => self.misname_record(),
                Sabotage::Misname(Place::Marks) => self.misname_mark(),
                Sabotage::Misname(Place::Checkpoint) => self.misname_checkpoint(),
                Sabotage::Misname(Place::State) => self.misname_snapshot(),
                Sabotage::HideCompletions => self.hide_completions(),
                _ => {}
            }
        }
    }

    fn newest_files(&self, place: Place) -> Vec<InodeId> {
        self.reachable(place).into_iter().map(|(inode, _)| inode).collect()
    }

    fn forge(&mut self, place: Place) {
        for inode in self.newest_files(place) {
            let bytes = &self.disk.inode(inode).content;
            let wanted = |frame: &&Framed| {
                !frame.payload().is_empty() && (place != Place::Journal || frame.kind == Kind::Block)
            };
            let frames = frames(bytes);
            let Some(frame) = frames.iter().rfind(wanted) else { continue };
            let mut payload = bytes[frame.payload()].to_vec();
            let middle = payload.len() / 2;
            payload[middle] ^= 1;
            let forged = reframe(&bytes[frame.range.clone()], &payload);
            self.disk.alter(inode, frame.range.start, &forged);
            if place == Place::State {
                self.agree_with(inode);
            }
            return;
        }
    }

    /// Checkpoints that name a snapshot agree with what it is now.
    fn agree_with(&mut self, snapshot: InodeId) {
        let file = self.disk.inode(snapshot);
        let name = file.name.rsplit('/').next().unwrap_or_default().to_owned();
        let (length, checksum) = (file.content.len() as u64, crc32c::crc32c(&file.content));
        for inode in self.newest_files(Place::Checkpoint) {
            let bytes = &self.disk.inode(inode).content;
            let Ok((frame, _)) = read_frame(bytes) else { continue };
            let Ok(mut checkpoint) = frame.decode::<Checkpoint>() else { continue };
            let Some(reference) = checkpoint.snapshot.as_mut().filter(|named| named.name == name) else {
                continue;
            };
            (reference.bytes, reference.checksum) = (length, checksum);
            let agreeing = reframe(bytes, &codec::encode(&checkpoint));
            self.disk.rewrite(inode, agreeing);
        }
    }

    /// A bit of the newest input file flips that a block in the journal names, and each block that names it has its checksum.
    fn forge_input(&mut self) {
        let journal = self.newest_files(Place::Journal);
        let blocks: Vec<(InodeId, Range<usize>, Block)> =
            journal.into_iter().flat_map(|inode| self.blocks(inode)).collect();
        let named = blocks.iter().flat_map(|(_, _, block)| files(block)).filter(|file| file.length > 0);
        let newest =
            named.filter_map(|file| Some((file.path.clone(), self.disk.find(&file.path).ok()?))).max();
        let Some((path, input)) = newest else { return };
        let content = &self.disk.inode(input).content;
        let middle = content.len() / 2;
        let flipped = content[middle] ^ 1;
        self.disk.alter(input, middle, &[flipped]);
        let checksum = crc32c::crc32c(&self.disk.inode(input).content);
        for (inode, range, block) in blocks {
            let BlockData::Files(mut files) = (*block.data).clone() else { continue };
            let named = files.iter_mut().filter(|file| file.path == path);
            named.for_each(|file| file.checksum = checksum);
            let agreeing = Block { data: Arc::new(BlockData::Files(files)), ..block };
            let agreeing = reframe(&self.disk.inode(inode).content[range.clone()], &codec::encode(&agreeing));
            if agreeing.len() == range.len() {
                self.disk.alter(inode, range.start, &agreeing);
            }
        }
    }

    /// The blocks of a segment, and where they stand in it.
    fn blocks(&self, segment: InodeId) -> Vec<(InodeId, Range<usize>, Block)> {
        let bytes = &self.disk.inode(segment).content;
        let block = |frame: Framed| {
            let (read, _) = read_frame(&bytes[frame.range.clone()]).ok()?;
            Some((segment, frame.range, read.decode().ok()?))
        };
        frames(bytes).into_iter().filter(|frame| frame.kind == Kind::Block).filter_map(block).collect()
    }

    fn misname_record(&mut self) {
        for inode in self.newest_files(Place::Journal) {
            let bytes = &self.disk.inode(inode).content;
            let frames = frames(bytes);
            let pair = frames.iter().enumerate().rev().find_map(|(number, last)| {
                let fits = |earlier: &&Framed| {
                    earlier.kind == last.kind
                        && earlier.range.len() == last.range.len()
                        && bytes[earlier.payload()] != bytes[last.payload()]
                };
                Some((frames[..number].iter().rev().find(fits)?, last))
            });
            let Some((earlier, last)) = pair else { continue };
            let misnamed = reframe(&bytes[last.range.clone()], &bytes[earlier.payload()]);
            let at = last.range.start;
            self.disk.alter(inode, at, &misnamed);
            return;
        }
    }

    fn misname_mark(&mut self) {
        let last_mark = |inode: &InodeId| {
            let bytes = &self.disk.inode(*inode).content;
            let at = (bytes.len() / MARK_BYTES).checked_sub(1)? * MARK_BYTES;
            let (_, length) = read_frame(&bytes[at..]).ok()?;
            Some((*inode, at, &bytes[at..at + length]))
        };
        let mut last_marks = self.newest_files(Place::Marks).iter().filter_map(last_mark).collect::<Vec<_>>();
        last_marks.truncate(2);
        let [(inode, at, mark), (_, _, earlier)] = last_marks[..] else { return };
        let mut misnamed = reframe(mark, &earlier[HEADER_BYTES..]);
        misnamed.resize(MARK_BYTES, 0);
        self.disk.alter(inode, at, &misnamed);
    }

    fn misname_checkpoint(&mut self) {
        let is_published = |inode: &InodeId| !self.disk.inode(*inode).name.ends_with(".tmp");
        let Some(newest) = self.newest_files(Place::Checkpoint).into_iter().find(is_published) else {
            return;
        };
        let place = |path: &str| self.step(DiskOperation::Read, path).place;
        let removed = self.disk.record.graveyard.iter().filter(|buried| {
            place(&buried.path) == Place::Checkpoint
                && !buried.path.ends_with(".tmp")
                && read_frame(&buried.content).is_ok()
        });
        let Some(removed) = removed.max_by_key(|buried| &buried.path) else { return };
        let content = &self.disk.inode(newest).content;
        if read_frame(content).is_ok() {
            let misnamed = reframe(content, &removed.content[HEADER_BYTES..]);
            self.disk.rewrite(newest, misnamed);
        }
    }

    fn misname_snapshot(&mut self) {
        let [newest, earlier, ..] = self.newest_files(Place::State)[..] else { return };
        let [newest_bytes, bytes] = [newest, earlier].map(|inode| &self.disk.inode(inode).content);
        let header = |bytes: &[u8]| {
            let range = frames(bytes).first()?.range.clone();
            Some((range.end, codec::decode::<(u64, u64)>(&bytes[HEADER_BYTES..range.end]).ok()?))
        };
        let (Some((_, (time, _))), Some((end, (_, chunks)))) = (header(newest_bytes), header(bytes)) else {
            return;
        };
        let mut misnamed = reframe(bytes, &codec::encode(&(time, chunks)));
        misnamed.extend_from_slice(&bytes[end..]);
        self.disk.rewrite(newest, misnamed);
        self.agree_with(newest);
    }

    fn shorten(&mut self, place: Place) {
        for inode in self.newest_files(place) {
            let file = self.disk.inode(inode);
            let frames = frames(&file.content);
            let [first, .., last] = &frames[..] else { continue };
            let mut shorter = file.content[..last.range.start].to_vec();
            if place == Place::State {
                // The header counts the records behind it.
                let header = codec::decode::<(u64, u64)>(&shorter[first.payload()]);
                let Ok((time, chunks)) = header else { continue };
                let payload = codec::encode(&(time, chunks - 1));
                let rest = shorter.split_off(first.range.end);
                shorter = reframe(&shorter, &payload);
                shorter.extend(rest);
            }
            let stem = file.name.strip_suffix(".wal").map(str::to_owned);
            let length = shorter.len() as u64;
            self.disk.replace(inode, shorter);
            let marks = stem.and_then(|stem| {
                let name = SegmentName::parse(stem.rsplit('/').next()?)?;
                Some((name, self.disk.find(&format!("{stem}.durable")).ok()?))
            });
            match marks {
                Some((name, marks)) => self.shorten_marks(name, marks, length),
                None => self.agree_with(inode),
            }
            return;
        }
    }

    /// Takes away the marks that say that a segment is durable beyond a length.
    fn shorten_marks(&mut self, name: SegmentName, marks: InodeId, length: u64) {
        let mut slots: Vec<&[u8]> = self.disk.inode(marks).content.chunks(MARK_BYTES).collect();
        let says_more = |marks: Marks| marks.length > length || marks.read < marks.written;
        while decode_marks(name, &slots.concat()).is_ok_and(says_more) {
            slots.pop();
        }
        let shorter = slots.concat();
        self.disk.replace(marks, shorter);
    }

    fn hide_completions(&mut self) {
        for inode in self.newest_files(Place::Journal) {
            let bytes = self.disk.inode(inode).content.clone();
            for frame in frames(&bytes).iter().filter(|frame| frame.kind == Kind::Completion) {
                let completion =
                    read_frame(&bytes[frame.range.clone()]).and_then(|(frame, _)| frame.decode());
                let Ok(completion) = completion else { continue };
                let hidden = Completion { time: LONG_AGO, ..completion };
                let hidden = reframe(&bytes[frame.range.clone()], &codec::encode(&hidden));
                if hidden.len() == frame.range.len() {
                    self.disk.alter(inode, frame.range.start, &hidden);
                }
            }
        }
    }
}

impl Volume {
    /// Changes what is read of a file, beside its pristine bytes.
    fn alter(&mut self, inode: InodeId, from: usize, bytes: &[u8]) {
        self.inodes[inode.0].alter(from, bytes);
    }

    /// Gives a file another content, beside its pristine bytes where it is as long as they are.
    fn rewrite(&mut self, inode: InodeId, content: Vec<u8>) {
        match content.len() == self.inode(inode).content.len() {
            true => self.alter(inode, 0, &content),
            false => self.replace(inode, content),
        }
    }

    /// Gives a file another content.
    fn replace(&mut self, inode: InodeId, content: Vec<u8>) {
        self.inodes[inode.0].replace(content);
        self.recount();
    }

    /// The claims that a life may see whom others are hidden from: its own and older ones.
    pub(super) fn list_own_claims(&self, path: &str, actor: super::Actor) -> std::io::Result<Vec<String>> {
        let mut names = self.list(path)?;
        if let Some(own) = self.struck.claims.get(&(actor.node, actor.life)) {
            names.retain(|name| own.ends_with(name.as_str()) || format!("{path}/{name}") < *own);
        }
        Ok(names)
    }
}
