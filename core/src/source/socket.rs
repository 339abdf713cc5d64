//! Lines from a socket, in two forms.
//!
//! - `tcp://HOST:PORT` sends lines, as `nc -lk`. What was under way when the connection broke is gone.
//! - `resume://HOST:PORT` takes two messages: on connect `RESUME n` (n lines are durable: send line n next), and `ACK n`
//!   each time the durable count grows.
//!
//! The end of a connection is the end of a stream only for the source: the receiver connects again, with backoff, for ever. An
//! attempt that hangs is given up; a connection whose other side is gone without a word ends by the network's keep-alive.
//!
//! An unterminated last line is a record after an orderly end, and is dropped and counted after a reset. Of a `resume` source it
//! never is one: an orderly end does not tell a last line from one that was cut, however often it comes at the same byte, and
//! to acknowledge a cut line is to lose it. Such a source sends the line again, and ends each of its lines. It is never glued
//! to the next connection's first line.

use super::{
    BlockData, LoadedBlock, NewBlock, Position, ReceiverSupervisor, Source,
    lines::{LineBlock, LineSplitter},
};
use crate::{
    codec,
    dstream::{BatchScope, Partition, Rdd, Stream},
    env::{BoxFuture, Connection, Env, Task, Writer, host_and_port},
    error::{GraphError, Result},
    event::Event,
    options::Options,
    text::{Text, TextBlock},
};
use std::{fmt, io, str::FromStr, sync::Arc, time::Duration};
use tokio::sync::watch;

/// Where lines come from, and whether the other side can resume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketAddress {
    /// `HOST:PORT`.
    pub address: String,
    /// `resume://` instead of `tcp://`.
    pub resumes: bool,
}

impl FromStr for SocketAddress {
    type Err = GraphError;

    fn from_str(url: &str) -> std::result::Result<Self, GraphError> {
        let (address, resumes) = match url.split_once("://") {
            Some(("tcp", address)) => (address, false),
            Some(("resume", address)) => (address, true),
            _ => return Err(GraphError::Source(url.into())),
        };
        match host_and_port(address) {
            Ok(_) => Ok(Self { address: address.into(), resumes }),
            Err(_) => Err(GraphError::Source(url.into())),
        }
    }
}

impl fmt::Display for SocketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.resumes { "resume" } else { "tcp" }, self.address)
    }
}

pub(crate) struct SocketSource {
    address: SocketAddress,
    options: Options,
}

impl SocketSource {
    pub fn new(address: SocketAddress, options: Options) -> Self {
        Self { address, options }
    }

    async fn connect(&self, env: &Env) -> io::Result<Connection> {
        let timeout = self.options.connect_timeout;
        tokio::select! {
            biased;
            connected = env.network.connect(&self.address.address) => connected,
            () = env.clock.sleep(timeout) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {timeout:?}")))
            }
        }
    }
}

impl Source for SocketSource {
    fn receive(self: Arc<Self>, supervisor: ReceiverSupervisor) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move { Session::new(&self, supervisor)?.run().await })
    }

    fn load<'a>(&'a self, _env: &'a Env, data: Arc<BlockData>) -> BoxFuture<'a, Result<LoadedBlock>> {
        Box::pin(async move {
            let BlockData::Text(text) = &*data else { unreachable!("a socket stores text blocks") };
            Ok(text.clone() as LoadedBlock)
        })
    }
}

/// How a connection ended.
enum End {
    Stopping,
    Orderly,
    Broken(io::Error),
}

/// A receiver at work, over all its connections.
struct Session<'a> {
    source: &'a SocketSource,
    supervisor: ReceiverSupervisor,
    splitter: LineSplitter,
    /// Lines stored or being stored, since the source's first.
    lines: u64,
    /// A block that is on its way to the journal, and the value of `lines` after it.
    storing: Option<(BoxFuture<'static, Result<()>>, u64)>,
    durable: watch::Sender<Durable>,
    failures_in_row: u32,
    /// Whether the listeners know that there is no connection.
    told: bool,
}

impl<'a> Session<'a> {
    fn new(source: &'a SocketSource, supervisor: ReceiverSupervisor) -> Result<Self> {
        let lines = match supervisor.position() {
            None => 0,
            Some(position) => supervisor.decode_position(position)?,
        };
        Ok(Self {
            splitter: LineSplitter::new(source.options.line_bytes_max),
            source,
            supervisor,
            lines,
            storing: None,
            durable: watch::Sender::new(Durable { lines, last: false }),
            failures_in_row: 0,
            told: false,
        })
    }

    async fn run(mut self) -> Result<()> {
        while !self.supervisor.is_stopping() {
            let env = self.supervisor.env().clone();
            self.supervisor.check_fence().await?;
            let connected = tokio::select! {
                biased;
                () = self.supervisor.stopping() => break,
                connected = self.source.connect(&env) => connected,
            };
            let end = match connected {
                Ok(connection) => self.serve(connection).await?,
                Err(error) => End::Broken(error),
            };
            let (reason, dropped_bytes) = match end {
                End::Stopping => break,
                End::Orderly => ("the source closed the connection".into(), self.end_fragment()),
                End::Broken(error) => (error.to_string(), self.splitter.drop_partial()),
            };
            self.flush().await?;
            if !self.told || dropped_bytes > 0 {
                let source = self.supervisor.source();
                self.supervisor.tell(Event::SourceDisconnected { source, reason, dropped_bytes });
                self.told = true;
            }
            let pause = self.backoff(&env);
            self.supervisor.sleep_or_stop(env.clock.sleep(pause)).await;
        }
        self.splitter.drop_partial();
        self.flush().await
    }

    /// Decides on the unterminated line after an orderly end; returns how many bytes were dropped.
    fn end_fragment(&mut self) -> u64 {
        if self.source.address.resumes {
            return self.splitter.drop_partial();
        }
        self.splitter.end_partial();
        0
    }

    fn backoff(&mut self, env: &Env) -> Duration {
        let options = &self.source.options;
        let doubled = options.reconnect_min.saturating_mul(1 << self.failures_in_row.min(16));
        self.failures_in_row += 1;
        let bounded = doubled.min(options.reconnect_max);
        // Up to a quarter less, so that many drivers do not come at once.
        bounded - bounded.mul_f64((env.random.next_u64() % 1024) as f64 / 4096.0)
    }

    async fn serve(&mut self, connection: Connection) -> Result<End> {
        let env = self.supervisor.env().clone();
        let Connection { mut reader, mut writer } = connection;
        let resumes = self.source.address.resumes;
        if resumes {
            let resume = format!("RESUME {}\n", self.lines);
            if let Err(error) = writer.write_all(resume.as_bytes()).await {
                return Ok(End::Broken(error));
            }
        }
        let resume_from = resumes.then_some(self.lines);
        self.supervisor.tell(Event::SourceConnected { source: self.supervisor.source(), resume_from });
        self.told = false;
        let (mut acknowledger, _task) = acknowledge(&env, writer, self.durable.subscribe(), resumes);
        let options = &self.source.options;
        let mut bytes = Vec::new();
        let mut flush_at = None;
        loop {
            if self.storing.is_none()
                && (self.splitter.bytes() >= options.block_bytes_max
                    || flush_at.is_some_and(|at| env.clock.monotonic() >= at))
            {
                self.begin_store();
                flush_at = None;
            }
            if flush_at.is_none() && self.splitter.lines() > 0 {
                flush_at = Some(env.clock.monotonic().after(options.block_interval));
            }
            let reading = self.splitter.bytes() < options.block_bytes_max;
            let timer = flush_at.filter(|_| self.storing.is_none());
            bytes.clear();
            tokio::select! {
                biased;
                () = self.supervisor.stopping() => {
                    self.splitter.drop_partial();
                    self.flush().await?;
                    self.durable.send_replace(Durable { lines: self.lines, last: true });
                    tokio::select! {
                        biased;
                        _ = &mut acknowledger => {}
                        () = env.clock.sleep(LAST_ACKNOWLEDGEMENT) => {}
                    }
                    return Ok(End::Stopping);
                }
                stored = async { self.storing.as_mut().expect("checked").0.as_mut().await }, if self.storing.is_some() => {
                    self.end_store(stored)?;
                }
                () = async { env.clock.sleep_until(timer.expect("checked")).await }, if timer.is_some() => {}
                error = &mut acknowledger => {
                    return Ok(End::Broken(error.unwrap_or_else(|_| io::ErrorKind::BrokenPipe.into())));
                }
                read = reader.read(&mut bytes, READ_BYTES_MAX), if reading => match read {
                    Ok(0) => return Ok(End::Orderly),
                    Ok(_) => {
                        self.failures_in_row = 0;
                        self.splitter.push(&bytes);
                    }
                    Err(error) => return Ok(End::Broken(error)),
                },
            }
        }
    }

    /// Sends the complete lines on their way to the journal.
    fn begin_store(&mut self) {
        let Some(LineBlock { text, cut, replaced }) = self.splitter.take() else { return };
        if cut > 0 || replaced > 0 {
            self.supervisor.tell(Event::RecordsRepaired { source: self.supervisor.source(), cut, replaced });
        }
        let records = text.len() as u64;
        self.lines += records;
        let position = Some(Position(codec::encode(&self.lines)));
        let block = NewBlock { data: BlockData::Text(Arc::new(text)), records, position };
        self.storing = Some((self.supervisor.store(block), self.lines));
    }

    fn end_store(&mut self, stored: Result<()>) -> Result<()> {
        let (_, lines) = self.storing.take().expect("a store was under way");
        stored?;
        self.durable.send_replace(Durable { lines, last: false });
        Ok(())
    }

    /// Makes everything durable that is a line.
    async fn flush(&mut self) -> Result<()> {
        loop {
            if let Some((store, _)) = &mut self.storing {
                let stored = store.as_mut().await;
                self.end_store(stored)?;
            }
            if self.splitter.lines() == 0 {
                return Ok(());
            }
            self.begin_store();
        }
    }
}

/// How much is read at once.
const READ_BYTES_MAX: usize = 256 * 1024;

/// How long a stopping receiver waits for its last acknowledgement to be taken.
const LAST_ACKNOWLEDGEMENT: Duration = Duration::from_secs(1);

/// What the other side may know.
#[derive(Clone, Copy)]
struct Durable {
    /// Lines that are in the journal.
    lines: u64,
    /// There will be no more.
    last: bool,
}

/// Sends `ACK n` whenever the durable count grows, beside the reading, so that a source that does not read its
/// acknowledgements cannot stop us. The returned receiver completes when a write fails or the last one is written.
fn acknowledge(
    env: &Env,
    mut writer: Box<dyn Writer>,
    mut durable: watch::Receiver<Durable>,
    resumes: bool,
) -> (tokio::sync::oneshot::Receiver<io::Error>, Box<dyn Task>) {
    let (failed, failure) = tokio::sync::oneshot::channel();
    let task = env.executor.spawn(
        "acknowledger",
        Box::pin(async move {
            let mut told = durable.borrow().lines;
            while durable.changed().await.is_ok() {
                let Durable { lines, last } = *durable.borrow_and_update();
                if resumes && lines > told {
                    if let Err(error) = writer.write_all(format!("ACK {lines}\n").as_bytes()).await {
                        let _ = failed.send(error);
                        return;
                    }
                    told = lines;
                }
                if last {
                    let _ = writer.finish().await;
                    return;
                }
            }
        }),
    );
    (failure, task)
}

/// The lines of blocks, a partition a block.
pub(crate) struct TextStream {
    pub source: crate::ids::SourceId,
}

impl Stream<Text> for TextStream {
    fn compute(&self, scope: &BatchScope<'_>) -> Rdd<Text> {
        let partition = |block: &LoadedBlock| {
            let text = block.clone().downcast::<TextBlock>().expect("a text source loads text");
            Partition::new(move |emit| Text::each(&text, emit))
        };
        scope.rdd(scope.blocks(self.source).iter().map(partition).collect())
    }
}

#[cfg(all(test, feature = "os"))]
mod tests {
    use super::*;
    use crate::{
        Options, StreamingContext,
        env::{Listener, Network},
    };
    use std::sync::Mutex;

    /// A network in which nobody answers.
    struct Silent(tokio::sync::mpsc::UnboundedSender<()>);

    impl Network for Silent {
        fn connect<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Connection>> {
            let _ = self.0.send(());
            Box::pin(std::future::pending())
        }

        fn listen<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Box<dyn Listener>>> {
            Box::pin(async { Err(io::ErrorKind::Unsupported.into()) })
        }
    }

    #[test]
    fn an_attempt_to_connect_that_hangs_is_given_up_and_made_again() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        runtime.block_on(async {
            let (attempts, mut attempted) = tokio::sync::mpsc::unbounded_channel();
            let env = Env { network: Arc::new(Silent(attempts)), ..crate::os::env_with_threads(1) };
            let options = Options {
                connect_timeout: Duration::from_millis(20),
                reconnect_min: Duration::from_millis(1),
                ..Options::default()
            };
            let mut context = StreamingContext::new(&env, options).unwrap();
            let reasons = Arc::new(Mutex::new(Vec::new()));
            let told = reasons.clone();
            context.add_listener(move |event: &Event| {
                if let Event::SourceDisconnected { reason, .. } = event {
                    told.lock().unwrap().push(reason.clone());
                }
            });
            context.socket_text_stream("tcp://nowhere:1").unwrap().for_each_batch(|_| {});
            context.checkpoint(directory.path());
            context.start().await.unwrap();
            for _ in 0..3 {
                attempted.recv().await.unwrap();
            }
            context.stop(false).await.unwrap();
            assert_eq!(*reasons.lock().unwrap(), ["no answer within 20ms"]);
        });
    }
}
