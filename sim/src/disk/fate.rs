//! Which faults strike a disk operation, and how it goes then.
//!
//! Faults of a moment strike the operation at their trigger; of several the first in the plan, and none together with a crash: the others
//! are missed, and so is one that an operation of this kind does not concern. What lasts strikes whoever uses the disk.

use super::{
    Target, Way,
    damage::{Damage, Latent},
    record::{Done, FailedOperation},
    struck::SlowLife,
    untold::Synced,
    volume::{Actor, InodeId, Volume},
};
use crate::{
    fault::{BitRot, DiskOperation, Due, Fault, FileSystem, Hit, MisdirectedWrite, Moment, Place, injected},
    rng::{Domain, Draws, stream},
    sabotage::Sabotage,
    world::{Life, NodeIndex, Seat, State, VirtualTime},
};
use rand_chacha::ChaCha8Rng;
use std::io::{self, ErrorKind};
use xxhash_rust::xxh3::xxh3_64;

/// How an operation goes.
pub(super) enum Fate {
    /// To its end.
    Goes(Way),
    /// As far as it says, and then it fails.
    Fails(Option<Way>, io::Error),
    /// A sync fails, as on a file system, by a fault.
    SyncFails(FileSystem, Moment, Box<ChaCha8Rng>, usize),
    /// An append goes to its end, and its bytes do not land where they should.
    Damages(usize, Option<Landing>),
    /// A read shows what was there before.
    Stale(usize),
}

impl Fate {
    /// What is done of an operation that fails; `None` if it does not fail.
    fn done(&self) -> Option<Done> {
        match self {
            Self::Goes(_) | Self::Damages(..) | Self::Stale(_) => None,
            Self::Fails(None | Some(Way::Nothing | Way::Part(0)), _) => Some(Done::Nothing),
            Self::Fails(Some(Way::Part(part)), _) if *part < 1024 => Some(Done::Part),
            Self::Fails(..) => Some(Done::Whole),
            // The last piece is given up in any case.
            Self::SyncFails(_, Moment::Before, ..) => Some(Done::Nothing),
            Self::SyncFails(..) => Some(Done::Part),
        }
    }
}

/// Where the bytes of an append land instead.
pub(super) struct Landing {
    inode: InodeId,
    from: usize,
    bytes: Vec<u8>,
}

/// An operation that was let in.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub operation: DiskOperation,
    pub target: Target<'a>,
    /// Which of its life, from 1.
    pub number: u64,
    pub at: VirtualTime,
}

/// What a fault leaves to chance.
fn chance(fault: &Fault, number: u64) -> ChaCha8Rng {
    stream(xxh3_64(fault.to_string().as_bytes()) ^ number, Domain::Damage)
}

fn eio(fault: usize) -> io::Error {
    injected(fault, ErrorKind::Other, "input/output error")
}

impl State {
    /// Whether an operation may go another way than usual, without a fault of its own.
    pub(super) fn is_disk_struck(&mut self, at: VirtualTime) -> bool {
        self.disk.struck.is_any()
            || !self.disk.sabotage.is_empty()
            || self.armed.going_on(at).next().is_some()
    }

    /// For how many nanoseconds an operation waits beyond the usual, and whether after its effect. `after` says it where the
    /// fault does not.
    pub(super) fn stall(
        &mut self,
        seat: &Seat,
        entry: Entry<'_>,
        due: &mut Vec<Due>,
        mut after: bool,
    ) -> (u64, bool) {
        let (slow, others) =
            due.drain(..).partition(|due| matches!(self.armed.fault(due.fault), Fault::SlowDisk(_)));
        *due = others;
        let slow: Vec<Due> = slow;
        for Due { fault, moment } in slow {
            after = moment == Moment::After;
            self.strike_operation(fault, seat, entry);
        }
        let mut millis = self.disk.struck.stall_ms.take().unwrap_or(0);
        for (_, fault, until) in self.armed.going_on(entry.at) {
            if let Fault::SlowDisk(slow) = fault
                && slow.for_ms > 0
                && until > entry.at.after_nanos(slow.latency_ms.saturating_mul(1_000_000))
            {
                millis = millis.max(slow.latency_ms);
            }
        }
        if let Some(slow) = self.disk.struck.slow_start
            && (slow.node, slow.life) == (seat.node, seat.life)
        {
            match entry.number <= slow.operations {
                true => millis = millis.max(slow.latency_ms),
                false => self.disk.struck.slow_start = None,
            }
        }
        (millis.saturating_mul(1_000_000), after)
    }

    /// How an operation goes.
    pub(super) fn fate(&mut self, seat: &Seat, entry: Entry<'_>, due: Vec<Due>) -> Fate {
        let mut fate = Fate::Goes(Way::Whole);
        for Due { fault, moment } in due {
            let kind = self.armed.fault(fault);
            if !kind.is_of_an_operation() {
                self.strike_operation(fault, seat, entry);
                continue;
            }
            if !matches!(fate, Fate::Goes(_)) {
                continue;
            }
            let Some(struck) = self.struck_by(fault, moment, entry) else { continue };
            // A stale read tells by itself whether it was one.
            if !matches!(struck, Fate::Stale(_)) {
                self.strike_operation(fault, seat, entry);
            }
            fate = struck;
        }
        if !matches!(fate, Fate::Goes(_)) {
            return fate;
        }
        if self.disk.struck.lies && entry.operation.is_sync() {
            return Fate::Goes(Way::Nothing);
        }
        let mut lasting = self.armed.going_on(entry.at);
        let full = lasting.find_map(|(fault, kind, _)| {
            matches!(kind, Fault::DiskFull(_)).then(|| (fault, chance(kind, entry.number)))
        });
        drop(lasting);
        match full {
            Some((fault, rng)) if needs_space(&self.disk, entry) => no_space(fault, rng, entry.operation),
            _ => Fate::Goes(self.sabotaged_way(entry)),
        }
    }

    fn strike_operation(&mut self, fault: usize, seat: &Seat, entry: Entry<'_>) {
        let path = entry.target.path(&self.disk);
        let step = self.step(entry.operation, &path);
        let hit = Hit::Disk { number: entry.number, step, path };
        self.strike(fault, seat.node, seat.life, entry.at, hit);
    }

    /// What a fault of a moment makes of an operation; `None` if it does not concern it.
    fn struck_by(&self, fault: usize, moment: Moment, entry: Entry<'_>) -> Option<Fate> {
        let kind = self.armed.fault(fault);
        let Entry { operation, target, number, .. } = entry;
        let appended = match target {
            Target::File(inode, bytes) if operation == DiskOperation::Append && !bytes.is_empty() => {
                Some((inode, bytes))
            }
            _ => None,
        };
        let place = self.step(operation, &target.path(&self.disk)).place;
        let is_checkpoint = !matches!(place, Place::Output | Place::Elsewhere);
        match kind {
            Fault::IoError(_) => {
                Some(Fate::Fails(part_of(operation, moment, chance(kind, number)), eio(fault)))
            }
            Fault::ShortWrite(short) => appended.map(|_| {
                let error = injected(fault, ErrorKind::WriteZero, "only a part was written");
                Fate::Fails(Some(Way::Part(short.part)), error)
            }),
            Fault::FailedSync(failed) => operation.is_sync().then(|| {
                let rng = Box::new(chance(kind, number));
                Fate::SyncFails(failed.file_system, moment, rng, fault)
            }),
            Fault::LostWrite(_) => appended.filter(|_| is_checkpoint).map(|_| Fate::Damages(fault, None)),
            Fault::MisdirectedWrite(write) => {
                let (own, bytes) = appended.filter(|_| is_checkpoint)?;
                Some(Fate::Damages(fault, Some(self.landing(write, own, bytes)?)))
            }
            Fault::StaleRead(_) => {
                let reads =
                    matches!(operation, DiskOperation::Read | DiskOperation::Length | DiskOperation::List);
                (reads && is_checkpoint).then_some(Fate::Stale(fault))
            }
            _ => None,
        }
    }

    fn landing(&self, write: &MisdirectedWrite, own: InodeId, bytes: &[u8]) -> Option<Landing> {
        let mut files = self.reachable(write.place);
        files.retain(|(inode, _)| *inode != own);
        let (inode, reach) = *files.get(write.file.checked_rem(files.len() as u64)? as usize)?;
        let from = (write.byte % reach as u64) as usize;
        let length = bytes.len().min(reach - from);
        Some(Landing { inode, from, bytes: bytes[..length].to_vec() })
    }

    /// The files at a place of the checkpoint directory, the newest first, and how many bytes of each faults can reach.
    pub(super) fn reachable(&self, place: Place) -> Vec<(InodeId, usize)> {
        if matches!(place, Place::Output | Place::Elsewhere) {
            return Vec::new();
        }
        self.disk.reachable(|path| self.step(DiskOperation::Read, path).place == place)
    }

    fn rotten(&self, rot: &BitRot) -> Option<(InodeId, usize)> {
        let files = self.reachable(rot.place);
        let (inode, reach) = *files.get(rot.file.checked_rem(files.len() as u64)? as usize)?;
        Some((inode, (rot.byte % reach as u64) as usize))
    }

    /// Whether a fault that comes now finds what it needs; else it is missed.
    pub(crate) fn can_strike(&self, fault: usize, hit: &Hit) -> bool {
        match self.armed.fault(fault) {
            Fault::BitRot(rot) => self.rotten(rot).is_some(),
            Fault::OtherProgram(_) => self.has_checkpoint(),
            kind => !kind.is_of_an_operation() || matches!(hit, Hit::Disk { .. }),
        }
    }

    /// Whether a checkpoint was published.
    fn has_checkpoint(&self) -> bool {
        let is_checkpoint = |path: &str| {
            Place::of(path, &self.checkpoint_dir) == Place::Checkpoint && !path.ends_with(".tmp")
        };
        self.disk.files().any(|(path, _)| is_checkpoint(&path))
    }

    /// What a fault does to the disk at once, or from now on.
    pub(crate) fn strike_disk(&mut self, fault: usize, node: NodeIndex, life: Life) {
        match self.armed.fault(fault) {
            Fault::BitRot(rot) => {
                let bit = rot.bit;
                if let Some((inode, byte)) = self.rotten(rot) {
                    self.disk.rot(inode, fault, byte, bit);
                }
            }
            Fault::LyingDisk(_) => self.disk.struck.lies = true,
            Fault::SlowDisk(slow) if slow.for_ms == 0 => {
                self.disk.struck.stall_ms = Some(slow.latency_ms);
            }
            Fault::SlowStart(slow) => {
                let (operations, latency_ms) = (slow.operations, slow.latency_ms);
                self.disk.struck.slow_start = Some(SlowLife { node, life, operations, latency_ms });
            }
            _ => {}
        }
    }

    /// Keeps for the judges that the driver is told of a failure.
    fn note_failure(&mut self, seat: &Seat, entry: Entry<'_>, done: Done) {
        if self.armed.driver != Some(seat.node) {
            return;
        }
        let path = entry.target.path(&self.disk);
        let step = self.step(entry.operation, &path);
        let durable = match entry.target {
            Target::File(inode, _) => Some(self.disk.inode(inode).synced as u64),
            Target::Path(_) => None,
        };
        let failure = FailedOperation { life: seat.life, at: entry.at, step, path, done, durable };
        self.disk.record.failures.push(failure);
    }

    /// Carries out an operation as its fate will have it.
    pub(super) fn fulfil<T>(
        &mut self,
        seat: &Seat,
        entry: Entry<'_>,
        fate: Fate,
        act: impl FnOnce(&mut Volume, Actor, Way) -> io::Result<T>,
    ) -> io::Result<T> {
        let actor = Actor { node: seat.node, life: seat.life, at: entry.at };
        if let Some(done) = fate.done() {
            self.note_failure(seat, entry, done);
        }
        let disk = &mut self.disk;
        let swallowed = disk.is_sabotaged(Sabotage::ErrorsAreSwallowed)
            && (entry.operation == DiskOperation::Append || entry.operation.is_sync());
        match fate {
            Fate::Goes(way) => {
                let told = match entry.operation.is_sync() {
                    true => disk.struck.untold.tell(&Synced::by(entry.target), actor),
                    false => None,
                };
                if let Some(fault) = told.filter(|_| !swallowed) {
                    // Its own part is done, and what the one before it gave up is not.
                    self.note_failure(seat, entry, Done::Part);
                    let _ = act(&mut self.disk, actor, way);
                    return Err(eio(fault));
                }
                let result = act(disk, actor, way);
                if result.is_ok() && !disk.sabotage.is_empty() {
                    self.after_step(seat, entry);
                }
                result
            }
            Fate::Fails(way, _) if swallowed => act(disk, actor, way.unwrap_or(Way::Nothing)),
            Fate::Fails(way, error) => {
                if let Some(way) = way {
                    // Whatever comes of it, the caller is told the fault's error.
                    let _ = act(disk, actor, way);
                }
                Err(error)
            }
            Fate::SyncFails(file_system, moment, mut rng, fault) => {
                if !disk.is_sabotaged(Sabotage::FailedSyncsAreToldOnce) {
                    disk.struck.untold.failed(&Synced::by(entry.target), fault);
                }
                disk.struck.untold.tell(&Synced::by(entry.target), actor);
                let is_written = |behind: usize| match moment {
                    Moment::Before => false,
                    Moment::Inside => rng.one_in(2),
                    Moment::After => behind > 0,
                };
                match entry.target {
                    Target::File(inode, _) => disk.fail_sync(inode, file_system, is_written, actor),
                    Target::Path(path) => disk.fail_sync_dir(path, file_system, is_written, actor),
                }
                if swallowed {
                    return act(disk, actor, Way::Nothing);
                }
                Err(eio(fault))
            }
            Fate::Damages(fault, landing) => {
                let Target::File(inode, written) = entry.target else {
                    unreachable!("only an append does damage")
                };
                let from = disk.inode(inode).content.len();
                let done = act(disk, actor, Way::Whole)?;
                let by = (seat.node, seat.life);
                disk.damage_later(inode, Latent { fault, by, from, bytes: vec![0; written.len()] });
                if let Some(Landing { inode, from, bytes }) = landing {
                    disk.damage_later(inode, Latent { fault, by, from, bytes });
                }
                Ok(done)
            }
            Fate::Stale(fault) => {
                let read = act(disk, actor, Way::Stale);
                if let Some(bytes) = disk.struck.unseen.take() {
                    let path = entry.target.path(disk);
                    disk.struck.stale.push(Damage { path, fault, bytes });
                    self.strike_operation(fault, seat, entry);
                }
                read
            }
        }
    }
}

/// How much of an operation is done that fails with an error of the medium. A lock that fails is not taken, and a read gives
/// nothing.
fn part_of(operation: DiskOperation, moment: Moment, mut rng: ChaCha8Rng) -> Option<Way> {
    match (moment, operation) {
        (Moment::Before, _) | (_, DiskOperation::Lock) => None,
        (Moment::Inside, DiskOperation::Append) => Some(Way::Part(rng.between(0..=1024))),
        (Moment::Inside, _) => rng.one_in(2).then_some(Way::Whole),
        (Moment::After, _) => Some(Way::Whole),
    }
}

/// Whether an operation takes space on the disk, if it succeeds.
fn needs_space(disk: &Volume, entry: Entry<'_>) -> bool {
    match (entry.operation, entry.target) {
        (DiskOperation::Append, Target::File(_, bytes)) => !bytes.is_empty(),
        (DiskOperation::CreateNew | DiskOperation::Lock, Target::Path(path)) => disk.can_create(path),
        (DiskOperation::CreateDir, Target::Path(path)) => {
            !disk.has_directory(path) && disk.find(path).is_err()
        }
        _ => false,
    }
}

fn no_space(fault: usize, mut rng: ChaCha8Rng, operation: DiskOperation) -> Fate {
    let part = operation == DiskOperation::Append && rng.one_in(2);
    let way = part.then(|| Way::Part(rng.between(0..=1023)));
    Fate::Fails(way, injected(fault, ErrorKind::StorageFull, "no space left on the device"))
}
