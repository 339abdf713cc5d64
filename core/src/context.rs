//! The entry point of a program: [`StreamingContext`].

use crate::{
    checkpoint::CheckpointDirectory,
    driver::{self, Opened, Running},
    dstream::{DStream, Data, Operator, OperatorKind, Rdd, SharedBuilder, Stored},
    env::Env,
    error::{Error, GraphError, Result},
    event::{Event, StreamingListener},
    flag::Flag,
    ids::BatchTime,
    listeners::Listeners,
    options::Options,
    recovery,
    source::{
        DirectorySource, QueueSource, Receiver, ReceiverSource, RecordStream, SocketAddress, SocketSource,
        Source, TextStream,
    },
    text::Text,
};
use std::{
    any::type_name,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// A streaming program: its graph, and the driver that runs it.
///
/// ```no_run
/// use highwater_core::{Options, StreamingContext, Text};
///
/// # async fn program() -> Result<(), highwater_core::Error> {
/// let mut context = StreamingContext::get_or_create(highwater_core::os::env(), "checkpoint", |env| {
///     let context = StreamingContext::new(env, Options::default())?;
///     context
///         .socket_text_stream("tcp://127.0.0.1:8880")?
///         .flat_map(Text::into_words)
///         .map(|word| (word, 1u64))
///         .reduce_by_key(|a, b| a + b)
///         .for_each_batch(|batch| println!("{} {:?}", batch.time(), batch.records));
///     Ok(context)
/// })
/// .await?;
/// context.start().await?;
/// context.await_termination().await
/// # }
/// ```
pub struct StreamingContext {
    env: Env,
    options: Options,
    builder: SharedBuilder,
    listeners: Listeners,
    directory: Option<PathBuf>,
    state: State,
}

enum State {
    New,
    /// `get_or_create` has read the directory.
    Opened(Box<Opened>),
    Running(Running),
    Ended,
}

impl std::fmt::Debug for StreamingContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamingContext").field("options", &self.options).finish_non_exhaustive()
    }
}

impl StreamingContext {
    /// A context without a graph yet.
    ///
    /// # Errors
    /// [`GraphError::Option`] if an option's value makes no sense.
    pub fn new(env: &Env, options: Options) -> Result<Self> {
        options.check()?;
        Ok(Self {
            env: env.clone(),
            builder: SharedBuilder::new(options.batch_interval),
            options,
            listeners: Listeners::default(),
            directory: None,
            state: State::New,
        })
    }

    /// The context of the checkpoint in `directory`, or a new one if there is nothing.
    ///
    /// `create` builds the graph on every start, since functions cannot be stored. It must build the same one each time: the
    /// graph is checked against the checkpoint. Everything that belongs to the program, its outputs included, is made in it.
    ///
    /// # Errors
    /// [`GraphError`] if the program is not whole, [`Error::InUse`], [`Error::OtherPipeline`], [`Error::NoUsableCheckpoint`], [`Error::Damaged`], [`Error::OtherVersion`],
    /// [`Error::Disk`], and those of `create`. Except for a claimed generation, nothing was changed then.
    pub async fn get_or_create(
        env: Env,
        directory: impl AsRef<Path>,
        create: impl FnOnce(&Env) -> Result<Self>,
    ) -> Result<Self> {
        let mut context = create(&env)?;
        context.check_graph()?;
        context.checkpoint(&directory);
        let opened = context.open(directory.as_ref()).await?;
        context.state = State::Opened(Box::new(opened));
        Ok(context)
    }

    /// Sets the directory that the checkpoints go to. For a first start; [`get_or_create`](Self::get_or_create) recovers.
    pub fn checkpoint(&mut self, directory: impl AsRef<Path>) {
        self.directory = Some(directory.as_ref().to_owned());
    }

    /// Tells `listener` everything that happens from now on.
    pub fn add_listener(&self, listener: impl StreamingListener + 'static) {
        self.listeners.add(Arc::new(listener));
    }

    /// Lines from `url`: `tcp://HOST:PORT`, or `resume://HOST:PORT` for a source that can resume.
    ///
    /// # Errors
    /// [`GraphError::Source`] if `url` is neither.
    pub fn socket_text_stream(&self, url: &str) -> Result<DStream<Text>> {
        let address: SocketAddress = url.parse()?;
        // Where the lines come from may change from start to start; whether they can be asked for again may not.
        let parameters = if address.resumes { "resume" } else { "tcp" };
        let source = SocketSource::new(address, self.options.clone());
        Ok(self.text_stream(OperatorKind::SocketTextStream, parameters, Arc::new(source)))
    }

    /// The lines of the files in `directory`, each file once, those that are there already included. Files must appear whole, by a
    /// rename, and stay as they are: one that changed or vanished before its batch is covered by a checkpoint is
    /// [`Error::InputChanged`].
    pub fn text_file_stream(&self, directory: impl AsRef<Path>) -> DStream<Text> {
        let poll = self.options.batch_interval.duration().min(Duration::from_secs(1));
        let source = DirectorySource::new(directory.as_ref().to_owned(), poll, self.options.line_bytes_max);
        self.text_stream(OperatorKind::TextFileStream, "", Arc::new(source))
    }

    fn text_stream(&self, kind: OperatorKind, parameters: &str, source: Arc<dyn Source>) -> DStream<Text> {
        let operator = Operator::new(kind).parameters(parameters);
        self.builder.source_stream(operator, source, |source| Arc::new(TextStream { source }))
    }

    /// One element of `batches` in each batch, as one partition, then empty ones. For tests and benches.
    pub fn queue_stream<T: Stored>(&self, batches: Vec<Vec<T>>) -> DStream<T> {
        self.queue_stream_partitioned(batches, 1)
    }

    /// As [`queue_stream`](Self::queue_stream), with each batch in so many partitions: of `n` records, partition `j` has those
    /// from `j * n / partitions` to `(j + 1) * n / partitions`. Some may be empty.
    ///
    /// That there is none is an error of the context's start, [`GraphError::Option`].
    pub fn queue_stream_partitioned<T: Stored>(&self, batches: Vec<Vec<T>>, partitions: usize) -> DStream<T> {
        if partitions == 0 {
            let reason = "records need a partition to be in".into();
            self.builder.lock().fail(GraphError::Option { option: "partitions", value: "0".into(), reason });
        }
        let schema = type_name::<T>();
        let mut operator = Operator::new(OperatorKind::QueueStream).schema(schema);
        if partitions > 1 {
            operator = operator.parameters(format!("in {partitions} partitions"));
        }
        let source = Arc::new(QueueSource::new(batches));
        self.builder.source_stream(operator, source, |source| Arc::new(RecordStream::new(source, partitions)))
    }

    /// The records of a source of the author's own: [`Receiver`] tells how to write one.
    pub fn receiver_stream<R: Receiver>(&self, receiver: R) -> DStream<R::Record> {
        let schema = format!("{} at {}", type_name::<R::Record>(), type_name::<R::Position>());
        let operator = Operator::new(OperatorKind::ReceiverStream).schema(schema);
        let source = Arc::new(ReceiverSource(receiver));
        self.builder.source_stream(operator, source, |source| Arc::new(RecordStream::new(source, 1)))
    }

    /// The records of all of `streams`, in their order. They must be of this context and of one slide, at least one:
    /// everything else is an error of the program, told by [`start`](Self::start), here as in [`transform`](Self::transform).
    pub fn union<T: Data>(&self, streams: impl IntoIterator<Item = DStream<T>>) -> DStream<T> {
        self.builder.union_all(streams, self.options.batch_interval)
    }

    /// What `f` makes of the batches of all of `streams`, in their order, and of their time. It must be a function of these alone.
    pub fn transform<T: Data, U: Data>(
        &self,
        streams: impl IntoIterator<Item = DStream<T>>,
        f: impl Fn(Vec<Rdd<T>>, BatchTime) -> Rdd<U> + Send + Sync + 'static,
    ) -> DStream<U> {
        let interval = self.options.batch_interval;
        self.builder
            .join_all(OperatorKind::Transform, streams, interval, move |rdds, scope| f(rdds, scope.time))
    }

    async fn open(&self, directory: &Path) -> Result<Opened> {
        let directory = CheckpointDirectory::open(&self.env, directory, &self.listeners).await?;
        let operators = self.builder.lock().operators().to_vec();
        let interval = self.options.batch_interval;
        let recovered =
            recovery::recover(&self.env, &directory, &operators, interval, &self.listeners).await?;
        Ok(Opened { directory: Arc::new(directory), recovered })
    }

    /// Starts the driver: from here on the graph is fixed. Of a context that runs already it does nothing, as Spark's.
    ///
    /// # Errors
    /// [`GraphError`] if the program is not whole, [`Error::DirectoryNotEmpty`] if the directory holds a checkpoint and this
    /// context is not from `get_or_create`, and whatever keeps the first writes from succeeding.
    pub async fn start(&mut self) -> Result<()> {
        let directory = self.directory.clone().ok_or(GraphError::NoCheckpointDirectory)?;
        self.check_graph()?;
        let opened = match std::mem::replace(&mut self.state, State::Ended) {
            State::Opened(opened) => *opened,
            State::New => {
                let opened = self.open(&directory).await?;
                if opened.recovered.is_some() {
                    return Err(Error::DirectoryNotEmpty { directory });
                }
                opened
            }
            running @ State::Running(_) => {
                self.state = running;
                return Ok(());
            }
            State::Ended => return Err(GraphError::AlreadyUsed("stopped").into()),
        };
        let graph = self.builder.lock().seal()?;
        let running = driver::start(&self.env, opened, graph, self.options.clone(), self.listeners.clone());
        match running.await {
            Ok(running) => {
                self.state = State::Running(running);
                Ok(())
            }
            Err(error) => {
                self.listeners.tell(&Event::Stopped { error: Some(error.to_string()) });
                Err(error)
            }
        }
    }

    /// Waits until the driver has ended.
    ///
    /// # Errors
    /// What ended it, unless it was [`stop`](Self::stop).
    pub async fn await_termination(&mut self) -> Result<()> {
        match &mut self.state {
            State::Running(running) => running.ended().await?,
            State::New | State::Opened(_) | State::Ended => {}
        }
        self.check_graph()
    }

    /// The first error that the calls so far noted.
    fn check_graph(&self) -> Result<()> {
        self.builder.lock().error().map_or(Ok(()), |error| Err(error.into()))
    }

    /// A handle that can ask for an orderly stop from elsewhere, such as a signal handler.
    ///
    /// # Errors
    /// [`GraphError::AlreadyUsed`] if the context is not running.
    pub fn stopper(&self) -> Result<Stopper> {
        match &self.state {
            State::Running(running) => Ok(Stopper(running.stop())),
            _ => Err(GraphError::AlreadyUsed("stopped").into()),
        }
    }

    /// Ends the driver. With `gracefully`, receiving stops at once, and what was received is processed and emitted first;
    /// without, the driver is cut off as in a crash, and the next start recovers. Either way the directory is free afterwards.
    ///
    /// # Errors
    /// What went wrong on the way.
    pub async fn stop(&mut self, gracefully: bool) -> Result<()> {
        let ended = match &mut self.state {
            State::Running(running) => {
                match gracefully {
                    true => running.stop().raise(),
                    false => running.cut(),
                }
                running.ended().await
            }
            _ => Ok(()),
        };
        self.state = State::Ended;
        ended
    }
}

/// Asks a running context for an orderly stop. See [`StreamingContext::stopper`].
#[derive(Clone, Debug)]
pub struct Stopper(Flag);

impl Stopper {
    /// Asks; [`StreamingContext::await_termination`] tells when it has happened.
    pub fn stop(&self) {
        self.0.raise();
    }
}
