//! Writing the journal: one task, so that all that waits shares one sync of the segment and one of its marks.

use super::{DurableMark, Record, Segment, SegmentHeader, SegmentName};
use crate::{
    codec,
    env::{Env, File, Task},
    error::{Error, Result},
    event::Event,
    ids::{Generation, SegmentId},
    listeners::Listeners,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::{mpsc, oneshot};

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    pub segment: SegmentName,
    pub offset: u64,
    pub length: u64,
}

/// What a driver's first segment goes on from: nothing, at a first start.
#[derive(Debug, Default)]
pub(crate) struct Inherited {
    /// The number of the next segment.
    pub next: SegmentId,
    /// The segments before it that hold records, oldest first, with the lengths that are relied on.
    pub predecessors: Vec<(SegmentName, u64)>,
    /// Records that stand where nothing is relied on, to be written again.
    pub carried: Vec<(Location, Record)>,
}

impl Inherited {
    /// Takes over what the newest segment holds, which is known to be durable up to `durable`.
    pub fn take_over(&mut self, segment: SegmentName, content: &Segment, durable: u64) {
        for (offset, length, record) in &content.records {
            let location = Location { segment, offset: *offset, length: *length };
            match location.end() <= durable {
                true => self.keep_until(location),
                false => self.carried.push((location, record.clone())),
            }
        }
    }

    fn keep_until(&mut self, location: Location) {
        let kept = (location.segment, location.end());
        match self.predecessors.last_mut() {
            Some(last) if last.0 == location.segment => *last = kept,
            _ => self.predecessors.push(kept),
        }
    }
}

/// Where records stand that were carried.
#[derive(Debug, Default)]
pub(crate) struct Moved(BTreeMap<(SegmentName, u64), Location>);

impl Moved {
    /// Where the record stands that stood there.
    pub fn now(&self, before: Location) -> Location {
        self.0.get(&(before.segment, before.offset)).copied().unwrap_or(before)
    }
}

impl Location {
    fn end(self) -> u64 {
        self.offset + self.length
    }
}

/// A journal that is open for writing. It closes when the last clone and the task are dropped.
#[derive(Clone)]
pub(crate) struct Journal {
    requests: mpsc::Sender<Request>,
    open_segment: Arc<AtomicU64>,
    /// The open segment, and how many bytes of it are durable.
    durable: Arc<Mutex<(SegmentId, u64)>>,
    needed_from: Arc<AtomicU64>,
    _task: Arc<dyn Task>,
}

struct Request {
    entries: Vec<Record>,
    sync: bool,
    done: oneshot::Sender<Result<Vec<Location>>>,
}

/// How many requests may wait; a request that finds more waits itself.
const REQUESTS_MAX: usize = 64;

impl Journal {
    /// Begins a segment and returns the journal, and where what was carried stands now. All of it is durable then.
    ///
    /// # Errors
    /// [`Error::Disk`].
    pub async fn begin(
        env: &Env,
        directory: PathBuf,
        generation: Generation,
        inherited: Inherited,
        segment_bytes_max: u64,
        listeners: Listeners,
    ) -> Result<(Self, Moved)> {
        let Inherited { next, predecessors, carried } = inherited;
        let open_segment = Arc::new(AtomicU64::new(next.0));
        let durable = Arc::new(Mutex::new((next, 0)));
        let needed_from = Arc::new(AtomicU64::new(0));
        let mut writer = Writer {
            env: env.clone(),
            directory,
            generation,
            segment_bytes_max,
            listeners,
            predecessors,
            open: None,
            open_segment: open_segment.clone(),
            durable: durable.clone(),
            needed_from: needed_from.clone(),
        };
        let moved = writer.begin_segment(next, &carried).await?;
        let (requests, inbox) = mpsc::channel(REQUESTS_MAX);
        let task = env.executor.spawn("journal", Box::pin(writer.run(inbox)));
        Ok((Self { requests, open_segment, durable, needed_from, _task: task.into() }, moved))
    }

    /// How many bytes of a segment are durable, if it is the open one; 0 of any other.
    pub fn durable_length(&self, segment: SegmentId) -> u64 {
        let (open, length) = *self.durable.lock().expect("nothing panics while it holds the lock");
        if open == segment { length } else { 0 }
    }

    /// The segment that the next record will stand in, or one after it.
    pub fn open_segment(&self) -> SegmentId {
        SegmentId(self.open_segment.load(Ordering::SeqCst))
    }

    /// Segments before this one were trimmed: the next segment need not name them.
    pub fn forget_before(&self, segment: SegmentId) {
        self.needed_from.store(segment.0, Ordering::SeqCst);
    }

    /// Appends entries, in this order and without anything between them; with `sync`, returns once they are durable.
    ///
    /// # Errors
    /// Whatever kept them from that. The journal is closed then: what was not durable before may never be.
    pub async fn append(&self, entries: Vec<Record>, sync: bool) -> Result<Vec<Location>> {
        let (done, result) = oneshot::channel();
        let lost = |_| Error::TaskLost { task: "journal" };
        self.requests.send(Request { entries, sync, done }).await.map_err(|_| lost(()))?;
        result.await.map_err(|_| lost(()))?
    }
}

struct OpenSegment {
    name: SegmentName,
    file: Box<dyn File>,
    marks: Box<dyn File>,
    length: u64,
    records: u64,
    /// How many bytes the last mark covers.
    marked: u64,
    marks_written: u64,
}

struct Writer {
    env: Env,
    directory: PathBuf,
    generation: Generation,
    segment_bytes_max: u64,
    listeners: Listeners,
    /// The segments before the open one that may still be needed.
    predecessors: Vec<(SegmentName, u64)>,
    open: Option<OpenSegment>,
    open_segment: Arc<AtomicU64>,
    /// The open segment, and how many bytes of it are durable.
    durable: Arc<Mutex<(SegmentId, u64)>>,
    needed_from: Arc<AtomicU64>,
}

impl Writer {
    async fn run(mut self, mut inbox: mpsc::Receiver<Request>) {
        while let Some(first) = inbox.recv().await {
            let mut group = vec![first];
            while group.len() < REQUESTS_MAX
                && let Ok(next) = inbox.try_recv()
            {
                group.push(next);
            }
            match self.commit(&group).await {
                Ok(locations) => {
                    for (request, locations) in group.into_iter().zip(locations) {
                        // Nobody waits any more: the driver is stopping.
                        let _ = request.done.send(Ok(locations));
                    }
                }
                Err(error) => {
                    let error = Arc::new(error);
                    for request in group {
                        let _ = request.done.send(Err(error.clone().into()));
                    }
                    // Whoever comes later hears the same, so that the driver ends with what ended it.
                    while let Some(request) = inbox.recv().await {
                        let _ = request.done.send(Err(error.clone().into()));
                    }
                    return;
                }
            }
        }
    }

    async fn commit(&mut self, group: &[Request]) -> Result<Vec<Vec<Location>>> {
        if self.open.as_ref().is_some_and(|open| open.length >= self.segment_bytes_max) {
            self.roll().await?;
        }
        let open = self.open.as_mut().expect("a segment is open");
        let path = open.name.wal(&self.directory);
        let mut bytes = Vec::new();
        let mut locations = Vec::with_capacity(group.len());
        for request in group {
            let mut of_request = Vec::with_capacity(request.entries.len());
            for entry in &request.entries {
                let start = bytes.len();
                open.records += 1;
                entry.write(&mut bytes, self.generation, open.records);
                of_request.push(Location {
                    segment: open.name,
                    offset: open.length + start as u64,
                    length: (bytes.len() - start) as u64,
                });
            }
            locations.push(of_request);
        }
        open.file.append(&bytes).await.map_err(Error::disk("append to", &path))?;
        open.length += bytes.len() as u64;
        if group.iter().any(|request| request.sync) {
            sync(open, &path, &self.directory, self.generation).await?;
            *self.durable.lock().expect("nothing panics while it holds the lock") =
                (open.name.segment, open.length);
        }
        Ok(locations)
    }

    /// Ends the open segment and begins the next one.
    async fn roll(&mut self) -> Result<()> {
        let mut open = self.open.take().expect("a segment is open");
        let path = open.name.wal(&self.directory);
        sync(&mut open, &path, &self.directory, self.generation).await?;
        self.predecessors.push((open.name, open.length));
        self.begin_segment(open.name.segment.next(), &[]).await?;
        mark(&mut open, &self.directory, self.generation, true).await
    }

    async fn begin_segment(&mut self, segment: SegmentId, carried: &[(Location, Record)]) -> Result<Moved> {
        let name = SegmentName { segment, generation: self.generation };
        let needed_from = SegmentId(self.needed_from.load(Ordering::SeqCst));
        self.predecessors.retain(|(name, _)| name.segment >= needed_from);
        let records = carried.len() as u64;
        let header = SegmentHeader { name, predecessors: self.predecessors.clone(), carried: records };
        let mut bytes = Vec::new();
        codec::write_frame(&mut bytes, self.generation, 0, &header);
        let mut moved = Moved::default();
        for (sequence, (before, record)) in (1..).zip(carried) {
            let offset = bytes.len() as u64;
            record.write(&mut bytes, self.generation, sequence);
            let location = Location { segment: name, offset, length: bytes.len() as u64 - offset };
            moved.0.insert((before.segment, before.offset), location);
        }

        let (path, marks_path) = (name.wal(&self.directory), name.marks(&self.directory));
        let disk = &self.env.disk;
        let mut file = disk.create_new(&path).await.map_err(Error::disk("create", &path))?;
        file.append(&bytes).await.map_err(Error::disk("append to", &path))?;
        let marks = disk.create_new(&marks_path).await.map_err(Error::disk("create", &marks_path))?;
        let length = bytes.len() as u64;
        let mut open = OpenSegment { name, file, marks, length, records, marked: 0, marks_written: 0 };
        open.file.sync().await.map_err(Error::disk("sync", &path))?;
        let directory = &self.directory;
        disk.sync_dir(directory).await.map_err(Error::disk("sync the directory", directory))?;
        mark(&mut open, directory, self.generation, false).await?;
        self.open = Some(open);
        *self.durable.lock().expect("nothing panics while it holds the lock") = (segment, length);
        self.open_segment.store(segment.0, Ordering::SeqCst);
        self.listeners.tell(&Event::SegmentStarted { segment });
        Ok(moved)
    }
}

/// Makes all that was appended durable, and then known to be.
async fn sync(open: &mut OpenSegment, path: &Path, directory: &Path, generation: Generation) -> Result<()> {
    if open.marked == open.length {
        return Ok(());
    }
    open.file.sync().await.map_err(Error::disk("sync", path))?;
    mark(open, directory, generation, false).await
}

async fn mark(
    open: &mut OpenSegment,
    directory: &Path,
    generation: Generation,
    continued: bool,
) -> Result<()> {
    let mark = DurableMark { length: open.length, continued };
    let path = open.name.marks(directory);
    let slot = mark.slot(generation, open.marks_written);
    open.marks.append(&slot).await.map_err(Error::disk("append to", &path))?;
    open.marks.sync().await.map_err(Error::disk("sync", &path))?;
    open.marks_written += 1;
    open.marked = open.length;
    Ok(())
}
